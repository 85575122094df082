/* Spinlocks.
 *
 * The kernel runs with interrupts off, except while a hart idles and in
 * intr_window(); no lock is held there. So an interrupt handler never meets a
 * lock of the code that it interrupted, and a spinlock need not touch the
 * interrupt state. No spinlock is held across anything that may sleep (copies from and to
 * user memory, disk requests, sleep_on), nor across kprintf, which waits for a slow device:
 * debug kernels count the locks of each hart, and check. docs/locking.md has the order. */
#pragma once
#include "arch/cpu.h"
#include "arch/hart.h"
#include "lib/panic.h"
#include "lib/types.h"

struct spinlock {
    uint32_t locked;
    struct hart *holder; /* NULL when free; for the asserts and for debuggers */
    const char *name;
};

#define SPINLOCK_INIT(lock_name) \
    { .name = (lock_name) }

/* Once, before anybody knows the lock. What is recycled (a process's slot, an address space,
 * a pipe) keeps its lock: another hart may wait for it, or be about to give it back. */
void spin_init(struct spinlock *lk, const char *name);

/* By this hart: nobody else writes this hart's address there, or takes it away. */
static inline bool spin_held(const struct spinlock *lk) { return lk->holder == hart_self(); }

/* In debug kernels: how many spinlocks each hart holds. */
extern uint32_t spin_count[NHART];
static inline bool spin_none_held(void) { return spin_count[hart_self()->index] == 0; }

/* The panic of the two below. */
void spin_wrong(const struct spinlock *lk) never_returns;

/* Taking a lock that this hart holds, or giving back one that it does not hold,
 * is a panic. Taking acquires, giving back releases (RVWMO). Waiting is no call: a call that
 * returns would cost each caller the registers that it must save. */
static inline void spin_lock(struct spinlock *lk) {
    while (__builtin_expect(__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE), 0))
        while (__atomic_load_n(&lk->locked, __ATOMIC_RELAXED)) {
            if (spin_held(lk))
                spin_wrong(lk);
            cpu_relax();
        }
    lk->holder = hart_self();
    if (DEBUG)
        spin_count[hart_self()->index]++;
}

static inline void spin_unlock(struct spinlock *lk) {
    if (__builtin_expect(!spin_held(lk), 0))
        spin_wrong(lk);
    if (DEBUG)
        spin_count[hart_self()->index]--;
    lk->holder = NULL;
    __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
}
