/* Semaphores. The value and the count of those that wait are one number, so that sem_post knows
 * from its one change whom to wake: the semaphore may be gone right after it. */
#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include "waiting.h"

#define ONE_WAITER (1ull << 32)

static uint32_t value_of(uint64_t state) { return (uint32_t)state; }
static uint32_t *value_word(sem_t *sem) { return (uint32_t *)&sem->state; } /* the lower half */

static int failed(int error) {
    errno = error;
    return -1;
}

int sem_init(sem_t *sem, int shared, unsigned value) {
    if (value > SEM_VALUE_MAX)
        return failed(EINVAL);
    sem->state = value;
    return 0;
}

int sem_destroy(sem_t *sem) {
    return __atomic_load_n(&sem->state, __ATOMIC_RELAXED) >= ONE_WAITER ? failed(EBUSY) : 0;
}

/* Takes one, and besides what the caller was counted as. */
static bool take(sem_t *sem, uint64_t besides) {
    uint64_t seen = __atomic_load_n(&sem->state, __ATOMIC_RELAXED);
    while (value_of(seen) > 0)
        if (__atomic_compare_exchange_n(&sem->state, &seen, seen - 1 - besides, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

int sem_trywait(sem_t *sem) { return take(sem, 0) ? 0 : failed(EAGAIN); }

static int wait_until(sem_t *sem, const struct timespec *until) {
    if (take(sem, 0))
        return 0;
    if (until && !valid_time(until))
        return failed(EINVAL);
    __atomic_add_fetch(&sem->state, ONE_WAITER, __ATOMIC_RELAXED);
    while (!take(sem, ONE_WAITER)) {
        if (word_wait(value_word(sem), 0, CLOCK_REALTIME, until) == ETIMEDOUT) {
            __atomic_sub_fetch(&sem->state, ONE_WAITER, __ATOMIC_RELAXED);
            return failed(ETIMEDOUT);
        }
    }
    return 0;
}

int sem_wait(sem_t *sem) { return wait_until(sem, NULL); }

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until) {
    return wait_until(sem, until);
}

int sem_post(sem_t *sem) {
    uint64_t seen = __atomic_load_n(&sem->state, __ATOMIC_RELAXED);
    do {
        if (value_of(seen) == SEM_VALUE_MAX)
            return failed(EOVERFLOW);
    } while (!__atomic_compare_exchange_n(&sem->state, &seen, seen + 1, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    if (seen >= ONE_WAITER)
        word_wake(value_word(sem), 1);
    return 0;
}

int sem_getvalue(sem_t *restrict sem, int *restrict value) {
    *value = (int)value_of(__atomic_load_n(&sem->state, __ATOMIC_RELAXED));
    return 0;
}
