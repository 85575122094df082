/* Locks that are held across sleeps: disk requests, copies to user memory.
 * A process that waits for one sleeps; kill does not end that wait. */
#pragma once
#include "arch/layout.h"
#include "proc/wait.h"

struct sleeplock {
    struct spinlock guard;
    struct wait_channel freed;
    struct proc *holder; /* NULL when free */
    enum rank rank;
};

/* For one with the name `lock` that stands alone. */
#define SLEEPLOCK_INIT(lock, its_rank) \
    { \
        .guard = SPINLOCK_INIT(RANK_SLEEPLOCK), .freed = {LIST_INIT((lock).freed.sleepers)}, \
        .rank = (its_rank) \
    }

void sleeplock_init(struct sleeplock *lk, enum rank rank);
void sleeplock_acquire(struct sleeplock *lk);
void sleeplock_release(struct sleeplock *lk);    /* by its holder, else a panic */
bool sleeplock_held(const struct sleeplock *lk); /* by the running process */

/* Debug kernels alone do this and the rest. */
#define ASSERT_SLEEPLOCKED(lk) \
    do { \
        if (DEBUG) \
            ASSERT(sleeplock_held(lk)); \
    } while (0)

/* What each process holds, by slot. */
extern struct rank_holder sleep_holders[DEBUG ? NPROC : 1];
void sleep_entered(const void *what, enum rank rank);
void sleep_left(const void *what);
void sleep_expect_nothing(const char *doing);

/* What is no sleeplock, but excludes others as one: said before it is waited for, and after it
 * was given back. Nothing that was taken inside is then held any more, since the end may
 * wait, too. */
static inline void sleep_enter(const void *what, enum rank rank) {
    if (DEBUG)
        sleep_entered(what, rank);
}

static inline void sleep_leave(const void *what) {
    if (DEBUG)
        sleep_left(what);
}

static inline void sleep_expect_none(const char *doing) {
    if (DEBUG)
        sleep_expect_nothing(doing);
}
