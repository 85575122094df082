/* Copies through leaves with PTE_U: see sumcopy.h. */
#include "mm/sumcopy.h"
#include "arch/usermem.h"

int sum_copyin(void *dst, uaddr_t src, size_t n) { return ucopy_sum(dst, (void *)src.v, n); }

int sum_copyout(uaddr_t dst, const void *src, size_t n) { return ucopy_sum((void *)dst.v, src, n); }

int sum_copyinstr(char *dst, uaddr_t src, size_t size) {
    return ucopystr_sum(dst, (char *)src.v, size);
}

int sum_copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user, size_t *done) {
    return ucopy_pieces_sum((uint8_t *)user.v, p, n, to_user, done);
}
