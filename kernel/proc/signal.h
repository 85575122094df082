/* Signals: what is sent to a process or to one of its threads, and what it has said of each.
 *
 * One is sent under the process's lock (signal.c). What would do nothing is forgotten there; what
 * ends a program that has said nothing kills it there, wherever its threads are; all else stays
 * pending, and a thread that does not block it is told. That one takes it before it returns to user
 * mode (sigdeliver.c): it runs the handler, or stops.
 *
 * A process has a record of signals from its first call on that says something of them; before, all
 * are as by default and nothing is blocked. docs/signals.md is about what programs see. */
#pragma once
#include "lib/abi.h"
#include "proc/proc.h"

/* Who sent one, and what with. */
struct signal_info {
    int32_t code, pid; /* of a timer (ABI_SI_TIMER) its number is in pid, and in uid how often */
    uint32_t uid;      /* it has rung since */
    uint64_t value;    /* of a child, its status; else what it was sent with */
};

struct queued_signal;

/* What a process has said; guarded by its lock. */
struct signals {
    uint64_t page; /* where it has mapped the code that handlers return to; 0: nowhere */
    struct abi_sigaction action[ABI_SIGNALS];
    struct signal_info info[ABI_SIGNALS]; /* of those pending for the process */
    struct queued_signal *queue;          /* sigqueue.h */
    uint32_t queued;
};

static inline bool signal_exists(int32_t signal) { return signal > 0 && signal <= ABI_SIGNALS; }
static inline uint64_t signal_bit(int32_t signal) { return (uint64_t)1 << (signal - 1); }

/* ---- what is said of them, for others to see ---- */

/* A bit for each signal; those that wait for the process and for one thread of it are apart. */
struct signal_masks {
    uint64_t waiting, waiting_thread, blocked, ignored, caught;
};

/* Of the thread with this number, 0: of the first one. -K_ESRCH: there is no such process, and
 * *masks is unchanged; a thread that has ended has none. */
int signal_masks_of(int32_t pid, int32_t tid, struct signal_masks *masks) must_check;

/* ---- sending ---- */

/* To p, whose lock is held; only: to this thread of it; NULL: to any. From interrupt handlers
 * too. */
void signal_post_locked(struct proc *p, struct thread *only, int32_t signal,
                        const struct signal_info *info);

/* As the system calls say; signal 0: to nobody. -K_EINVAL: no such signal; -K_ESRCH: nobody there;
 * -K_EPERM: SIGKILL, to pid 1. */
int signal_send(int32_t pid, int32_t signal) must_check;
/* To a thread of this process. -K_ENOMEM: no memory to know the sender, another process. */
int signal_send_thread(int32_t pid, int32_t tid, int32_t signal) must_check;
/* With what the sender says of it, but for who that is; to a thread of the process, unless
 * tid is 0. Each real-time signal is told, in order. -K_EINVAL, -K_ESRCH, -K_EPERM as above;
 * -K_EAGAIN: too many are waiting (RLIMIT_SIGPENDING), or there is no memory to know it. */
int signal_send_value(int32_t pid, int32_t tid, int32_t signal, int32_t code,
                      uint64_t value) must_check;

/* For a signal that the running program has caused itself, by a fault. True: its handler will run;
 * false: there is none that may, and the program is to end for it. */
bool signal_fault(int32_t signal, int32_t code, uint64_t address) must_check;

/* ---- saying something of them, each for the running thread and process ---- */

/* A process's first handler needs the page that they return to: at page, if it is not 0 and there
 * is none yet. -K_ENOMEM: no record; nothing changed. */
int signal_set_action(int32_t signal, const struct abi_sigaction *action, uint64_t page) must_check;
void signal_get_action(int32_t signal, struct abi_sigaction *action);
uint64_t signal_page_address(void); /* 0: there is none */

/* -K_ENOMEM as above. */
int signal_block(uint64_t mask) must_check;
uint64_t signal_pending(void); /* of those that it blocks */

/* The same for the time of one call that may wait: signal_mask_end, with what that returns, comes
 * back to the mask from before at once, or, after -K_EINTR, when a handler has run or none does.
 * -K_ENOMEM as above: then there is nothing to end. */
int signal_mask_begin(uint64_t mask) must_check;
void signal_mask_end(int err);

/* Blocks these instead until a handler has run: -K_EINTR. */
int signal_suspend(uint64_t mask) must_check;

/* Takes a signal of these that is pending, or sleeps until there is one, which does nothing else
 * then. until: cpu_time; UINT64_MAX: for ever. -K_EAGAIN: there was none till then; -K_EINTR:
 * another signal. */
int signal_wait(uint64_t set, uint64_t until, struct abi_siginfo *info) must_check;
/* The same without waiting, at once: -K_EAGAIN. */
int signal_take_pending(uint64_t set, struct abi_siginfo *info) must_check;

/* Which of these are pending for the running thread; w, unless it is NULL, is told of each signal
 * that becomes so for its process, from before that look on. */
struct watch;
uint64_t signal_look(uint64_t set, struct watch *w);

/* -K_EPERM: it is on that stack now. */
int signal_set_stack(const struct abi_sigstack *stack) must_check;
void signal_get_stack(struct abi_sigstack *stack);

/* ---- before a return to user mode (sigdeliver.c) ---- */

/* A call has ended with an error: -K_EINTR, and its first argument is still in a0; or another one,
 * after which it is not done again, and what it was to wait for is no other call's. */
void signal_call_failed(int err);
/* When a wait that begins now has to end: at `until`; but a call that a signal has interrupted, and
 * that is done again, keeps the end that it had. */
uint64_t signal_resume_until(uint64_t until);

/* Takes signals until a handler is ready to run or there are none; may sleep, and not return. */
void signal_deliver(void);

/* Back from a handler, as the frame at the stack pointer says. A frame that cannot be read ends
 * the process; so does one without a record of signals, if there is no memory for it. */
void signal_return(void);

/* With a thread's record goes who has sent it signals. */
void signal_forget_senders(struct thread *t);

/* A thread that ends may have been told of signals that others can take, and may be the last one
 * that a stop was waiting for. The first with the process's lock, the other without. */
void signal_leave_locked(struct thread *t);
void signal_stop_check(struct proc *p);

/* ---- a process's life ---- */

/* A child, which nobody sees yet, has what the running process and thread have said. -K_ENOMEM. */
int signal_fork(struct thread *child) must_check;
void signal_exec(void);            /* handlers are gone; what is ignored stays so */
void signal_free(struct proc *p);  /* at its end */
void signal_reset(struct proc *p); /* at its birth */

/* Ends or stops with it; p's lock is held. */
void signal_end_locked(struct proc *p, int32_t signal);

/* SIGCHLD for the parent of p; the family lock is held, p's own is not. True: the parent does not
 * want to wait for children. */
bool signal_parent_locked(struct proc *p, int32_t code, int32_t status);
