/* Who runs where. Each hart has a queue of runnable threads; an idle hart takes
 * from the others' queues, else it sleeps until an interrupt.
 *
 * A thread stands in at most one queue, and never while its kernel stack is in
 * use: a thread that yields is queued by its successor, and a waker waits until the
 * thread has switched away. So a queued thread can be switched to at once. */
#pragma once
#include "proc/thread.h"

void sched_init(void);

/* The hart's own life: runs threads, sleeps when there are none. */
void sched_idle(void) never_returns;

/* Makes t, in state SLEEPING or NEW under its lock, runnable: state RUNNABLE, in
 * a queue. Gives t's lock back. */
void sched_ready(struct thread *t);

/* After t was given a reason not to stay in user mode: if another hart runs it, that one takes an
 * interrupt, and so looks at the reasons at once. */
void sched_disturb(const struct thread *t);

/* Leaves the running thread, whose state (SLEEPING or ZOMBIE) is set and whose
 * lock is free. Returns when it runs again; for one that has ended never. */
void sched_leave(void);
/* The same for one whose state is DEAD: it is buried when its stack is out of use. */
void sched_leave_for_good(void) never_returns;

/* From the timer interrupt: the running thread's slice is over when others wait. */
void sched_tick(void);

/* Before a return to user mode: lets others run if they should. */
void sched_rest(void);

/* A thread's first own instructions in the kernel end the switch to it. */
void sched_started(void);

/* In the middle of long work (mm/pieces.h): what a return to user mode would do for others. Takes
 * the interrupts that wait, and lets others run if the slice is over. No spinlock is held. */
void sched_break(void);

/* How long harts have waited for something to do, in all, in ticks of cpu_time. */
uint64_t sched_idle_time(void);
