/* Locks held across sleeps: see sleeplock.h. */
#include "proc/sleeplock.h"

/* NULL at boot, where nobody else is met. */
static struct rank_holder *mine(void) {
#if DEBUG
    struct thread *t = thread_self();
    return t ? &t->holds : NULL;
#else
    return NULL;
#endif
}

/* Whoever may have to sleep holds no spinlock, whether it then sleeps or not. */
static void enter(const void *what, enum rank rank, const void *where) {
    spin_expect_none("taking what is waited for in sleep");
    struct rank_holder *h = mine();
    if (h)
        rank_enter(h, what, rank, where);
}

void sleep_entered(const void *what, enum rank rank) {
    enter(what, rank, __builtin_return_address(0));
}

void sleep_left(const void *what) {
    struct rank_holder *h = mine();
    if (h)
        rank_leave_last(h, what);
}

void sleep_waits(enum rank rank) {
    struct rank_holder *h = mine();
    if (!h)
        return;
    rank_enter(h, h, rank, __builtin_return_address(0));
    rank_leave(h, h);
}

void sleep_expect_nothing(const char *doing) {
    struct rank_holder *h = mine();
    if (h)
        rank_expect(h, NULL, doing);
}

void sleeplock_init(struct sleeplock *lk, enum rank rank) {
    spin_init(&lk->guard, RANK_SLEEPLOCK);
    wait_channel_init(&lk->freed);
    lk->waiting = 0;
    lk->holder = NULL;
    lk->rank = rank;
}

void sleeplock_entered(const struct sleeplock *lk) {
    enter(lk, lk->rank, __builtin_return_address(0));
}

void sleeplock_left(const struct sleeplock *lk) {
    struct rank_holder *h = mine();
    if (h)
        rank_leave(h, lk);
}

void sleeplock_wait(struct sleeplock *lk) {
    ASSERT(!sleeplock_held(lk));
    spin_lock(&lk->guard);
    __atomic_add_fetch(&lk->waiting, 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (!sleeplock_try(lk))
        sleep_on(&lk->freed, &lk->guard);
    __atomic_sub_fetch(&lk->waiting, 1, __ATOMIC_RELAXED);
    spin_unlock(&lk->guard);
}

void sleeplock_wake(struct sleeplock *lk) {
    spin_lock(&lk->guard);
    wakeup(&lk->freed);
    spin_unlock(&lk->guard);
}
