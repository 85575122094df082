/* Single instructions that portable code asks for by name. */
#pragma once
#include "lib/types.h"

#ifdef __riscv
/* pause (Zihintpause); a hint without effect where that is not there. */
static inline void cpu_relax(void) {
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory");
}

/* The time counter (Zicntr), in ticks of the device tree's timebase-frequency. */
static inline uint64_t cpu_time(void) {
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

/* Orders memory accesses and device accesses (I/O fence, unprivileged spec 2.7). */
static inline void fence_io(void) { __asm__ volatile("fence iorw, iorw" ::: "memory"); }

/* Makes earlier stores to instructions visible to this hart's fetches (Zifencei). */
static inline void fence_i(void) { __asm__ volatile("fence.i" ::: "memory"); }
#else
/* Host tests: harts are threads, and may be more than the host has. */
int sched_yield(void); /* the C library's */
static inline void cpu_relax(void) { sched_yield(); }
static inline uint64_t cpu_time(void) {
    static uint64_t t;
    return ++t;
}
static inline void fence_io(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
static inline void fence_i(void) {}
#endif
