/* Locks that are held across sleeps: disk requests, copies to user memory.
 * A thread that waits for one sleeps; kill does not end that wait.
 *
 * One that nobody waits for is taken and given back without the guard. Whoever waits says so before
 * looking at the holder, and whoever gives the lock back looks for waiters afterwards: one of the
 * two sees the other. */
#pragma once
#include "proc/thread.h"
#include "proc/wait.h"

struct sleeplock {
    struct spinlock guard; /* of those who wait */
    struct wait_channel freed;
    uint32_t waiting;
    enum rank rank;
    struct thread *holder; /* NULL when free */
};

/* For one with the name `lock` that stands alone. */
#define SLEEPLOCK_INIT(lock, its_rank) \
    { \
        .guard = SPINLOCK_INIT(RANK_SLEEPLOCK), .freed = {LIST_INIT((lock).freed.sleepers)}, \
        .rank = (its_rank) \
    }

void sleeplock_init(struct sleeplock *lk, enum rank rank);

/* By the running thread. */
static inline bool sleeplock_held(const struct sleeplock *lk) {
    return __atomic_load_n(&lk->holder, __ATOMIC_RELAXED) == thread_self();
}

/* In debug kernels alone. */
#define ASSERT_SLEEPLOCKED(lk) \
    do { \
        if (DEBUG) \
            ASSERT(sleeplock_held(lk)); \
    } while (0)

/* What each thread holds (thread.holds): debug kernels note it, and check what follows, up to
 * sleep_expect_none. */
void sleep_entered(const void *what, enum rank rank);
void sleep_left(const void *what);
void sleep_expect_nothing(const char *doing);
void sleep_waits(enum rank rank);

/* For what is no sleeplock but keeps others out like one, such as an operation of the log. The
 * first is called before it is waited for, the second when it ends: then nothing that was taken
 * inside is held any more, since the end may wait, too. */
static inline void sleep_enter(const void *what, enum rank rank) {
    if (DEBUG)
        sleep_entered(what, rank);
}

static inline void sleep_leave(const void *what) {
    if (DEBUG)
        sleep_left(what);
}

/* For what is waited for and not held afterwards, such as a commit: whoever may have to wait holds
 * nothing of a higher rank. (Buffers and pages have the highest ranks, so for these the check finds
 * nothing, and the call only documents the wait.) sleep_on checks that no spinlock is held. */
static inline void sleep_may_wait(enum rank rank) {
    if (DEBUG)
        sleep_waits(rank);
}

static inline void sleep_expect_none(const char *doing) {
    if (DEBUG)
        sleep_expect_nothing(doing);
}

/* What is no part of the fast way. */
void sleeplock_entered(const struct sleeplock *lk);
void sleeplock_left(const struct sleeplock *lk);
void sleeplock_wait(struct sleeplock *lk);
void sleeplock_wake(struct sleeplock *lk);

/* Takes it if nobody has it. ACQUIRE for a failure, too, though nothing follows one: else gcc has
 * the sc acquire alone, and what is guarded may be read before the holder is. */
static inline bool sleeplock_try(struct sleeplock *lk) {
    struct thread *nobody = NULL;
    return __atomic_compare_exchange_n(&lk->holder, &nobody, thread_self(), false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_ACQUIRE);
}

/* A panic when the running thread has it. */
static inline void sleeplock_acquire(struct sleeplock *lk) {
    if (DEBUG)
        sleeplock_entered(lk);
    if (__builtin_expect(!sleeplock_try(lk), 0))
        sleeplock_wait(lk);
}

/* Takes it only if nobody has it. */
static inline bool sleeplock_acquire_free(struct sleeplock *lk) {
    if (!sleeplock_try(lk))
        return false;
    if (DEBUG)
        sleeplock_entered(lk);
    return true;
}

/* A panic when the running thread does not have it. */
static inline void sleeplock_release(struct sleeplock *lk) {
    if (DEBUG)
        sleeplock_left(lk);
    ASSERT(sleeplock_held(lk));
    __atomic_store_n(&lk->holder, NULL, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&lk->waiting, __ATOMIC_RELAXED), 0))
        sleeplock_wake(lk);
}
