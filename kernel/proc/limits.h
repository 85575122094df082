/* Limits of what a process may use (setrlimit of POSIX). What the kernel heeds are the number of
 * open files, that of signals that wait in a row (sigqueue.h) and, when exec makes one for a
 * program of Linux, the size of the stack. All others are kept and told: memory is limited by
 * promises (commit.h), which no process can overdraw. */
#pragma once
#include "lib/types.h"

/* As programs of Linux number them. */
enum { LIMIT_STACK = 3, LIMIT_FILES = 7, LIMIT_SIGNALS = 11, LIMITS = 16 };

#define LIMIT_NONE UINT64_MAX

struct limit {
    uint64_t soft, hard; /* what counts, and up to where it may be raised */
};

struct limits {
    struct limit of[LIMITS];
};

struct proc;

/* Of a process; pid 0: the running one. *old becomes what it was, unless old is NULL; set NULL:
 * nothing changes. Everybody may raise a hard limit, as one user is all. -K_EINVAL: there is no
 * such limit, or soft > hard; -K_EPERM: more files than a process can have; -K_ESRCH; -K_ENOMEM.
 * After an error nothing changed. */
int limit_change(int32_t pid, unsigned which, const struct limit *set,
                 struct limit *old) must_check;

/* What counts now, of a process whose lock is held. */
uint64_t limit_soft_locked(const struct proc *p, unsigned which);

/* The stack of a program of Linux that the running process is going to be: bytes, whole pages. */
uint64_t limit_stack_bytes(void);

/* fork: a child that does not run yet gets its parent's. -K_ENOMEM: nothing changed. */
int limits_fork(struct proc *child, struct proc *parent) must_check;
/* Of a process that nobody finds any more. */
void limits_free(struct proc *p);
