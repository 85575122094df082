/* Where a lock has to wait: see lock.h. */
#include "lock.h"
#include <trellis.h>

bool several_threads;
pid_t (*fork_hook)(pid_t (*call)(void));

void lock_take_called(uint32_t *lock) { lock_take(lock); }
void lock_give_called(uint32_t *lock) { lock_give(lock); }

/* From now on it is 2 until it is free: whoever gives it back knows of nobody else that waits. */
void lock_wait(uint32_t *lock) {
    while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
        sys_futex_wait(lock, 2, UINT64_MAX);
}

/* The lock may be gone by now, with its memory: then this wakes nobody, or somebody who looks
 * again. */
void lock_wake(uint32_t *lock) { sys_futex_wake(lock, 1); }
