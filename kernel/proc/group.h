/* Groups of processes, and what is kept for the session at the console. Whose terminal is whose,
 * and whom ^C is for: session.h. */
#pragma once
#include "proc/proc.h"

struct signal_info;

/* The session at the console: pid 1 (depth 0), and its own children (1), the shell. Whatever else
 * the machine runs, they and what the shell starts (2) find room to look at it and to end it:
 * - the last RESERVE_SLOTS process slots are for forks of depth 0 and 1
 * - the last RESERVE_FRAMES promises for depth 0 and 1; for depth 2 as far as RESERVE_EACH goes, in
 *   its whole life
 * - the last pipes, pseudo-terminals and, of a disk with many inodes, open files (fs/fs.c) for
 *   depth 0 to 2
 * - the front of a run queue (sched.c) for depth 0 to 2, when woken, within bounds
 *
 * What is deeper, as the processes of a bomb that the shell has started, has no part in it. An
 * orphan keeps the depth that it was born with. */
#define RESERVE_SLOTS 8
#define RESERVE_FRAMES 256
#define RESERVE_EACH 96
bool proc_reserve_granted(uint64_t frames, bool taken); /* to the running process */
static inline bool proc_in_reserve(const struct proc *p) { return p->depth <= 2; }

/* A signal, 0 for none, to all of the group but pid 1. -K_ESRCH: there is nobody else in it. */
int proc_signal_group(int32_t group, int32_t signal, const struct signal_info *info) must_check;
/* The same to all that there are, but pid 1 and the running process. */
int proc_signal_all(int32_t signal, const struct signal_info *info) must_check;

/* A process moves itself or a child (pid; 0 is itself) into group, its own pid or 0
 * for a new one. -K_ESRCH: no such process; -K_EPERM: no such group in the caller's session, or the
 * process leads a session or is of another one. */
int proc_set_group(int32_t pid, int32_t group) must_check;

/* The group of a process; pid 0: the running one. -K_ESRCH: there is none. */
int proc_get_group(int32_t pid, int32_t *group) must_check;
/* The pid of the running process's parent; 0: it is the first one. */
int32_t proc_parent(void);
