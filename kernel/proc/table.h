/* The process table, for this layer's own files. */
#pragma once
#include "proc/proc.h"

extern struct proc *procs;      /* proc_slots of them */
extern struct proc *proc_first; /* pid 1 */

/* Guards who is whose child, who has exited, whose terminal is whose, and which group ^C is for. */
extern struct spinlock family_lock;

/* The process with this pid, which may be a zombie, and which this locks; or NULL. */
struct proc *proc_find_and_lock(int32_t pid);

/* group.c. A signal (0: none) for the processes of a group (0: of any) that are not spared; how
 * many there were. The family lock is held, so that nobody is born meanwhile. */
struct signal_info;
uint32_t signal_group_locked(int32_t group, int32_t signal, const struct signal_info *info,
                             bool (*spared)(const struct proc *));
bool spares_first(const struct proc *p);
/* The caller is one more user of a group's number, if the group exists: one that has ended, and not
 * been waited for, is still in it. -K_EPERM: so it is, of a group of another session than its own;
 * -K_ESRCH: there is none. */
int group_hold_locked(int32_t group) must_check;

/* session.c. The running process ends. The family lock is held. */
void proc_leave_session_locked(struct proc *p);
/* The same file. p, or its parent, ends: `shell` is not its parent from here on, or p is no member
 * of its group. SIGHUP and SIGCONT for the group, if one of it has stopped, and nobody is there any
 * more who could continue it. The family lock is held. */
void proc_lose_shell_locked(const struct proc *p, const struct proc *shell);

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
