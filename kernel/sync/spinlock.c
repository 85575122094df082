/* Spinlocks: the slow ways. */
#include "sync/spinlock.h"
#include "arch/cpu.h"

uint32_t spin_count[NHART];

void spin_init(struct spinlock *lk, const char *name) {
    *lk = (struct spinlock)SPINLOCK_INIT(name);
}

void spin_wait(struct spinlock *lk) {
    if (spin_held(lk))
        panic("spinlock %s: taken twice by one hart", lk->name);
    do
        while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED))
            cpu_relax();
    while (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE));
}

void spin_wrong(const struct spinlock *lk) {
    panic("spinlock %s: given back by a hart that does not hold it", lk->name);
}
