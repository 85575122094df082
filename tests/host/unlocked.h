/* Before every source of a test that wants to know when a spinlock has been given back: there
 * another hart may come in between. */
#pragma once
#include "sync/spinlock.h"

/* The hart has given it back; it may hold others. */
void after_unlock(const struct spinlock *lk);

static inline void unlock_and_tell(struct spinlock *lk) {
    spin_unlock(lk);
    after_unlock(lk);
}
#define spin_unlock(lk) unlock_and_tell(lk)
