/* Translates an address of a process, its own or that of the one named, step by step, as
 * the hardware does; or every page of a range, END being its last byte. The process may be
 * running meanwhile. -k: in the kernel's view. -a: with all 512 entries of each table on
 * the way; an arrow marks the one that the address's index names. */
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include "../lib/vmspace.h"
#include "../lib/vmtree.h"

#define USAGE "vmwalk [-k] [-a] ADDRESS [PID]\n       vmwalk [-k] ADDRESS-END [PID]"

static bool all_entries;
static struct abi_procinfo process;
static struct vm_space space;
static enum abi_vmview view = ABI_VIEW_USER;

/* ---- one address ---------------------------------------------------------------- */

static void not_mapped(uint64_t va) {
    printf("not mapped: %s\n", vm_why_unmapped(&space, view, va));
}

/* Entry i of the table that e is in. */
static void print_entry(const struct vm_entry *e, unsigned i) {
    uint64_t entry = (e->entry - e->index)[i];
    char flags[VM_FLAGS_TEXT];
    printf("level %u: entry %u at 0x%016lx: 0x%016lx ", e->level, i, e->table + i * 8, entry);
    if (!(entry & VM_V))
        printf("not valid");
    else
        printf("%s %s 0x%016lx", vm_flags(entry, flags),
               vm_is_table(entry, e->level) ? "table at" : "frame", vm_frame(entry));
    printf(all_entries && i == e->index ? " <--\n" : "\n");
}

static unsigned print_step(void *ctx, const struct vm_entry *e) {
    uint64_t va = *(const uint64_t *)ctx;
    if (!e->entry) {
        printf("level %u: (gone meanwhile)\n", e->level);
        return 0;
    }
    unsigned first = all_entries ? 0 : e->index, last = all_entries ? VM_ENTRIES - 1 : e->index;
    for (unsigned i = first; i <= last; i++)
        print_entry(e, i);
    uint64_t entry = *e->entry;
    if (!(entry & VM_V))
        not_mapped(va);
    else if (vm_is_kept(entry, e->level))
        printf(VM_KEPT "\n");
    else if (!vm_is_table(entry, e->level))
        printf("physical address 0x%016lx, a page of %s\n",
               vm_frame(entry) + va % vm_span(e->level), vm_size_name(e->level));
    return 1;
}

static bool walk_address(uint64_t va) {
    if (!vm_canonical(va)) {
        printf("0x%016lx is not canonical: bits 63 to %u do not equal bit %u, so every access "
               "faults\n",
               va, VM_BITS, VM_BITS - 1);
        return true;
    }
    printf("0x%016lx = index ", va);
    for (unsigned level = vm_levels; level-- > 0;)
        printf("%u, ", vm_index(va, level));
    printf("offset 0x%03lx (%s)\n", va % VM_PAGE, vm_title(&process, view));
    return vm_visit(process.pid, view, va, va, print_step, &va);
}

/* ---- a range -------------------------------------------------------------------- */

struct range {
    uint64_t first, last; /* of whole pages */
    uint64_t hole;        /* where what is not mapped begins */
    bool in_hole;
};

/* The range is not mapped up to the byte before end. */
static void end_hole(struct range *r, uint64_t end) {
    if (r->in_hole)
        printf("0x%016lx-0x%016lx not mapped\n", r->hole, end - 1);
    r->in_hole = false;
}

static unsigned print_part(void *ctx, const struct vm_entry *e) {
    struct range *r = ctx;
    char flags[VM_FLAGS_TEXT];
    uint64_t first = e->va > r->first ? e->va : r->first;
    uint64_t end_of_entry = e->va + (vm_span(e->entry ? e->level : e->level + 1) - 1);
    uint64_t last = end_of_entry < r->last ? end_of_entry : r->last;
    if (!e->entry) {
        end_hole(r, first);
        printf("0x%016lx-0x%016lx (gone meanwhile)\n", first, last);
    } else if (!(*e->entry & VM_V)) {
        r->hole = r->in_hole ? r->hole : first;
        r->in_hole = true;
    } else if (!vm_is_table(*e->entry, e->level)) {
        end_hole(r, first);
        printf("0x%016lx-0x%016lx frame 0x%016lx %s %s%s\n", first, last,
               vm_frame(*e->entry) + (first - e->va), vm_flags(*e->entry, flags),
               vm_size_name(e->level), vm_is_kept(*e->entry, e->level) ? ", " VM_KEPT : "");
    }
    return !ferror(stdout);
}

static bool walk_part(uint64_t first, uint64_t last) {
    struct range r = {.first = first, .last = last};
    bool there = vm_visit(process.pid, view, first, last, print_part, &r);
    end_hole(&r, last + 1);
    return there;
}

/* Between the two halves lies what no address can be. */
static bool walk_range(uint64_t first, uint64_t last) {
    const uint64_t noncanonical_first = VM_LOW_HALF_END, noncanonical_last = -VM_LOW_HALF_END - 1;
    first -= first % VM_PAGE;
    last |= VM_PAGE - 1;
    printf("%s:\n", vm_title(&process, view));
    bool there = true;
    if (first < noncanonical_first)
        there = walk_part(first, last < noncanonical_first ? last : noncanonical_first - 1);
    if (first <= noncanonical_last && last >= noncanonical_first)
        printf("0x%016lx-0x%016lx not canonical\n",
               first > noncanonical_first ? first : noncanonical_first,
               last < noncanonical_last ? last : noncanonical_last);
    if (there && last > noncanonical_last)
        there = walk_part(first > noncanonical_last ? first : noncanonical_last + 1, last);
    return there;
}

/* ---- arguments ------------------------------------------------------------------ */

/* ADDRESS or ADDRESS-END; *range says which. */
static bool parse_range(const char *text, uint64_t *first, uint64_t *last, bool *range) {
    const char *rest;
    if (!vm_parse_address(text, first, &rest))
        return false;
    *last = *first;
    *range = *rest == '-';
    if (*range && !vm_parse_address(rest + 1, last, &rest))
        return false;
    return *rest == 0 && *last >= *first;
}

int main(int argc, char *argv[]) {
    uint64_t first = 0, last = 0;
    bool range = false;
    pid_t pid = 0;
    int words = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-k") == 0)
            view = ABI_VIEW_KERNEL;
        else if (strcmp(argv[i], "-a") == 0)
            all_entries = true;
        else if (argv[i][0] == '-' || words > 1 ||
                 !(words == 0 ? parse_range(argv[i], &first, &last, &range)
                              : vm_parse_pid(argv[i], &pid)))
            vm_usage(USAGE, argv[i]);
        else
            words++;
    }
    if (words == 0 || (range && all_entries))
        vm_usage(USAGE, NULL);
    if (!vm_find("vmwalk", pid, &process))
        return 1;
    bool there = vm_space_read(&process, &space) &&
                 (range ? walk_range(first, last) : walk_address(first));
    int failed = finish_output("vmwalk");
    if (!there)
        vm_say_gone("vmwalk", process.pid);
    return failed < 0 || !there;
}
