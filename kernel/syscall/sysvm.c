/* System calls that show memory. What is told is gathered under the space's lock, and
 * copied to the user after, since a copy may need the lock of the caller's own space. */
#include "syscall/syscall.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/inspect.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "mm/vmprint.h"
#include "proc/proc.h"

/* A long table takes the console a while: others run in between, and a killed caller ends.
 * A process that ends or runs another program meanwhile is printed as far as it was. */
int sys_vmprint(const uint64_t arg[6], uint64_t *result) {
    struct vmprint v = {0};
    do {
        struct aspace *as = proc_lock_space((int32_t)arg[0]);
        if (!as)
            return v.titled ? 0 : -K_ESRCH;
        vmprint_gather(&v, &as->user);
        spin_unlock(&as->lock);
        vmprint_say(&v);
        thread_yield();
    } while (v.n > 0 && !proc_killed());
    return 0;
}

/* *found: whether the walk gets down to that level. */
static int read_table(int32_t pid, struct abi_vmtable_head *t, uint64_t *entries, bool *found) {
    struct aspace *as = proc_lock_space(pid);
    if (!as)
        return -K_ESRCH;
    bool kernel = t->view == ABI_VIEW_KERNEL;
    const uint64_t *table = inspect_table(inspect_view(as, kernel), VA(t->va), t->level);
    t->satp = inspect_satp(as, kernel);
    *found = table;
    if (table) {
        t->table = ptr_pa(table).v;
        memcpy(entries, table, PAGE_SIZE);
    }
    spin_unlock(&as->lock);
    return 0;
}

/* The table, and after it what the caller asked, are copied to where arg[1] points. */
static int tell_table(const uint64_t arg[6], void *entries, uint64_t *result) {
    struct abi_vmtable_head t;
    if (copyin(&t, UA(arg[1]), sizeof(t)))
        return -K_EFAULT;
    if (t.level >= paging.levels || t.view > ABI_VIEW_KERNEL)
        return -K_EINVAL;
    bool found = false;
    int err = read_table((int32_t)arg[0], &t, entries, &found);
    if (err || !found)
        return err;
    *result = 1;
    err = copyout(UA(arg[1]), &t, sizeof(t));
    return err ? err : copyout(UA(arg[1] + sizeof(t)), entries, PAGE_SIZE);
}

/* But for what there is of its pages. */
static struct abi_vmregion describe(const struct mapping *m) {
    bool zeros = m->object->zeros && !m->object->filled;
    struct abi_vmregion r = {.start = m->start,
                             .end = m->end,
                             .perm = m->perm,
                             .flags = (m->lazy ? ABI_VM_LAZY : 0) |
                                      (m->shared ? ABI_VM_SHARED : 0) | (zeros ? ABI_VM_ZEROS : 0) |
                                      (m->object->guarded ? ABI_VM_GUARDED : 0),
                             .offset = zeros ? 0 : m->first * PAGE_SIZE};
    str_copy(r.name, object_name(m->object, m->perm), sizeof(r.name));
    return r;
}

#define REGIONS_AT_ONCE (PAGE_SIZE / sizeof(struct abi_vmregion))

/* A list of regions that is being made. */
struct listing {
    struct abi_vmregion *region;
    uint64_t n, max;            /* that are whole, and that there is room for */
    uint64_t at;                /* what lies below has been looked at */
    bool begun;                 /* so has region[n], up to there */
    struct inspect_pages pages; /* of region[n], then */
    uint64_t count;             /* how many there are in all */
};

/* False: there is no room, or nothing more. */
static bool begin_region(struct listing *l, const struct aspace *as) {
    const struct mapping *m = l->n < l->max ? mapping_from(&as->mappings, l->at) : NULL;
    if (!m)
        return false;
    l->region[l->n] = describe(m);
    l->at = m->start;
    l->begun = true;
    l->pages = (struct inspect_pages){0};
    return true;
}

static void end_region(struct listing *l) {
    struct abi_vmregion *r = &l->region[l->n++];
    r->present = l->pages.present;
    r->shared = l->pages.shared;
    r->copied = l->pages.copied;
    l->begun = false;
}

#define REGION_COST 8 /* in entries of page tables: about */

/* As much as a piece has room for. */
static unsigned list_piece(struct listing *l, const struct aspace *as) {
    unsigned passed = 0;
    while (passed <= PIECE && (l->begun || begin_region(l, as))) {
        uint64_t end = l->region[l->n].end;
        passed += REGION_COST;
        l->at = inspect_count(as, l->at, end, &passed, &l->pages);
        if (l->at == end)
            end_region(l);
    }
    l->count = as->mappings.count;
    return passed;
}

/* More regions, until there is no room or nothing more, in pieces; each finds the space again,
 * since the process may end or run another program meanwhile. A killed caller need not be told all.
 */
static int list_regions(struct listing *l, int32_t pid) {
    unsigned passed;
    l->n = 0;
    do {
        struct aspace *as = proc_lock_space(pid);
        if (!as)
            return -K_ESRCH;
        passed = list_piece(l, as);
        spin_unlock(&as->lock);
        piece_done(passed);
    } while (passed > PIECE && !proc_killed());
    return 0;
}

/* A pageful at a time. */
static int tell_regions(const uint64_t arg[6], void *page, uint64_t *result) {
    struct listing l = {.region = page};
    int64_t max = (int32_t)arg[2];
    uint64_t left = max < 0 ? 0 : (uint64_t)max, to = arg[1];
    int err;
    do {
        l.max = MIN(left, REGIONS_AT_ONCE);
        err = list_regions(&l, (int32_t)arg[0]);
        if (!err)
            err = copyout(UA(to), l.region, l.n * sizeof(l.region[0]));
        to += l.n * sizeof(l.region[0]);
        left -= l.n;
    } while (!err && l.n == REGIONS_AT_ONCE);
    *result = l.count;
    return err;
}

/* What is told is too large for a kernel stack: a page for it. */
static int with_page(int (*tell)(const uint64_t arg[6], void *page, uint64_t *result),
                     const uint64_t arg[6], uint64_t *result) {
    paddr_t frame;
    int err = frame_alloc(&frame);
    if (err)
        return err;
    err = tell(arg, pa_ptr(frame), result);
    frame_free(frame);
    return err;
}

int sys_vmtable(const uint64_t arg[6], uint64_t *result) {
    return with_page(tell_table, arg, result);
}

int sys_vmregions(const uint64_t arg[6], uint64_t *result) {
    return with_page(tell_regions, arg, result);
}
