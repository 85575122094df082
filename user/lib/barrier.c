/* Barriers and spinlocks. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include "lock.h"
#include "waiting.h"

int pthread_barrier_init(pthread_barrier_t *restrict b, const pthread_barrierattr_t *restrict attr,
                         unsigned count) {
    if (count == 0)
        return EINVAL;
    *b = (pthread_barrier_t){.count = count};
    return 0;
}

int pthread_barrier_wait(pthread_barrier_t *b) {
    users_enter(&b->users);
    lock_take(&b->lock);
    uint32_t round = b->round;
    bool last = ++b->here == b->count;
    if (last) {
        b->here = 0;
        __atomic_store_n(&b->round, round + 1, __ATOMIC_RELEASE);
    }
    lock_give(&b->lock);
    if (last)
        word_wake(&b->round, UINT32_MAX);
    while (__atomic_load_n(&b->round, __ATOMIC_ACQUIRE) == round)
        word_wait(&b->round, round, CLOCK_MONOTONIC, NULL);
    users_leave(&b->users);
    return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

int pthread_barrier_destroy(pthread_barrier_t *b) {
    lock_take(&b->lock);
    bool busy = b->here > 0;
    lock_give(&b->lock);
    if (busy)
        return EBUSY;
    users_wait(&b->users);
    return 0;
}

int pthread_barrierattr_init(pthread_barrierattr_t *attr) {
    attr->shared = PTHREAD_PROCESS_PRIVATE;
    return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *attr) { return 0; }

/* ---- spinlocks -------------------------------------------------------------------- */

#define PATIENCE \
    100 /* looks, before it lets others run: the holder may wait for this processor \
         */

int pthread_spin_init(pthread_spinlock_t *spin, int shared) {
    *spin = 0;
    return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *spin) { return 0; }

int pthread_spin_trylock(pthread_spinlock_t *spin) { return lock_try(spin) ? 0 : EBUSY; }

int pthread_spin_lock(pthread_spinlock_t *spin) {
    while (!lock_try(spin)) {
        for (unsigned i = 0; i < PATIENCE && __atomic_load_n(spin, __ATOMIC_RELAXED); i++)
            continue;
        if (__atomic_load_n(spin, __ATOMIC_RELAXED))
            sched_yield();
    }
    return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *spin) {
    __atomic_store_n(spin, 0, __ATOMIC_RELEASE);
    return 0;
}
