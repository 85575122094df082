/* Locks held across sleeps: see sleeplock.h. */
#include "proc/sleeplock.h"
#include "proc/proc.h"

void sleeplock_init(struct sleeplock *lk, const char *name) {
    spin_init(&lk->guard, name);
    wait_channel_init(&lk->freed);
    lk->holder = NULL;
    lk->name = name;
}

void sleeplock_acquire(struct sleeplock *lk) {
    spin_lock(&lk->guard);
    ASSERT(lk->holder != proc_self());
    while (lk->holder)
        sleep_on(&lk->freed, &lk->guard);
    lk->holder = proc_self();
    spin_unlock(&lk->guard);
}

void sleeplock_release(struct sleeplock *lk) {
    spin_lock(&lk->guard);
    ASSERT(lk->holder == proc_self());
    lk->holder = NULL;
    wakeup(&lk->freed);
    spin_unlock(&lk->guard);
}
