/* Signals that wait in a row: what is known of each real-time signal that is pending, and of any
 * that was sent to one thread with a value. The set of pending signals says that there is one; a
 * record here, of which there may be several for a real-time signal, in the order in which they
 * came, what it carries. A signal may be pending without one: there was no memory, or no need.
 *
 * All of it is guarded by the process's lock. */
#pragma once
#include "proc/signal.h"

#define SIGNALS_QUEUED 1024U /* records that one process can have at most */

struct queued_signal {
    struct queued_signal *next;
    const struct thread *only; /* that it was sent to; NULL: the process */
    int32_t signal;
    struct signal_info info;
    struct ptimer *timer; /* that has sent it, and gets the record back; NULL: none */
};

static inline bool signal_is_realtime(int32_t signal) { return signal >= 32; }

/* One that is nobody's yet; NULL: no memory. */
struct queued_signal *signal_queued_make(void);
void signal_queued_give(struct queued_signal *q);

/* Behind all others. The process has a record of signals. */
void queue_add_locked(struct proc *p, struct queued_signal *q);
/* Takes the first one of a signal to `only`. True: there was one, and *info is what it carries;
 * *more: there is another one. */
bool queue_take_locked(struct proc *p, const struct thread *only, int32_t signal,
                       struct signal_info *info, bool *more);
/* The record that is a timer's stays without it, and is nobody's then. */
void queue_leave_timer_locked(struct proc *p, const struct ptimer *timer);
/* Forgets those of these signals; of one thread alone, unless it is NULL. */
void queue_forget_locked(struct proc *p, uint64_t bits, const struct thread *only);
