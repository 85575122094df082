/* An empty kernel page table for one process: see kernel_view.h. */
#include "mm/kernel_view.h"
#include "mm/kmap.h"
#include "mm/kstack.h"
#include "mm/design.h"
#include "mm/pieces.h"

int kernel_view_create(struct aspace *as) {
    int err = pt_init(&as->kernel, paging.levels, &pt_frames);
    if (err)
        return err;
    kmap_share_half(&as->kernel);
    as->kernel_satp = pt_satp(&as->kernel, tlb_kernel_asid(&as->tlb));
    err = kmap_trampoline(&as->kernel);
    return err ? err : kstack_map(&as->kernel, as->slot);
}

void kernel_view_destroy(struct aspace *as, vaddr_t end) {
    pt_clear(&as->kernel, VA(0), end, piece_of_tables(as->kernel.tables));
    kernel_view_clear_top(as, &as->kernel);
    pt_free_root(&as->kernel);
}

struct pt *kernel_view_of_stacks(struct aspace *as) {
    if (as->design->on_kernel_pt)
        return NULL;
    return as->design->has_root ? &as->kernel : &as->user;
}

/* Of most there are four leaves, in one table. */
static void take_few(const struct aspace *as, struct pt *pt) {
    pt_take_leaves(pt, VA(KSTACK(as->slot)), VA(KSTACK_TOP(as->slot)), NULL, NULL);
    pt_take_leaves(pt, VA(TRAPFRAME), VA(USER_HALF_END), NULL, NULL);
}

void kernel_view_clear_top(const struct aspace *as, struct pt *pt) {
    uint64_t start = as->many_threads ? TRAPFRAMES_START : ROUND_DOWN(KSTACK(as->slot), LARGE_SIZE);
    if (as->many_threads)
        pt_take_leaves(pt, VA(start), VA(USER_HALF_END), NULL, NULL);
    else
        take_few(as, pt);
    pt_clear(pt, VA(start), VA(USER_HALF_END), NULL);
}
