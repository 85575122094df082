/* Who runs where. Each hart has a queue of runnable processes; an idle hart takes
 * from the others' queues, else it sleeps until an interrupt.
 *
 * A process stands in at most one queue, and never while its kernel stack is in
 * use: a process that yields is queued by its successor, and a waker waits until the
 * process has switched away. So a queued process can be switched to at once. */
#pragma once
#include "proc/proc.h"

void sched_init(void);

/* The hart's own life: runs processes, sleeps when there are none. */
void sched_idle(void) never_returns;

/* Makes p, in state SLEEPING or NEW under its lock, runnable: state RUNNABLE, in
 * a queue. Gives p's lock back. */
void sched_ready(struct proc *p);

/* Leaves the running process, whose state (SLEEPING or ZOMBIE) is set and whose
 * lock is free. Returns when it runs again; for a zombie never. */
void sched_leave(void);

/* From the timer interrupt: sets the running process's slice_over when others wait. */
void sched_tick(void);

/* A process's first own instructions in the kernel end the switch to it. */
void sched_started(void);

/* In the middle of long work (mm/pieces.h): what a return to user mode would do for others. Takes
 * the interrupts that wait, and lets others run if the slice is over. No spinlock is held. */
void sched_break(void);

/* How long harts have waited for something to do, in all, in ticks of cpu_time. */
uint64_t sched_idle_time(void);
