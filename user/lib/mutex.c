/* Mutexes: locks of lock.h, with an owner where the type asks for one. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include "lock.h"
#include "thread.h"
#include "waiting.h"

/* Only the owner itself can have stored its number, so no lock is needed to look. */
static bool is_mine(const pthread_mutex_t *m) {
    return __atomic_load_n(&m->owner, __ATOMIC_RELAXED) == thread_number();
}

static void set_owner(pthread_mutex_t *m, int owner) {
    __atomic_store_n(&m->owner, owner, __ATOMIC_RELAXED);
}

/* Of one that the caller has. 0: it has it once more. */
static int lock_again(pthread_mutex_t *m, int if_not_recursive) {
    if (m->type != PTHREAD_MUTEX_RECURSIVE)
        return if_not_recursive;
    if (m->depth == UINT_MAX - 1)
        return EAGAIN;
    m->depth++;
    return 0;
}

static int wait_until(pthread_mutex_t *m, const struct timespec *until) {
    if (!valid_time(until))
        return EINVAL;
    while (__atomic_exchange_n(&m->lock, 2, __ATOMIC_ACQUIRE) != 0)
        if (word_wait(&m->lock, 2, CLOCK_REALTIME, until) == ETIMEDOUT)
            return ETIMEDOUT;
    return 0;
}

/* until: NULL: for ever. */
static int lock_until(pthread_mutex_t *m, const struct timespec *until) {
    if (m->type != PTHREAD_MUTEX_NORMAL && is_mine(m))
        return lock_again(m, EDEADLK);
    if (!until) {
        lock_take(&m->lock);
    } else if (!lock_try(&m->lock)) {
        int err = wait_until(m, until);
        if (err)
            return err;
    }
    if (m->type != PTHREAD_MUTEX_NORMAL)
        set_owner(m, thread_number());
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t *m) {
    if (m->type == PTHREAD_MUTEX_NORMAL) {
        lock_take(&m->lock);
        return 0;
    }
    return lock_until(m, NULL);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict m, const struct timespec *restrict until) {
    return lock_until(m, until);
}

int pthread_mutex_trylock(pthread_mutex_t *m) {
    if (m->type != PTHREAD_MUTEX_NORMAL && is_mine(m))
        return lock_again(m, EBUSY);
    if (!lock_try(&m->lock))
        return EBUSY;
    if (m->type != PTHREAD_MUTEX_NORMAL)
        set_owner(m, thread_number());
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *m) {
    if (m->type != PTHREAD_MUTEX_NORMAL) {
        if (!is_mine(m))
            return EPERM;
        if (m->depth > 0) {
            m->depth--;
            return 0;
        }
        set_owner(m, 0);
    }
    lock_give(&m->lock);
    return 0;
}

int pthread_mutex_init(pthread_mutex_t *restrict m, const pthread_mutexattr_t *restrict attr) {
    *m = (pthread_mutex_t){.type = attr ? attr->type : PTHREAD_MUTEX_DEFAULT};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m) {
    return __atomic_load_n(&m->lock, __ATOMIC_RELAXED) ? EBUSY : 0;
}

/* ---- attributes ----------------------------------------------------------------- */

int pthread_mutexattr_init(pthread_mutexattr_t *attr) {
    *attr = (pthread_mutexattr_t){PTHREAD_MUTEX_DEFAULT, PTHREAD_PROCESS_PRIVATE};
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr) { return 0; }

int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict attr, int *restrict type) {
    *type = attr->type;
    return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type) {
    if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
        return EINVAL;
    attr->type = type;
    return 0;
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *restrict attr, int *restrict shared) {
    *shared = attr->shared;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared) {
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
        return EINVAL;
    attr->shared = shared;
    return 0;
}
