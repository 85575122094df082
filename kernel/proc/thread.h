/* Threads: flows of control in a process. Each has a kernel stack (KSTACK), a trapframe page and
 * floating-point registers of its own; memory, files and all else are the process's. A process has
 * at least one, and that is all that most have.
 *
 * A thread belongs to its process for life. Its record lasts until it has left its kernel stack for
 * the last time: then whoever runs next on that hart buries it; but the last one of a process stays
 * for the parent, with the process. Others find a thread among its process's, under the process's
 * lock, or on a wait channel, under the lock of that channel: so it is there while they look. */
#pragma once
#include "arch/context.h"
#include "arch/hart.h"
#include "lib/abi.h"
#include "lib/list.h"
#include "mm/userword.h"
#include "proc/alarm.h"
#include "proc/wait.h"
#include "sync/rank.h"
#include "sync/spinlock.h"

struct proc;
struct uaccess_window;

/* What a thread waits for in futex_wait (futex.c); in its record, since a kernel stack is mapped
 * for its own process alone. */
struct futex_bucket;
struct futex_waiter {
    /* Under the lock of the bucket, which changes under the locks of both. */
    struct futex_bucket *bucket;
    struct list link;
    struct user_word word; /* what NULL: for none */
    uint32_t bits;         /* what it is woken for; of a lock that knows its owner, that one */
    uint32_t number;       /* in the order in which they came; likewise, an owner that has ended */

    struct spinlock lock;
    bool woken;
    struct wait_channel channel; /* it alone sleeps there */
};
void futex_waiter_init(struct futex_waiter *w);

enum thread_state {
    T_NEW,
    T_RUNNABLE,
    T_RUNNING,
    T_SLEEPING,
    T_DEAD,  /* to be buried when it has left its stack */
    T_ZOMBIE /* the last one of a process that has ended */
};

/* Why a thread has something to do before it returns to user mode. */
#define THREAD_KILLED 1U /* it ends */
#define THREAD_SIGNAL 2U /* there may be a signal for it, or its process stops */

/* The signals of one thread; guarded by the process's lock, but for what only it uses. */
struct thread_signals {
    uint64_t blocked;
    uint64_t pending; /* sent to it and no other */
    uint64_t awaited; /* it sleeps until one of these is there (signal_wait) */
    /* Its own. */
    uint64_t blocked_before; /* in sigsuspend, when it has to come back to it */
    bool suspended;
    bool interrupted;      /* its call has ended early for a signal */
    uint64_t call_a0;      /* which had this in a0 */
    uint64_t resume_until; /* it will be done again, and was to end then; 0: nothing of the kind */
    struct abi_sigstack stack;
    struct {
        int32_t signal; /* 0: none */
        int32_t code;
        uint64_t address;
    } fault;
};

/* What a thread does with its program's memory when it ends; see endwords.h. Its own. */
struct end_words {
    uint64_t cleared; /* a word that becomes 0, and one who waits for it is woken; 0: none */
    uint64_t robust;  /* a list of locks that it may have; 0: none */
};

struct thread {
    /* Constant in its life, but that exec gives it its process's pid. */
    struct proc *proc;
    int32_t tid;          /* nobody else has it (ids.h): a program's first thread has its pid */
    uint32_t stack;       /* KSTACK(stack) */
    struct trapframe *tf; /* through the direct map */

    struct list in_process; /* proc.threads; the process's lock */

    struct spinlock lock; /* guards state, reasons, told below */
    /* Between RUNNABLE and RUNNING it is changed without the lock, by the hart that has taken the
     * thread from a queue or runs it; so all others treat these two as one. */
    enum thread_state state;
    uint32_t reasons; /* THREAD_...: not to return to user mode at once, and to end sleeps early */

    struct thread_signals signals;

    /* Of the hart that runs it, or has it in its queue. */
    struct list run_link; /* in a hart's queue, when runnable */
    bool jumps;           /* it went to the queue's front */
    bool on_hart;         /* its kernel stack is in use: not to be switched to yet; atomic */
    uint32_t hart;        /* runs there, or ran there last */

    /* Its own, touched by itself alone while it runs. */
    struct list wait_link; /* on the channel it sleeps on, under that channel's lock */
    struct futex_waiter futex;
    struct end_words end_words;
    char name[16]; /* empty: its process's */
    /* Which processes sent what is in signals.pending, by number; under its process's lock. NULL:
     * no other one than its own has ever sent it a signal for itself. */
    int32_t *sent_by;
    struct alarm alarm;
    bool alarm_rang;   /* since it was set; atomic */
    bool alarm_untold; /* and no sleep has ended early for it; the thread's lock */
    bool told;         /* a sleep has ended early since the last reason came; likewise */
    uint8_t slice;     /* whether somebody else should run (sched.c); set on its own hart */
    bool lends;        /* a child that it has made runs in its process's space; the family lock */
    bool fpu_used;
    bool gone;          /* it has left its locks (futexpi.c); its process's lock */
    uint64_t trapframe; /* where the user's table has tf; changed by exec */
    union {
        void (*entry)(void); /* pid 1: what to do before user mode; the kernel's own: all they do */
        const struct uaccess_window *window; /* from then on: uaccess.h */
    };
    uint64_t own_number_at; /* birth's, until it is in user mode */
    uint64_t time_since;    /* cpu_time when it was switched to, while on_hart; atomic */
    uint64_t time_used;     /* cpu_time in which it ran before that */
#if DEBUG
    struct rank_holder holds; /* sleeplocks and their like */
#endif

    /* What is not zero in a new one, or means nothing yet. */
    struct context context; /* where swtch comes back to */
    struct fpu_state fpu;   /* if fpu_used */
};

/* What runs on this hart; NULL in the scheduler and at boot. */
static inline struct thread *thread_self(void) { return hart_self()->thread; }

/* A thread of p in state NEW, with a trapframe and a kernel stack, which no table of p's maps yet;
 * tid and the trapframe's kernel_satp are the caller's to set, as is to make it one of p's
 * threads. -K_ENOMEM, -K_EAGAIN (kstack.h): nothing was taken. */
int thread_new(struct proc *p, struct thread **out) must_check;

/* Gives back a thread that nobody runs and its process has no more. */
void thread_free(struct thread *t);

/* A thread of the running process, which starts in user mode at entry with arg in a0, its stack
 * pointer at sp and its thread pointer tp; all other registers but gp, which is the caller's, are
 * 0. -K_ENOMEM: as thread_new; -K_EAGAIN: there are as many as there can be; -K_EINTR: the process
 * is ending. Nothing changed. */
int thread_create(uint64_t entry, uint64_t arg, uint64_t sp, uint64_t tp, int32_t *tid) must_check;

/* What of the start of the running thread's copy, which fork or thread_clone makes, is not as it is
 * there; 0: as there. */
struct birth {
    uint64_t sp, tp;
    /* A word of its own memory that gets its number before it is in user mode; likewise. 0: none.
     */
    uint64_t own_number_at;
    /* A word of the running thread's memory that gets the copy's number before that one runs; one
     * that cannot be written is the program's mistake, and not told. 0: none. */
    uint64_t number_at;
    uint64_t cleared; /* end_words; 0: none */
    bool borrows;     /* a process: runs in its parent's space (proc_fork) */
};

/* A thread of the running process that goes on where the running one does, with 0 in a0, the same
 * floating-point registers and signals blocked. Errors as above. */
int thread_clone(const struct birth *birth, int32_t *tid) must_check;

/* For proc.c: t, which nobody runs and which has its number, goes on where the running thread
 * does. May sleep. */
void thread_copy(struct thread *t, const struct birth *birth);

/* From NEW to a queue. */
void thread_start(struct thread *t);

/* The running thread's window for copies; NULL: it has none. */
const struct uaccess_window *thread_window(void);

/* Lets other threads run. */
void thread_yield(void);

/* Ends the running thread; the last one ends the process, with this status, or -1 if it was
 * killed. */
void thread_exit(int32_t status) never_returns;

/* Ends all threads of the running process but the running one, wherever they run or sleep, and
 * returns when they have gone. -K_EINTR: another one does that, or exits; the caller is to end. */
int thread_be_alone(void) must_check;

/* Gives t, whose process's lock is held, one more of THREAD_...: it has to do something about it
 * before it returns to user mode, and one sleep ends early. If it is in user mode on another hart,
 * that one is interrupted. */
void thread_tell(struct thread *t, uint32_t reason);

/* Tells all threads of p, whose lock is held: some now, and these tell the others. */
void thread_tell_all_locked(struct proc *p, uint32_t reason);
/* What each does first that was told. No lock is held. */
void thread_tell_more(struct proc *p);

/* It is none of its process's any more, whose lock is held. */
void thread_leave_process_locked(struct thread *t);

/* For sched.c: gives back a DEAD thread that has left its stack. */
void thread_bury(struct thread *t);

/* The running thread has executed a floating-point instruction while it had no floating-point
 * state; true: it has now. */
bool thread_fpu_first_use(void);
extern bool thread_fpu_present; /* false: what uses floating point is killed */
void thread_fpu_reset(void);    /* exec: no state again */
/* The running thread has the state now that is in its record; none, where there is no floating
 * point. */
void thread_fpu_set(void);
void thread_fpu_save(void); /* brings its record up to date */

/* Implemented by the trap layer: where the trampoline enters the kernel (returns what its way back
 * needs), and the way into user mode from the trapframe. */
struct user_view trap_user(void);
void thread_return_to_user(void) never_returns;
