/* What processes have used: time of harts, faults, memory. */
#pragma once
#include "lib/types.h"

struct proc;

struct usage {
    uint64_t time;   /* cpu_time in which its threads ran */
    uint64_t faults; /* page faults that were repaired, in all programs that it was */
    uint64_t peak;   /* pages of 4 KiB that it had at a time, at most; of several: the largest */
};

/* Of the running process, up to now. */
struct usage usage_self(void);
/* Of the children that it has waited for, with what those have waited for. */
struct usage usage_children(void);
/* cpu_time in which the running thread ran, up to now. */
uint64_t usage_thread_time(void);

/* The same of another process, or of a thread of the running one; 0: of itself. -K_ESRCH. */
int usage_of_process(int32_t pid, uint64_t *time) must_check;
int usage_of_thread(int32_t tid, uint64_t *time) must_check;

/* cpu_time of a process's threads, up to now: never less than was told before. Its lock is held. */
uint64_t usage_time_locked(struct proc *p);

/* The same of one of its threads. -K_ESRCH: there is no such thread. */
int usage_thread_time_locked(struct proc *p, int32_t tid, uint64_t *time) must_check;

/* What wait tells of a child that has ended: its own, and its children's. The family lock is held.
 */
struct usage usage_of_child_locked(struct proc *child);
/* The same, when no thread of the child's is on a hart any more: the parent has it now. */
void usage_inherit_locked(struct proc *parent, const struct proc *child);
