/* An empty kernel page table for one process: see kernel_view.h. */
#include "mm/kernel_view.h"
#include "mm/kmap.h"
#include "mm/pieces.h"

int kernel_view_create(struct aspace *as) {
    int err = pt_init(&as->kernel, paging.levels, &pt_frames);
    if (err)
        return err;
    kmap_share_half(&as->kernel);
    as->kernel_satp = pt_satp(&as->kernel, tlb_kernel_asid(&as->tlb));
    err = kmap_trampoline(&as->kernel);
    return err ? err : kmap_stack(&as->kernel, as->slot);
}

void kernel_view_destroy(struct aspace *as, vaddr_t end) {
    pt_clear(&as->kernel, VA(0), end, piece_of_tables(as->kernel.tables));
    kernel_view_clear_top(&as->kernel, as->slot);
    pt_free_root(&as->kernel);
}

void kernel_view_clear_top(struct pt *pt, uint32_t slot) {
    pt_take_leaves(pt, VA(KSTACK(slot)), VA(KSTACK_TOP(slot)), NULL, NULL);
    pt_take_leaves(pt, VA(TRAPFRAME), VA(USER_HALF_END), NULL, NULL);
    pt_clear(pt, VA(KSTACKS_START), VA(USER_HALF_END), NULL);
}
