/* How bench counts: what an operation costs, in instructions and time.
 *
 * The counters are the machine's own. In QEMU with -icount shift=0 instret counts
 * guest instructions and time is no measure; without it, instret counts the host's
 * ticks and time is the host's. tools/bench.py does both.
 *
 * An operation is done some times to warm up, then count times, and the mean is
 * printed, less what an empty operation costs. What prepares or tidies up stands
 * between pause_count() and resume_count() and is not counted. Under -icount the instruction
 * counter goes on with the host's clock while a hart waits for the disk, so the time
 * that harts have waited is taken off, where the kernel tells it (Trellis does). */
#pragma once
#include "bench.h"

#define NS_PER_TICK 100 /* the time counter of QEMU's virt: 10 MHz */

struct counts {
    uint64 instructions, time, idle;
};

static struct counts sum, since;
static uint64 pauses; /* in the running measurement */
static uint64 instructions_per_tick;

/* What a pause, and what an empty operation costs; measured first. */
static struct counts pause_cost, empty_cost;

static uint64 idle_time(void) {
#ifdef XV6
    return 0; /* its harts spin */
#else
    struct abi_sysinfo info;
    need(sysinfo(&info) == 0, "sysinfo");
    return info.idle;
#endif
}

static void resume_count(void) {
    since.idle = idle_time();
    since.time = counter_time();
    since.instructions = counter_instructions();
}

static void pause_count(void) {
    uint64 instructions = counter_instructions(), time = counter_time();
    sum.instructions += instructions - since.instructions;
    sum.time += time - since.time;
    sum.idle += idle_time() - since.idle;
    pauses++;
}

static uint64 less(uint64 a, uint64 b) { return a > b ? a - b : 0; }

/* The counts of n calls of one(). */
static struct counts measure(void (*one)(void), int n) {
    sum.instructions = sum.time = sum.idle = pauses = 0;
    resume_count();
    for (int i = 0; i < n; i++)
        one();
    pause_count();
    struct counts c = sum;
    c.instructions = less(c.instructions, c.idle * instructions_per_tick);
    c.instructions = less(c.instructions, pauses * pause_cost.instructions);
    c.time = less(c.time, pauses * pause_cost.time);
    return c;
}

static void nothing(void) { __asm__ volatile(""); }

static void only_pause(void) {
    pause_count();
    resume_count();
}

static void calibrate(void) {
    struct counts c = measure(nothing, 100000);
    instructions_per_tick = c.instructions / c.time;
    measure(only_pause, 10);
    pause_cost = measure(only_pause, 100);
    pause_cost.instructions /= pauses;
    pause_cost.time /= pauses;
    empty_cost = measure(nothing, 1000);
    empty_cost.instructions /= 1000;
}

/* xv6's printf has no 64-bit conversion that all versions know. */
static char *decimal(uint64 n, char text[24]) {
    char *p = text + 23;
    *p = 0;
    do
        *--p = '0' + n % 10;
    while (n /= 10);
    return p;
}

static void report(const char *key, uint64 instructions, uint64 ns) {
    char a[24], b[24];
    printf("%s %s %s\n", key, decimal(instructions, a), decimal(ns, b));
}
