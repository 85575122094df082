/* share: a kernel page table for every process, whose root points to the same
 * lower tables as the user's root: nothing is copied, so nothing can go stale.
 * The leaves keep PTE_U; the kernel reaches them with SUM, set in the copy
 * routines and nowhere else. */
#include "arch/usermem.h"
#include "mm/design.h"
#include "mm/kernel_view.h"

const struct design design = {.name = "share", .fixed_tables = KERNEL_VIEW_TABLES};

int design_create(struct aspace *as) { return kernel_view_create(as); }

/* The tables of the user's memory are the user's own. */
void design_destroy(struct aspace *as) { kernel_view_destroy(as, VA(0)); }

void design_sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather) {
    if (start.v == end.v)
        return;
    struct pt_cursor user = pt_cursor_root(as->user.root, start.v, end.v - 1);
    struct pt_cursor kernel = pt_cursor_root(as->kernel.root, start.v, end.v - 1);
    do
        *kernel.entry = *user.entry;
    while (pt_next(&user) && pt_next(&kernel));
}

bool design_agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) {
    const pte_t *ours = pa_ptr(as->kernel.root), *theirs = pa_ptr(as->user.root);
    unsigned i = va_index(va, PT_ROOT_LEVEL);
    return ours[i] == theirs[i];
}

int design_copyin(void *dst, uaddr_t src, size_t n) { return ucopy_sum(dst, (void *)src.v, n); }

int design_copyout(uaddr_t dst, const void *src, size_t n) {
    return ucopy_sum((void *)dst.v, src, n);
}

int design_copyinstr(char *dst, uaddr_t src, size_t size) {
    return ucopystr_sum(dst, (char *)src.v, size);
}

int design_copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) {
    return ucopy_pieces_sum((uint8_t *)user.v, p, n, to_user, done);
}
