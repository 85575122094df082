/* A hart's own record. tp points to it whenever the kernel runs. Each layer
 * keeps its per-hart state in an array of its own, indexed by hart->index. */
#pragma once
#include "lib/types.h"

#define NHART 8

struct proc;

struct hart {
    uint32_t index;    /* 0 .. hart_count - 1, dense; 0 booted */
    uint64_t hartid;   /* the machine's own number, for SBI calls */
    struct proc *proc; /* what runs here, NULL in the scheduler */
};

_Static_assert(offsetof(struct hart, hartid) == 8 && sizeof(struct hart) == 24, "entry.S");

extern struct hart harts[NHART];
extern uint32_t hart_count; /* harts of the device tree that Trellis uses */

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
