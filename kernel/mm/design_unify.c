/* unify: the process's own table is the kernel's too: one root, the user's half
 * and the kernel's half. Nothing is copied and a trap writes no satp; the kernel
 * reaches user memory with SUM, set in the copy routines and nowhere else. */
#include "arch/usermem.h"
#include "mm/design.h"
#include "mm/kmap.h"

const struct design design = {.name = "unify"};

int design_create(struct aspace *as) {
    kmap_share_half(&as->user);
    as->kernel_satp = satp_make(as->user.root, tlb_user_asid(&as->tlb));
    return kmap_stack(&as->user, as->slot);
}

void design_destroy(struct aspace *as) { (void)as; }

void design_sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather) {}

/* The kernel sees the user's own table. */
bool design_agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) { return true; }

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
