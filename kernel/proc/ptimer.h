/* Timers that a process has by number, as POSIX has them: each sends the process, or one of its
 * threads, a signal when a clock has come to a time, and every so often from then on. fork does not
 * hand them on, and exec ends them.
 *
 * A timer has at most one signal pending, and has its record from the beginning (sigqueue.h), so a
 * ring needs no memory. What it would have rung meanwhile is counted: from the time, so that it
 * need not ring for that. However short its interval is, it rings a thousand times a second at
 * most, and more and more seldom, down to sixty times, while nobody takes its signal. */
#pragma once
#include "proc/alarm.h"

#define PTIMERS_MOST 64 /* of one process */

enum ptimer_clock {
    PTIMER_SINCE_BOOT,
    PTIMER_BY_DATE,
    PTIMER_OF_PROCESS, /* the time in which it ran: looked at once in a slice, while it runs */
    PTIMER_OF_THREAD,
};

struct ptimer_wish {
    enum ptimer_clock clock;
    int32_t clock_tid; /* of the thread whose time it is */
    int32_t signal;    /* 0: it only runs */
    int32_t tid;       /* the thread that gets it; 0: the process */
    bool tells_number; /* its number is the value */
    uint64_t value;
};

/* Each is of the running process. -K_EINVAL: there is no such timer, but for the first.
 *
 * One that does not run. -K_EINVAL: the process has no such thread; -K_EAGAIN: it has as many
 * timers as it may have, or there is no memory. */
int ptimer_make(const struct ptimer_wish *w, int32_t *id) must_check;
/* It runs so from now on. absolute: first is a time by its clock. *before: how it ran. What is
 * pending stays so. */
int ptimer_set(int32_t id, const struct timer_setting *s, bool absolute,
               struct timer_setting *before) must_check;
int ptimer_get(int32_t id, struct timer_setting *now) must_check;
/* How often it had rung since, when its signal was taken the last time. */
int ptimer_overruns(int32_t id, uint32_t *n) must_check;
/* What is pending stays so. */
int ptimer_delete(int32_t id) must_check;

/* p, the running process, is ending, or another program: it has none from then on. */
struct proc;
void ptimers_end(struct proc *p);
/* From the clock's interrupt, on a hart that runs p, whose lock is held. */
void ptimers_tick_locked(struct proc *p);

/* For sigqueue.c, under the process's lock: its signal was taken, or forgotten; and the overruns
 * then. */
struct ptimer;
struct queued_signal;
void ptimer_heard_locked(struct ptimer *t, struct queued_signal *record);
uint32_t ptimer_overruns_locked(const struct ptimer *t);
