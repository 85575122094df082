/* share: a kernel page table for every process, whose root points to the same
 * lower tables as the user's root: nothing is copied, so nothing can go stale.
 * The leaves keep PTE_U; the kernel reaches them with SUM, set in the copy
 * routines and nowhere else. */
#include "mm/design.h"
#include "mm/kernel_view.h"
#include "mm/sumcopy.h"

/* The tables of the user's memory are the user's own. */
static void destroy(struct aspace *as) { kernel_view_destroy(as, VA(0)); }

static void sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather) {
    if (start.v == end.v)
        return;
    struct pt_cursor user = pt_cursor_root(&as->user, start.v, end.v - 1);
    struct pt_cursor kernel = pt_cursor_root(&as->kernel, start.v, end.v - 1);
    do
        *kernel.entry = *user.entry;
    while (pt_next(&user) && pt_next(&kernel));
}

static bool agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) {
    const pte_t *ours = pa_ptr(as->kernel.root), *theirs = pa_ptr(as->user.root);
    unsigned i = va_index(va, as->user.levels - 1);
    return ours[i] == theirs[i];
}

DESIGN struct design share = {
    .name = "share",
    .has_root = true,
    .create = kernel_view_create,
    .destroy = destroy,
    .sync = sync,
    .agrees = agrees,
    SUM_COPIES,
};
