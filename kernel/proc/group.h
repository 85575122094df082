/* Groups of processes, whom ^C is for, and what is kept for the session. */
#pragma once
#include "proc/proc.h"

struct signal_info;

/* The session: pid 1 (depth 0), and its own children (1), the shell. Whatever else the
 * machine runs, they and what the shell starts (2) find room to look at it and to end it:
 *     the last RESERVE_SLOTS process slots   are for forks of depth 0 and 1
 *     the last RESERVE_FRAMES promises       for depth 0 and 1; for depth 2 as far as
 *                                            RESERVE_EACH goes, in its whole life
 *     the last pipes and, of a disk with many inodes, open files (fs/fs.c)   for depth 0 to 2
 *     the front of a run queue (sched.c)     for depth 0 to 2, when woken, within bounds
 * What is deeper, as the processes of a bomb that the shell has started, has no part in it.
 * An orphan keeps the depth that it was born with. */
#define RESERVE_SLOTS 8
#define RESERVE_FRAMES 256
#define RESERVE_EACH 96
bool proc_reserve_granted(uint64_t frames, bool taken); /* to the running process */
static inline bool proc_in_reserve(const struct proc *p) { return p->depth <= 2; }

/* A signal, 0 for none, to all of the group but pid 1. -K_ESRCH: there is nobody else in it. */
int proc_signal_group(int32_t group, int32_t signal, const struct signal_info *info) must_check;

/* A process moves itself or a child (pid; 0 is itself) into group, its own pid or 0
 * for a new one. -K_ESRCH: no such process; -K_EPERM: no such group. */
int proc_set_group(int32_t pid, int32_t group) must_check;

/* The group of a process; pid 0: the running one. -K_ESRCH: there is none. */
int proc_get_group(int32_t pid, int32_t *group) must_check;
/* The pid of the running process's parent; 0: it is the first one. */
int32_t proc_parent(void);
/* The foreground; the caller's own group, when nobody has named one. */
int32_t proc_foreground(void);

/* Makes a group the foreground, whom ^C is for. manages: the caller is a shell that manages jobs,
 * and ^C is never for it from now on. *interrupted: whether ^C was sent to somebody since the last
 * call. -K_ESRCH: there is nobody in that group. */
int proc_set_foreground(int32_t group, bool manages, bool *interrupted) must_check;

/* A shell has ended, and the next one may not know of groups: none is in the foreground.
 * The family lock is held. */
void proc_forget_foreground_locked(void);

/* For a process that uses the console, which those in the background may not: another group is in
 * the foreground, and it is not of the session. Its group gets signal, SIGTTIN or SIGTTOU:
 * -K_EINTR, and when somebody continues it the call is made again. -K_EIO: it ignores or blocks
 * SIGTTIN; or no parent is there who could continue it. 0: it goes on, as one that ignores or
 * blocks SIGTTOU does. */
int proc_from_background(int32_t signal) must_check;

/* ^C and ^Z: SIGINT or SIGTSTP for the processes of the foreground group, but for the session and
 * processes that manage jobs, unless they handle SIGINT themselves. When no group was ever named,
 * or the shell that named it has gone, SIGINT is for all but the session, and SIGTSTP for nobody,
 * since nobody would continue it.
 * ^\: SIGQUIT for all but the session. One that was stopped continues with SIGINT and SIGQUIT.
 * From an interrupt handler, no lock held. */
void proc_interrupt(int32_t signal);
