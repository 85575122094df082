/* Control and status registers of supervisor mode (privileged specification 4.1). */
#pragma once
#include "arch/asm.h"
#include "lib/types.h"

#define SSTATUS_SIE (1ULL << 1)
#define SSTATUS_SPIE (1ULL << 5)
#define SSTATUS_SPP (1ULL << 8)
#define SSTATUS_FS (3ULL << 13)
#define SSTATUS_FS_CLEAN (2ULL << 13)
#define SSTATUS_FS_DIRTY (3ULL << 13)
#define SSTATUS_SUM (1ULL << 18)

#define SIE_SSIE (1ULL << 1) /* software: from another hart */
#define SIE_STIE (1ULL << 5) /* timer */
#define SIE_SEIE (1ULL << 9) /* external */

/* scause */
#define CAUSE_INTERRUPT (1ULL << 63)
#define CAUSE_SOFTWARE (CAUSE_INTERRUPT | 1)
#define CAUSE_TIMER (CAUSE_INTERRUPT | 5)
#define CAUSE_EXTERNAL (CAUSE_INTERRUPT | 9)
#define CAUSE_ACCESS_FETCH 1
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_ACCESS_LOAD 5
#define CAUSE_ACCESS_STORE 7
#define CAUSE_ECALL_U 8
#define CAUSE_PAGE_FETCH 12
#define CAUSE_PAGE_LOAD 13
#define CAUSE_PAGE_STORE 15

#ifdef __riscv
#define csr_read(csr) csr_read_(csr)
#define csr_write(csr, v) csr_write_(csr, v)
#define csr_set(csr, v) __asm__ volatile("csrs " #csr ", %0" ::"rK"((uint64_t)(v)) : "memory")
#define csr_clear(csr, v) __asm__ volatile("csrc " #csr ", %0" ::"rK"((uint64_t)(v)) : "memory")
/* A step more, for a CSR that a macro names by its number. */
#define csr_read_(csr) \
    ({ \
        uint64_t csr_v; \
        __asm__ volatile("csrr %0, " #csr : "=r"(csr_v)::"memory"); \
        csr_v; \
    })
#define csr_write_(csr, v) __asm__ volatile("csrw " #csr ", %0" ::"rK"((uint64_t)(v)) : "memory")

/* sfence.vma orders earlier stores to page tables before later walks of this
 * hart, and empties its TLB of what it names (4.2.1). Entries with G are not
 * reached by the forms that name an ASID; the one that names an address reaches
 * leaves only. */
static inline void sfence_all(void) { __asm__ volatile("sfence.vma" ::: "memory"); }
static inline void sfence_asid(uint64_t asid) {
    __asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}
static inline void sfence_page(uint64_t va, uint64_t asid) {
    __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

/* Sleeps until an interrupt that sie enables is pending, whatever sstatus.SIE
 * says (3.3.3): called with SIE off, so none is taken before the caller looks. */
static inline void wait_for_interrupt(void) { __asm__ volatile("wfi" ::: "memory"); }

/* Lets pending interrupts be taken here and now. */
static inline void intr_window(void) {
    csr_set(sstatus, SSTATUS_SIE);
    csr_clear(sstatus, SSTATUS_SIE);
}
#else
/* Host tests: the hart is a model that a test has. */
uint64_t host_csr_read(const char *name);
void host_csr_write(const char *name, uint64_t value);
#define csr_read(csr) host_csr_read(#csr)
#define csr_write(csr, v) host_csr_write(#csr, v)
void sfence_all(void);
void sfence_asid(uint64_t asid);
void sfence_page(uint64_t va, uint64_t asid);
#endif
