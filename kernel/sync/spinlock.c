/* Spinlocks: test, then test-and-set. */
#include "sync/spinlock.h"
#include "arch/cpu.h"

void spin_init(struct spinlock *lk, const char *name) {
    *lk = (struct spinlock)SPINLOCK_INIT(name);
}

bool spin_held(const struct spinlock *lk) {
    return lk->locked && lk->holder == hart_self();
}

void spin_lock(struct spinlock *lk) {
    if (__builtin_expect(spin_held(lk), 0))
        panic("spinlock %s: taken twice by one hart", lk->name);
    while (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED))
            cpu_relax();
    lk->holder = hart_self();
}

void spin_unlock(struct spinlock *lk) {
    if (__builtin_expect(!spin_held(lk), 0))
        panic("spinlock %s: given back by a hart that does not hold it", lk->name);
    lk->holder = NULL;
    __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
}
