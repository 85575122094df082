/* The instructions that touch user memory, and the switch that permits them. */
#pragma once
#include "arch/csr.h"

/* 0, or -K_EFAULT after a fault that was not repaired; a prefix may have been
 * copied. Either side may be user memory that the running table maps. */
int ucopy(void *dst, const void *src, size_t n) must_check;
/* With the terminator; also -K_ENAMETOOLONG. */
int ucopystr(char *dst, const char *src, size_t size) must_check;

/* The same with sstatus.SUM set for these lines and no longer: for tables whose
 * user pages keep PTE_U (privileged specification 4.1.1.2). The handler of a
 * trap in between clears SUM, and restores it when it returns here. */
#ifdef __riscv
static inline int ucopy_sum(void *dst, const void *src, size_t n) {
    csr_set(sstatus, SSTATUS_SUM);
    int err = ucopy(dst, src, n);
    csr_clear(sstatus, SSTATUS_SUM);
    return err;
}

static inline int ucopystr_sum(char *dst, const char *src, size_t size) {
    csr_set(sstatus, SSTATUS_SUM);
    int err = ucopystr(dst, src, size);
    csr_clear(sstatus, SSTATUS_SUM);
    return err;
}
#else
/* Host tests: as the model of a hart does it. */
int ucopy_sum(void *dst, const void *src, size_t n) must_check;
int ucopystr_sum(char *dst, const char *src, size_t size) must_check;
#endif

bool csr_probe_stimecmp(void);
