/* Locks that are held across sleeps: disk requests, copies to user memory.
 * A process that waits for one sleeps; kill does not end that wait. */
#pragma once
#include "proc/wait.h"

struct sleeplock {
    struct spinlock guard;
    struct wait_channel freed;
    struct proc *holder; /* NULL when free */
    const char *name;
};

/* For one with the name `lock` that stands alone. */
#define SLEEPLOCK_INIT(lock, lock_name) \
    { \
        .guard = SPINLOCK_INIT(lock_name), .freed = {LIST_INIT((lock).freed.sleepers)}, \
        .name = (lock_name) \
    }

void sleeplock_init(struct sleeplock *lk, const char *name);
void sleeplock_acquire(struct sleeplock *lk);
void sleeplock_release(struct sleeplock *lk); /* by its holder, else a panic */
