/* The instructions that touch user memory, and the switch that permits them. */
#pragma once
#include "arch/csr.h"

/* 0, or -K_EFAULT after a fault that was not repaired; a prefix may have been
 * copied. Either side may be user memory that the running table maps. */
int ucopy(void *dst, const void *src, size_t n) must_check;
/* With the terminator; also -K_ENAMETOOLONG. */
int ucopystr(char *dst, const char *src, size_t size) must_check;

/* The n pieces, in order, to user memory from user on, or from there. *done: the
 * bytes of those before the one that failed. */
static inline int ucopy_pieces(uint8_t *user, const struct kpiece *p, unsigned n, bool to_user,
                               size_t *done) {
    uint8_t *at = user;
    int err = 0;
    for (const struct kpiece *end = p + n; p < end; at += p++->bytes) {
        err = to_user ? ucopy(at, p->start, p->bytes) : ucopy(p->start, at, p->bytes);
        if (err)
            break;
    }
    *done = (size_t)(at - user);
    return err;
}

/* sstatus.SUM, for tables whose user pages keep PTE_U (privileged specification
 * 4.1.1.2): set for the copies below and for nothing else. The handler of a trap in
 * between clears it, and restores it when it returns here. */
#ifdef __riscv
static inline void sum_set(void) { csr_set(sstatus, SSTATUS_SUM); }
static inline void sum_clear(void) { csr_clear(sstatus, SSTATUS_SUM); }
#else
/* Host tests: as the model of a hart does it. */
void sum_set(void);
void sum_clear(void);
#endif

static inline int ucopy_sum(void *dst, const void *src, size_t n) {
    sum_set();
    int err = ucopy(dst, src, n);
    sum_clear();
    return err;
}

static inline int ucopystr_sum(char *dst, const char *src, size_t size) {
    sum_set();
    int err = ucopystr(dst, src, size);
    sum_clear();
    return err;
}

static inline int ucopy_pieces_sum(uint8_t *user, const struct kpiece *p, unsigned n, bool to_user,
                                   size_t *done) {
    sum_set();
    int err = ucopy_pieces(user, p, n, to_user, done);
    sum_clear();
    return err;
}

bool csr_probe_stimecmp(void);
bool csr_probe_time(void);
bool probe_misaligned(const void *at);
