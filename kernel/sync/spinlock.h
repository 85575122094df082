/* Spinlocks.
 *
 * The kernel runs with interrupts off, except while a hart idles and in
 * intr_window(), between two pieces of long work; no lock is held there. So an interrupt
 * handler never meets a lock of the code that it interrupted, and a spinlock need not touch the
 * interrupt state. No spinlock is held across anything that may sleep (copies from and to
 * user memory, disk requests, sleep_on), nor across kprintf, which waits for a slow device.
 * Debug kernels know what each hart holds, and check that and the order (sync/rank.h). */
#pragma once
#include "arch/cpu.h"
#include "arch/hart.h"
#include "lib/panic.h"
#include "lib/types.h"
#include "sync/rank.h"

struct spinlock {
    uint32_t locked;
    enum rank rank;
    struct hart *holder; /* NULL when free; for the asserts and for debuggers */
};

#define SPINLOCK_INIT(its_rank) \
    { .rank = (its_rank) }

/* Once, before anybody knows the lock. What is recycled (a process's slot, an address space,
 * a pipe) keeps its lock: another hart may wait for it, or be about to give it back. */
void spin_init(struct spinlock *lk, enum rank rank);

/* By this hart. It need not be atomic: no other hart writes this hart's address there, or takes
 * it away. */
static inline bool spin_held(const struct spinlock *lk) { return lk->holder == hart_self(); }

/* Stands at the beginning of a function whose name ends in _locked, and of others that want the
 * lock held. In debug kernels, as the next three. */
#define ASSERT_LOCKED(lk) \
    do { \
        if (DEBUG) \
            ASSERT(spin_held(lk)); \
    } while (0)

/* What each hart holds. */
extern struct rank_holder spin_holders[DEBUG ? NHART : 1];
void spin_entered(const void *lock, enum rank rank);
void spin_entered_by_chance(const void *lock, enum rank rank);
void spin_left(const void *lock);
/* A panic when this hart holds another spinlock than this one, or any (NULL). */
void spin_expect_only(const struct spinlock *lk, const char *doing);

static inline void spin_expect_none(const char *doing) {
    if (DEBUG)
        spin_expect_only(NULL, doing);
}

/* The panic of the two below. */
void spin_wrong(const struct spinlock *lk) never_returns;

/* Taking a lock that this hart holds, or giving back one that it does not hold,
 * is a panic. Taking acquires, giving back releases (RVWMO). Waiting is no call: a call that
 * returns would cost each caller the registers that it must save. */
static inline void spin_lock(struct spinlock *lk) {
    if (DEBUG && !spin_held(lk)) /* else it is found below */
        spin_entered(lk, lk->rank);
    while (__builtin_expect(__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE), 0))
        while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED)) {
            if (spin_held(lk))
                spin_wrong(lk);
            cpu_relax();
        }
    lk->holder = hart_self();
}

/* Takes it if nobody has it: true; else nothing is held. It may be out of order: nobody waits. */
static inline bool spin_try(struct spinlock *lk) {
    if (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE))
        return false;
    if (DEBUG)
        spin_entered_by_chance(lk, lk->rank);
    lk->holder = hart_self();
    return true;
}

static inline void spin_unlock(struct spinlock *lk) {
    if (__builtin_expect(!spin_held(lk), 0))
        spin_wrong(lk);
    if (DEBUG)
        spin_left(lk);
    lk->holder = NULL;
    __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
}
