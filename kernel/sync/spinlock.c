/* Spinlocks: what is no part of the fast way. */
#include "sync/spinlock.h"

uint32_t spin_count[NHART];

void spin_init(struct spinlock *lk, const char *name) {
    *lk = (struct spinlock)SPINLOCK_INIT(name);
}

void spin_wrong(const struct spinlock *lk) {
    panic("spinlock %s: %s", lk->name,
          spin_held(lk) ? "taken twice by one hart" : "given back by a hart that does not hold it");
}
