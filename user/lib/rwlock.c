/* Locks for readers and writers. Readers go first: then one that has it may take it again. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include "thread.h"
#include "waiting.h"

#define WRITER (1u << 30) /* instead of a count of readers */
#define WAITERS (1u << 31)
#define HOLDERS (WAITERS - 1)

static bool i_write(const pthread_rwlock_t *l) {
    return __atomic_load_n(&l->writer, __ATOMIC_RELAXED) == thread_number();
}

/* The state becomes next if it is *seen; else *seen is what it is. */
static bool change(pthread_rwlock_t *l, uint32_t *seen, uint32_t next) {
    return __atomic_compare_exchange_n(&l->state, seen, next, true, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Whether one may come in; *next is the state with it. */
static int read_state(uint32_t seen, uint32_t *next) {
    *next = seen + 1;
    uint32_t holders = seen & HOLDERS;
    return holders == WRITER ? EBUSY : holders == WRITER - 1 ? EAGAIN : 0;
}

static int write_state(uint32_t seen, uint32_t *next) {
    *next = seen | WRITER;
    return seen & HOLDERS ? EBUSY : 0;
}

static int try(pthread_rwlock_t *l, int (*state)(uint32_t, uint32_t *)) {
    uint32_t seen = __atomic_load_n(&l->state, __ATOMIC_RELAXED), next;
    int err;
    do
        err = state(seen, &next);
    while (!err && !change(l, &seen, next));
    return err;
}

/* The caller has found it held: sleeps until it may be free. */
static int wait_until(pthread_rwlock_t *l, const struct timespec *until) {
    uint32_t seen = __atomic_load_n(&l->state, __ATOMIC_RELAXED);
    if (!(seen & HOLDERS))
        return 0;
    if (!(seen & WAITERS) && !change(l, &seen, seen | WAITERS))
        return 0;
    return word_wait(&l->state, seen | WAITERS, CLOCK_REALTIME, until);
}

static int lock_until(pthread_rwlock_t *l, int (*state)(uint32_t, uint32_t *),
                      const struct timespec *until) {
    int err = try(l, state);
    if (err == EBUSY && i_write(l))
        return EDEADLK;
    if (err == EBUSY && until && !valid_time(until))
        return EINVAL;
    while (err == EBUSY) {
        if (wait_until(l, until) == ETIMEDOUT)
            return ETIMEDOUT;
        err = try(l, state);
    }
    return err;
}

static int read_until(pthread_rwlock_t *l, const struct timespec *until) {
    return lock_until(l, read_state, until);
}

static int own(pthread_rwlock_t *l, int err) {
    if (!err)
        __atomic_store_n(&l->writer, thread_number(), __ATOMIC_RELAXED);
    return err;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l) { return read_until(l, NULL); }

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l) { return try(l, read_state); }

int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict l,
                               const struct timespec *restrict until) {
    return read_until(l, until);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l) { return own(l, lock_until(l, write_state, NULL)); }

int pthread_rwlock_trywrlock(pthread_rwlock_t *l) { return own(l, try(l, write_state)); }

int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict l,
                               const struct timespec *restrict until) {
    return own(l, lock_until(l, write_state, until));
}

/* All who wait are woken when the last holder leaves, and those that find it taken wait again. */
int pthread_rwlock_unlock(pthread_rwlock_t *l) {
    uint32_t seen = __atomic_load_n(&l->state, __ATOMIC_RELAXED), next;
    if (!(seen & HOLDERS) || ((seen & HOLDERS) == WRITER && !i_write(l)))
        return EPERM;
    if ((seen & HOLDERS) == WRITER)
        __atomic_store_n(&l->writer, 0, __ATOMIC_RELAXED);
    do {
        uint32_t left = (seen & HOLDERS) == WRITER ? 0 : (seen & HOLDERS) - 1;
        next = left == 0 ? 0 : (seen & WAITERS) | left;
    } while (!__atomic_compare_exchange_n(&l->state, &seen, next, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    if (next == 0 && (seen & WAITERS))
        word_wake(&l->state, UINT32_MAX);
    return 0;
}

int pthread_rwlock_init(pthread_rwlock_t *restrict l, const pthread_rwlockattr_t *restrict attr) {
    *l = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l) {
    return __atomic_load_n(&l->state, __ATOMIC_RELAXED) & HOLDERS ? EBUSY : 0;
}

int pthread_rwlockattr_init(pthread_rwlockattr_t *attr) {
    attr->shared = PTHREAD_PROCESS_PRIVATE;
    return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr) { return 0; }
