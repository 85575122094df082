/* Interval timers: a signal for a process after a time, and every so often from then on. A process
 * has three, which fork does not hand on and exec keeps: SIGALRM by the time on the clock, and
 * SIGVTALRM and SIGPROF by the time in which its threads ran. The two are the same time, since what
 * the kernel does for a process is its own; they are looked at once in a slice, while it
 * runs. However short its interval is, a thousand rings a second are the most. */
#pragma once
#include "proc/proc.h"

/* Of the running process; which is ABI_ITIMER_.... first is how far away the next ring is, in
 * cpu_time; 0: there is none. What it was before comes back in both. */
void itimer_set(unsigned which, uint64_t *first, uint64_t *every);
void itimer_get(unsigned which, uint64_t *first, uint64_t *every);

/* From the clock's interrupt, on the hart that runs the process. */
void itimer_tick(void);

/* p is ending. */
void itimer_stop(struct proc *p);
