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

/* The running thread, the only one of p, goes on in this space of p's, and has left the one before:
 * both have its kernel stack at the same address. */
void proc_enter_space(struct proc *p, struct aspace *as);

/* lend.c. t, the thread of a new child that nobody sees yet, is to run in the running process's
 * space. -K_ENOMEM: nothing changed. */
int proc_borrow_space(struct thread *t) must_check;
/* p, the running process, which has one thread, leaves a space that is its parent's, if it runs in
 * one: for its own, which is empty. */
void proc_return_space(struct proc *p);
/* Until the child does so. */
void proc_wait_for_space(struct proc *child);
