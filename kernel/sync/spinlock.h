/* Spinlocks.
 *
 * The kernel runs with interrupts off, except while a hart idles and in
 * intr_window(); no lock is held there. So an interrupt handler never meets a
 * lock of the code that it interrupted, and a spinlock need not touch the
 * interrupt state. No spinlock is held across anything that may sleep: copies
 * from and to user memory, disk requests, sleep_on. docs/locking.md has the order. */
#pragma once
#include "arch/hart.h"
#include "lib/panic.h"
#include "lib/types.h"

struct spinlock {
    uint32_t locked;
    struct hart *holder; /* NULL when free; for the asserts and for debuggers */
    const char *name;
};

#define SPINLOCK_INIT(lock_name) {.name = (lock_name)}

void spin_init(struct spinlock *lk, const char *name);

/* Taking a lock that this hart holds, or giving back one that it does not hold,
 * is a panic. Taking acquires, giving back releases (RVWMO). */
void spin_lock(struct spinlock *lk);
void spin_unlock(struct spinlock *lk);
bool spin_held(const struct spinlock *lk); /* by this hart */
