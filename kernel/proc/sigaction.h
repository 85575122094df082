/* What a signal does to a process, for this layer's own files. */
#pragma once
#include "proc/signal.h"

enum signal_effect { DOES_END, DOES_IGNORE, DOES_STOP, DOES_CONTINUE, DOES_HANDLE };

/* p's lock is held. */
enum signal_effect signal_effect_locked(const struct proc *p, int32_t signal);

#define SIGNALS_THAT_STOP \
    (signal_bit(ABI_SIGSTOP) | signal_bit(ABI_SIGTSTP) | signal_bit(ABI_SIGTTIN) | \
     signal_bit(ABI_SIGTTOU))

/* These are never blocked, ignored or handled. */
#define SIGNALS_SURE (signal_bit(ABI_SIGKILL) | signal_bit(ABI_SIGSTOP))

/* None of these is pending any more, for p, whose lock is held, or one of its threads. */
void signal_forget_locked(struct proc *p, uint64_t bits);

/* Posts it with a record, which the process takes when it has to know more than that the signal is
 * pending: *q is NULL then. Without one (q NULL) it does not know more. -K_EAGAIN: it has as many
 * as it may have; what is known is that the signal is pending. p's lock is held. */
struct queued_signal;
int signal_queue_locked(struct proc *p, struct thread *only, int32_t signal,
                        const struct signal_info *info, struct queued_signal **q);

/* The running process has a record of signals from here on. -K_ENOMEM. */
int signal_need_record(void) must_check;

/* Tells the threads of p, whose lock is held, that do not block a pending signal, or wait for it;
 * all but one may find that it is gone. */
void signal_tell_takers_locked(struct proc *p);
