/* The process table, for this layer's own files. */
#pragma once
#include "proc/proc.h"

extern struct proc *procs;      /* proc_slots of them */
extern struct proc *proc_first; /* pid 1 */

/* Guards who is whose child, who has exited, and which group ^C is for. */
extern struct spinlock family_lock;

/* The process with this pid, which may be a zombie, and which this locks; or NULL. */
struct proc *proc_find_and_lock(int32_t pid);

/* Gives back everything that the process of t, its only thread, still has. That one's hart has left
 * its table and stack. */
void proc_free(struct thread *t);
