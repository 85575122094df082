/* The copies of designs whose kernel view has the user's leaves as they are, with PTE_U: the
 * kernel reaches them with SUM, set in these routines and nowhere else. */
#pragma once
#include "mm/design.h"

int sum_copyin(void *dst, uaddr_t src, size_t n) must_check;
int sum_copyout(uaddr_t dst, const void *src, size_t n) must_check;
int sum_copyinstr(char *dst, uaddr_t src, size_t size) must_check;
int sum_copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                    size_t *done) must_check;

/* A design's operations with these names. */
#define SUM_COPIES \
    .copyin = sum_copyin, .copyout = sum_copyout, .copyinstr = sum_copyinstr, \
    .copy_pieces = sum_copy_pieces
