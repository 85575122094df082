/* Interval timers: SIGALRM for a process after a time, and every so often from then on. One a
 * process, which fork does not hand on and exec keeps. However short its interval is, a thousand
 * rings a second are the most. */
#pragma once
#include "proc/proc.h"

/* Of the running process: first is how far away the next ring is, in cpu_time; 0: there is none.
 * What it was before comes back in both. */
void itimer_set(uint64_t *first, uint64_t *every);
void itimer_get(uint64_t *first, uint64_t *every);

/* p is ending. */
void itimer_stop(struct proc *p);
