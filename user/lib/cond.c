/* Condition variables: a number that each signal changes. Who waits sleeps while it is what it was
 * when the mutex was given back, so a signal that comes in between is not missed. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include "thread.h"
#include "waiting.h"

static int wait_until(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until) {
    uint32_t round = __atomic_load_n(&c->round, __ATOMIC_RELAXED);
    users_enter(&c->users);
    int err = pthread_mutex_unlock(m);
    if (err) {
        users_leave(&c->users);
        return err;
    }
    err = word_wait(&c->round, round, c->clock, until);
    users_leave(&c->users);
    pthread_mutex_lock(m);
    return err;
}

int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m) {
    return wait_until(c, m, NULL);
}

int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
                           const struct timespec *restrict until) {
    return valid_time(until) ? wait_until(c, m, until) : EINVAL;
}

/* Whoever waits has been counted before it gave the mutex back: so one that the caller of this
 * knows of, by what the mutex guards, is seen here. */
static void wake(pthread_cond_t *c, uint32_t n) {
    if (!__atomic_load_n(&c->users, __ATOMIC_SEQ_CST))
        return;
    __atomic_add_fetch(&c->round, 1, __ATOMIC_RELEASE);
    word_wake(&c->round, n);
}

int pthread_cond_signal(pthread_cond_t *c) {
    wake(c, 1);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *c) {
    wake(c, UINT32_MAX);
    return 0;
}

int pthread_cond_init(pthread_cond_t *restrict c, const pthread_condattr_t *restrict attr) {
    *c = (pthread_cond_t){.clock = attr ? attr->clock : CLOCK_REALTIME};
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *c) {
    users_wait(&c->users);
    return 0;
}

/* ---- attributes ----------------------------------------------------------------- */

int pthread_condattr_init(pthread_condattr_t *attr) {
    *attr = (pthread_condattr_t){PTHREAD_PROCESS_PRIVATE, CLOCK_REALTIME};
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr) { return 0; }

int pthread_condattr_getclock(const pthread_condattr_t *restrict attr, clockid_t *restrict clock) {
    *clock = attr->clock;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
        return EINVAL;
    attr->clock = clock;
    return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *restrict attr, int *restrict shared) {
    *shared = attr->shared;
    return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared) {
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    attr->shared = shared;
    return 0;
}
