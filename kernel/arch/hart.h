/* A hart's own record. tp points to it whenever the kernel runs. Each layer
 * keeps its per-hart state in an array of its own, indexed by hart->index. */
#pragma once
#include "arch/asm.h"
#include "lib/types.h"

struct aspace;
struct proc;
struct thread;

struct hart {
    uint32_t index;    /* 0 .. hart_count - 1, dense; 0 booted */
    uint64_t hartid;   /* the machine's own number, for SBI calls */
    struct proc *proc; /* that of the thread */
    /* A trap from the kernel, until all registers are on its stack: the stack pointer (0:
     * none), and what the trap was. A second trap before that has taken the CSRs. */
    uint64_t trapping;
    uint64_t sepc, scause, stval;
    struct aspace *space;  /* of what runs here */
    struct thread *thread; /* what runs here, NULL in the scheduler */
    /* Of what runs here, which does not sleep meanwhile (mm/aspace.h, mm/uaccess.h): the space one
     * of whose pages the kernel reaches through the direct map, which other harts look at, or NULL;
     * and whether a fault may not sleep. */
    struct aspace *page_of;
    bool faults_held;
    uint64_t counted[HART_COUNTS]; /* mm/vmstat.h */
};

_Static_assert(offsetof(struct hart, hartid) == HART_ID, "asm.h");
_Static_assert(offsetof(struct hart, trapping) == HART_TRAPPING, "asm.h");
_Static_assert(offsetof(struct hart, sepc) == HART_SEPC, "asm.h");
_Static_assert(offsetof(struct hart, scause) == HART_SCAUSE, "asm.h");
_Static_assert(offsetof(struct hart, stval) == HART_STVAL, "asm.h");
_Static_assert(sizeof(struct hart) == HART_SIZE, "asm.h");

extern struct hart harts[NHART];
extern uint32_t hart_count; /* harts of the device tree that Trellis uses */

/* This hart does nothing any more. */
void hart_stop(void) never_returns;

#ifdef __riscv
static inline struct hart *hart_self(void) {
    struct hart *h;
    __asm__ volatile("mv %0, tp" : "=r"(h));
    return h;
}
#else
/* Host tests: each thread is the hart that it says it is. */
extern __thread struct hart *host_hart;
static inline struct hart *hart_self(void) { return host_hart; }
#endif
