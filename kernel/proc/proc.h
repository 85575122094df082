/* Processes: the table, and what happens to one from fork to wait. */
#pragma once
#include "arch/layout.h"
#include "lib/abi.h"
#include "lib/list.h"
#include "mm/aspace.h"
#include "proc/fdtable.h"
#include "proc/interface.h"
#include "proc/thread.h"
#include "proc/usage.h"
#include "proc/watch.h"

enum proc_state { P_FREE, P_NEW, P_LIVE, P_ZOMBIE };

/* A program's arguments as exec has put them into its memory, each terminated and padded with zeros
 * to a multiple of 16 bytes; what it has made of them since, it has. */
struct proc_strings {
    uint64_t start, end;
};

/* What a process might do, and does not want to, a bit for each capability: not now, and never
 * again. Nothing asks for it: it is kept, told, and handed on by fork; a new program has all. */
struct caps {
    uint64_t left_out, given_up;
    uint64_t inheritable;
};

struct proc {
    /* Constant after boot. */
    uint32_t slot; /* index in the table */

    /* Guards state, pid, group, session, killed, as, threads and what follows up to the next blank
     * line. */
    struct spinlock lock;
    enum proc_state state;
    int32_t pid;   /* 0: none, free, or the kernel's own */
    int32_t group; /* the pid that its first process has or had; fork hands it on */
    int32_t
        session; /* the same of its session (session.h), which the process itself alone changes */
    bool killed;
    int32_t end_signal; /* what killed it */
    bool stopped;       /* by stop_signal: its threads stop before they return to user mode */
    int32_t stop_signal;
    uint32_t halted; /* threads that have */
    struct wait_channel continued;
    uint64_t signals_pending; /* for any of its threads */
    struct signals *signals;  /* what it has said of them; NULL: nothing */
    struct limits *limits;    /* NULL: those of all; once it has them, it keeps them; atomic */
    struct list threads;      /* thread.in_process */
    uint32_t thread_count;    /* of these; it is 1 again when all others are buried */
    uint32_t living;          /* of these: have not ended */
    struct thread *alone;     /* ends all others; NULL: nobody does */
    struct list *untold; /* of threads, the first one that is yet to be told (thread_tell_all) */
    uint32_t untold_reasons;
    struct wait_channel buried;
    uint64_t time_told; /* the most that usage_time_locked has said */

    /* Guarded by the family lock (proc.c). */
    struct proc *parent;
    struct list children; /* sibling */
    struct list sibling;
    struct wait_channel child_exited;
    bool exited;           /* for wait to find */
    bool waited_for;       /* by a thread of the parent that has found it */
    int32_t status;        /* for wait, when it has exited */
    struct thread *lender; /* of the parent's, which sleeps; NULL: its space is its own */
    int32_t tells; /* that it has (ABI_CLD_STOPPED, _CONTINUED), and nobody was told yet; or 0 */
    bool manages_jobs; /* a shell with a prompt: ^C is not for it; exec ends that */
    struct usage children_used;
    bool no_terminal; /* it has left that of its session; fork hands it on */

    /* Constant from fork on: 0 for pid 1, 1 for its own children, 2 for theirs, 3; see group.h. */
    uint32_t depth;

    uint32_t reserve_left;             /* frames of the reserve that it may still take; atomic */
    struct aspace *as;                 /* the one in use: one of the two below, or the lender's */
    struct aspace spaces[2];           /* exec builds in the other */
    const struct design *design;       /* of the space that the next exec makes */
    const struct interface *interface; /* of its program: exec's to set. NULL: none has run */
    uint64_t time_used;                /* cpu_time ticks; atomic */
    struct interval interval;          /* itimer.c's, and the two below, under the lock */
    struct run_interval run_intervals[2];
    bool runs_timed;                /* one of them is set; atomic */
    struct ptimer *ptimers;         /* ptimer.c's */
    bool ptimers_run;               /* one of these goes by that time, too; atomic */
    struct watched watched;         /* ended.c's */
    struct watched watched_before;  /* those who were told, of this one and earlier ones here */
    struct watched signals_watched; /* which are pending; under the process's lock */
    struct fdtable fds;             /* vfs's */
    char name[16];
    char program[ABI_MAXPATH]; /* its path from the root, terminated; empty: not known */
    struct proc_strings arguments;
    /* Permissions that its new files do not get, in interfaces that have them; atomic. */
    uint32_t umask;
    /* Of interfaces, too: what a program says of itself and only asks for again, which fork hands
     * on; and the signal for the end of the parent, or 0, which it does not. Both atomic. */
    uint32_t noted;
#define NOTED_FOR_EVER 4U /* of it: a new program keeps it */
    int32_t orphan_signal;
    struct caps caps;       /* under the lock */
    bool undoes_semaphores; /* at its end; under the lock of these */
};

/* That of the thread that runs on this hart; NULL in the scheduler and at boot. */
static inline struct proc *proc_self(void) { return hart_self()->proc; }

/* Boot: makes the table, by how much RAM there is. A machine too small for it is a panic. */
void proc_init(uint64_t ram_bytes);

/* The table's length, with the kernel's own: constant after boot. */
extern uint32_t proc_slots;
#define PROCS_MAX 960UL /* it is no longer */
#define PROCS_KERNEL 1  /* of these */

/* Makes pid 1 runnable; it starts in the kernel at entry, which does not return
 * but ends in thread_return_to_user(). Once, at boot. */
int proc_spawn_first(void (*entry)(void)) must_check;

/* Makes a process of the kernel's own runnable, which has no user memory and runs entry; entry
 * does not return. It has no pid and no parent, so nobody sees, kills or waits for it; its slot is
 * not one of the users'. At boot; at most PROCS_KERNEL. */
int proc_spawn_kernel(const char *name, void (*entry)(void)) must_check;

/* Each is what its system call says. On error nothing changed. */
/* -K_EAGAIN: no slot; -K_ENOMEM. birth->borrows: the child has no copy of the memory, but runs in
 * the caller's space, with one thread, until it execs or ends; till then the caller sleeps. If it
 * is killed meanwhile, the child is, too. */
int proc_fork(const struct birth *birth, int32_t *pid) must_check;
/* Ends the other threads first, and waits for them. When one of them does the same and was first,
 * this ends the running thread alone. */
void proc_exit(int32_t status) never_returns;
int proc_kill(int32_t pid) must_check;           /* -K_ESRCH; -K_EPERM: pid 1. A zombie stays one.
                                                  * pid < -1: all of group -pid but pid 1 */
int proc_sleep_ticks(uint64_t ticks) must_check; /* -K_EINTR */
int proc_sleep_until(uint64_t when) must_check;  /* cpu_time: -K_EINTR */
int proc_pause(void) must_check;                 /* until a signal: -K_EINTR */

/* Puts p's other space, loaded, in place of the one in use, which is destroyed;
 * p is the running process, and has one thread. Cannot fail: exec's commit point. */
void proc_replace_space(struct proc *p);
/* The space that is not in use, created for p. -K_ENOMEM: nothing was taken. */
int proc_spare_space(struct proc *p, struct aspace **out) must_check;

/* Ends the running process, for a signal. */
void proc_end_for(int32_t signal) never_returns;

/* What wait finds of a child. */
struct child_news {
    struct proc *child; /* NULL: nothing yet, with ABI_WNOHANG */
    bool exited;        /* else it has stopped or continued */
    int32_t pid;
    int32_t status;    /* as exit was given it, -1 if it was killed; for xv6's wait */
    int32_t word;      /* packed; for waitpid */
    struct usage used; /* when it has exited: by it and its children */
};

/* Sleeps until there is news of a child: with this pid; of the caller's group, 0; of group -pid;
 * of any, -1. options: ABI_WNOHANG and so on; PROC_WAIT_LIVING: an end is no news; and
 * PROC_WAIT_KEEPS: it stays news, for this and any other thread, and news->child only says that
 * there is some. Else a child that has exited stays a zombie until the caller reaps it, or, as
 * other news, lets another wait have it; nobody else can do that. -K_ECHILD: there is no such
 * child. -K_EINTR. */
#define PROC_WAIT_LIVING 0x10000U
#define PROC_WAIT_KEEPS 0x20000U
int proc_wait(int32_t pid, unsigned options, struct child_news *news) must_check;
void proc_reap(struct proc *child);
void proc_wait_again(const struct child_news *news);

/* Implemented by the init layer: what becomes of a machine whose pid 1 has ended. */
void proc_first_ended(int32_t status) never_returns;

/* Boot argument trace=exit: one console line for every command of the first shell
 * that ends. */
extern bool proc_trace_exits;

/* Boot argument trace=poweroff: one console line for a program's order to end the machine,
 * by which a tool tells it from every other end. */
extern bool proc_trace_poweroff;

/* One line a process, on the console (^P). */
void proc_dump(void);

/* Fills in what the table knows of a slot. -K_EINVAL no such slot, -K_ENOENT free. */
int proc_info(uint32_t slot, struct abi_procinfo *out) must_check;

/* The path of a process's program, as exec or a script gave it; empty: it did not begin at the
 * root, or is too long. -K_ESRCH: no such process. */
int proc_program(int32_t pid, char path[ABI_MAXPATH]) must_check;

/* Where a process's arguments are. -K_ESRCH: no such process. */
int proc_arguments(int32_t pid, struct proc_strings *out) must_check;

/* What others may know of a thread. */
struct thread_about {
    int32_t tid;
    enum abi_procstate state;
    uint32_t hart;
    char name[16];
};

/* The thread of a process with the lowest number that is not below `from`. -K_ESRCH: there is none.
 */
int proc_thread(int32_t pid, int32_t from, struct thread_about *out) must_check;

/* What a process has open, which this locks: see descriptor.h for who may look. NULL: no such
 * process. */
struct fdtable *proc_lock_files(int32_t pid) must_check;

/* What a process has given up. -K_ESRCH: there is none. */
int proc_caps(int32_t pid, struct caps *out) must_check;
/* Of the running one. -K_EPERM: it would get back what it has given up. */
int proc_set_caps(const struct caps *c) must_check;

/* The memory of a process, which this locks: to be looked at, also while the process runs on
 * another hart, or is a zombie. pid 0 is the running one. NULL: no such process. */
struct aspace *proc_lock_space(int32_t pid) must_check;

/* Slots in use, of the users'. */
uint32_t proc_count(void);

/* Implemented by vfs: a child, which has none, gets its parent's open files and current
 * directory (-K_ENOMEM: it has none still); a dying process, which may sleep here, gives its own
 * back. */
int proc_files_clone(struct proc *child, struct proc *parent) must_check;
void proc_files_drop(struct proc *p);
