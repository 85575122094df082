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

/* Tells the threads of p, whose lock is held, that do not block a pending signal, or wait for it;
 * all but one may find that it is gone. */
void signal_tell_takers_locked(struct proc *p);
