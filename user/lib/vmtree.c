/* Page tables of a process that may be running: see vmtree.h. */
#include "vmtree.h"
#include <trellis.h>

struct visit {
    pid_t pid;
    enum abi_vmview view;
    uint64_t first, last;
    vm_entry_fn fn;
    void *ctx;
    bool stopped, no_process;
};

static struct abi_vmtable tables[VM_LEVELS_MAX]; /* of one walk, by level */

/* Reads the table on the way to va; false when there is none. */
static bool read_table(struct visit *v, unsigned level, uint64_t va) {
    struct abi_vmtable *t = &tables[level];
    t->head.va = va;
    t->head.level = level;
    t->head.view = v->view;
    int r = vmtable(v->pid, t);
    if (r < 0)
        v->stopped = v->no_process = true;
    return r == 1;
}

/* The index of an address in a table that begins at va: its first or last entry when the
 * address is not in it. A root has all addresses in it, in the order of their indices. */
static unsigned index_within(unsigned level, uint64_t va, uint64_t address) {
    if (level == VM_ROOT_LEVEL)
        return vm_index(address, level);
    if (address < va)
        return 0;
    return address - va < vm_span(level + 1) ? vm_index(address, level) : VM_ENTRIES - 1;
}

/* The bits above those that are translated are as the highest of them. */
static uint64_t sign_extended(uint64_t va) {
    unsigned above = 64 - VM_BITS;
    return (uint64_t)((int64_t)(va << above) >> above);
}

static void visit_table(struct visit *v, unsigned level, uint64_t va);

/* The table is at the physical address pa, if it is what the entry above said. */
static void visit_below(struct visit *v, unsigned level, uint64_t va, uint64_t pa) {
    if (read_table(v, level, va) && tables[level].head.table == pa) {
        visit_table(v, level, va);
    } else {
        struct vm_entry gone = {.level = level, .va = va};
        v->stopped |= v->fn(v->ctx, &gone) == 0;
    }
}

static void visit_table(struct visit *v, unsigned level, uint64_t va) {
    const struct abi_vmtable *t = &tables[level];
    unsigned i = index_within(level, va, v->first), last = index_within(level, va, v->last);
    for (unsigned done; i <= last && !v->stopped; i += done) {
        struct vm_entry e = {.entry = &t->entry[i],
                             .left = last - i + 1,
                             .index = i,
                             .level = level,
                             .va = sign_extended(va + i * vm_span(level)),
                             .table = t->head.table};
        done = v->fn(v->ctx, &e);
        v->stopped |= done == 0;
        if (!v->stopped && vm_is_table(t->entry[i], level))
            visit_below(v, level - 1, e.va, vm_frame(t->entry[i]));
    }
}

bool vm_visit(pid_t pid, enum abi_vmview view, uint64_t first, uint64_t last, vm_entry_fn fn,
              void *ctx) {
    struct visit v = {.pid = pid, .view = view, .first = first, .last = last, .fn = fn, .ctx = ctx};
    if (read_table(&v, VM_ROOT_LEVEL, first))
        visit_table(&v, VM_ROOT_LEVEL, 0);
    return !v.no_process;
}
