/* Spinlocks: what is no part of the fast way. */
#include "sync/spinlock.h"

struct rank_holder spin_holders[DEBUG ? NHART : 1];

void spin_init(struct spinlock *lk, enum rank rank) { *lk = (struct spinlock)SPINLOCK_INIT(rank); }

static struct rank_holder *mine(void) { return &spin_holders[DEBUG ? hart_self()->index : 0]; }

void spin_entered(const void *lock, enum rank rank) {
    rank_enter(mine(), lock, rank, __builtin_return_address(0));
}

void spin_entered_by_chance(const void *lock, enum rank rank) {
    rank_enter_by_chance(mine(), lock, rank, __builtin_return_address(0));
}

void spin_left(const void *lock) { rank_leave(mine(), lock); }

void spin_expect_only(const struct spinlock *lk, const char *doing) {
    rank_expect(mine(), lk, doing);
}

void spin_wrong(const struct spinlock *lk) {
    panic("spinlock %s: %s", rank_name(lk->rank),
          spin_held(lk) ? "taken twice by one hart" : "given back by a hart that does not hold it");
}
