/* Threads, as POSIX says; docs/threads.md says how they are made of the kernel's. A call gives 0,
 * or the number of an error, and leaves errno alone; after an error nothing has changed. What POSIX
 * calls undefined is an error where it is noticed: the call of each is named below. There are no
 * cancellation, scheduling parameters, robust or priority-inheriting mutexes.
 *
 * What stands in memory that processes share may be used by all of them if its attributes say
 * PTHREAD_PROCESS_SHARED (and does so if they do not): but for a pthread_once_t and keys. */
#pragma once
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define PTHREAD_CREATE_JOINABLE 0
#define PTHREAD_CREATE_DETACHED 1
#define PTHREAD_PROCESS_PRIVATE 0
#define PTHREAD_PROCESS_SHARED 1
#define PTHREAD_MUTEX_NORMAL 0
#define PTHREAD_MUTEX_RECURSIVE 1
#define PTHREAD_MUTEX_ERRORCHECK 2
#define PTHREAD_MUTEX_DEFAULT PTHREAD_MUTEX_NORMAL
#define PTHREAD_BARRIER_SERIAL_THREAD (-1)
#define PTHREAD_STACK_MIN 16384
#define PTHREAD_KEYS_MAX 128
#define PTHREAD_DESTRUCTOR_ITERATIONS 4

typedef struct pthread *pthread_t;
typedef unsigned pthread_key_t;
typedef uint32_t pthread_spinlock_t;

typedef struct {
    size_t stack_size, guard_size;
    void *stack; /* the caller's; NULL: one is made */
    int detached;
} pthread_attr_t;

typedef struct {
    int type, shared;
} pthread_mutexattr_t;

typedef struct {
    uint32_t lock; /* 0: free; 1: held; 2: held, and somebody may wait */
    int type;
    int owner; /* of a type that asks for it; 0: nobody */
    unsigned depth;
} pthread_mutex_t;
#define PTHREAD_MUTEX_INITIALIZER \
    { 0, PTHREAD_MUTEX_NORMAL, 0, 0 }
#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER \
    { 0, PTHREAD_MUTEX_RECURSIVE, 0, 0 }
#define PTHREAD_ERRORCHECK_MUTEX_INITIALIZER \
    { 0, PTHREAD_MUTEX_ERRORCHECK, 0, 0 }

typedef struct {
    int shared;
    clockid_t clock;
} pthread_condattr_t;

typedef struct {
    uint32_t round; /* changes with each signal */
    uint32_t users; /* those inside of pthread_cond_wait */
    clockid_t clock;
} pthread_cond_t;
#define PTHREAD_COND_INITIALIZER \
    { 0, 0, CLOCK_REALTIME }

typedef struct {
    int shared;
} pthread_rwlockattr_t, pthread_barrierattr_t;

typedef struct {
    uint32_t state; /* the readers, or RWLOCK_WRITER; and whether somebody may wait */
    int writer;
} pthread_rwlock_t;
#define PTHREAD_RWLOCK_INITIALIZER \
    { 0, 0 }

typedef struct {
    uint32_t lock;
    unsigned count, here;
    uint32_t round; /* changes when all are here */
    uint32_t users;
} pthread_barrier_t;

typedef struct {
    uint32_t state;
} pthread_once_t;
#define PTHREAD_ONCE_INIT \
    { 0 }

/* A thread's stack is 128 KiB, below it a page that nobody may touch, unless attr says otherwise;
 * its memory is given back when it has ended and is detached, or joined. pthread_exit by the last
 * thread, or the return from its function, is exit(0); exit, and return from main, end all.
 *
 * pthread_create: EAGAIN, no memory or too many threads
 * pthread_join: EDEADLK, itself; EINVAL, it is detached, or another one joins it already
 * pthread_detach: EINVAL, as pthread_join */
int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
                   void *(*start)(void *), void *restrict arg);
int pthread_join(pthread_t thread, void **result);
int pthread_detach(pthread_t thread);
void pthread_exit(void *result) __attribute__((noreturn));
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
/* In the child of a fork, locks of the C library are free; others are as they were. Each handler
 * may be NULL: before the fork, last registered first; after it in the parent, and in the child.
 * ENOMEM: there are 32 already. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* pthread_attr_setstacksize, setstack: EINVAL, below PTHREAD_STACK_MIN
 * pthread_attr_setdetachstate: EINVAL */
int pthread_attr_init(pthread_attr_t *attr);
int pthread_attr_destroy(pthread_attr_t *attr);
int pthread_attr_getdetachstate(const pthread_attr_t *attr, int *state);
int pthread_attr_setdetachstate(pthread_attr_t *attr, int state);
int pthread_attr_getstacksize(const pthread_attr_t *restrict attr, size_t *restrict size);
int pthread_attr_setstacksize(pthread_attr_t *attr, size_t size);
int pthread_attr_getguardsize(const pthread_attr_t *restrict attr, size_t *restrict size);
int pthread_attr_setguardsize(pthread_attr_t *attr, size_t size);
int pthread_attr_getstack(const pthread_attr_t *restrict attr, void **restrict stack,
                          size_t *restrict size);
int pthread_attr_setstack(pthread_attr_t *attr, void *stack, size_t size);

/* pthread_mutex_lock: EDEADLK, an errorcheck mutex that the caller has; EAGAIN, a recursive one it
 *     has 2^32 - 1 times
 * pthread_mutex_timedlock: the same, ETIMEDOUT, EINVAL, until is no time
 * pthread_mutex_trylock: EBUSY; EAGAIN
 * pthread_mutex_unlock: EPERM, the caller does not have it; not noticed of a normal one
 * pthread_mutex_destroy: EBUSY, somebody has it
 * pthread_mutexattr_settype, setpshared: EINVAL */
int pthread_mutex_init(pthread_mutex_t *restrict mutex, const pthread_mutexattr_t *restrict attr);
int pthread_mutex_destroy(pthread_mutex_t *mutex);
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_trylock(pthread_mutex_t *mutex);
int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_mutexattr_init(pthread_mutexattr_t *attr);
int pthread_mutexattr_destroy(pthread_mutexattr_t *attr);
int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict attr, int *restrict type);
int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type);
int pthread_mutexattr_getpshared(const pthread_mutexattr_t *restrict attr, int *restrict shared);
int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared);

/* A wait may end without a signal. pthread_cond_destroy waits for those that were woken.
 *
 * pthread_cond_wait: EPERM, the caller does not have the mutex; not noticed of a normal one
 * pthread_cond_timedwait: the same, ETIMEDOUT, EINVAL, until is no time; but for EPERM and EINVAL
 *     the caller has the mutex then
 * pthread_condattr_setclock, setpshared: EINVAL */
int pthread_cond_init(pthread_cond_t *restrict cond, const pthread_condattr_t *restrict attr);
int pthread_cond_destroy(pthread_cond_t *cond);
int pthread_cond_wait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex);
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until);
int pthread_cond_signal(pthread_cond_t *cond);
int pthread_cond_broadcast(pthread_cond_t *cond);
int pthread_condattr_init(pthread_condattr_t *attr);
int pthread_condattr_destroy(pthread_condattr_t *attr);
int pthread_condattr_getclock(const pthread_condattr_t *restrict attr, clockid_t *restrict clock);
int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock);
int pthread_condattr_getpshared(const pthread_condattr_t *restrict attr, int *restrict shared);
int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared);

/* Readers go before writers that wait, so a thread may read-lock it several times.
 *
 * pthread_rwlock_rdlock, wrlock: EDEADLK, the caller has it for writing; rdlock: EAGAIN, 2^30
 * readers the try forms: EBUSY; the timed ones: ETIMEDOUT, EINVAL, until is no time
 * pthread_rwlock_unlock: EPERM, nobody has it, or another one for writing
 * pthread_rwlock_destroy: EBUSY, somebody has it */
int pthread_rwlock_init(pthread_rwlock_t *restrict rwlock,
                        const pthread_rwlockattr_t *restrict attr);
int pthread_rwlock_destroy(pthread_rwlock_t *rwlock);
int pthread_rwlock_rdlock(pthread_rwlock_t *rwlock);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *rwlock);
int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict rwlock,
                               const struct timespec *restrict until);
int pthread_rwlock_wrlock(pthread_rwlock_t *rwlock);
int pthread_rwlock_trywrlock(pthread_rwlock_t *rwlock);
int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict rwlock,
                               const struct timespec *restrict until);
int pthread_rwlock_unlock(pthread_rwlock_t *rwlock);
int pthread_rwlockattr_init(pthread_rwlockattr_t *attr);
int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr);

/* pthread_barrier_init: EINVAL, a count of 0
 * pthread_barrier_wait: PTHREAD_BARRIER_SERIAL_THREAD in one of them, 0 in the others
 * pthread_barrier_destroy: EBUSY, somebody waits; else it waits for those that leave */
int pthread_barrier_init(pthread_barrier_t *restrict barrier,
                         const pthread_barrierattr_t *restrict attr, unsigned count);
int pthread_barrier_destroy(pthread_barrier_t *barrier);
int pthread_barrier_wait(pthread_barrier_t *barrier);
int pthread_barrierattr_init(pthread_barrierattr_t *attr);
int pthread_barrierattr_destroy(pthread_barrierattr_t *attr);

/* A thread that waits lets others run now and then. pthread_spin_trylock: EBUSY */
int pthread_spin_init(pthread_spinlock_t *spin, int shared);
int pthread_spin_destroy(pthread_spinlock_t *spin);
int pthread_spin_lock(pthread_spinlock_t *spin);
int pthread_spin_trylock(pthread_spinlock_t *spin);
int pthread_spin_unlock(pthread_spinlock_t *spin);

/* The first call runs init, and all return when it has been run. */
int pthread_once(pthread_once_t *once, void (*init)(void));

/* At a thread's end its values that are not NULL are given to their destructors, the value being
 * NULL already; four times at most, if those set values.
 *
 * pthread_key_create: EAGAIN, there are PTHREAD_KEYS_MAX
 * pthread_key_delete: EINVAL, it is none
 * pthread_setspecific: EINVAL, it is none; ENOMEM */
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);

/* Handlers that pthread_exit calls, last first, before the destructors of values. A pair of them
 * stands in one block. */
struct pthread_cleanup {
    void (*fn)(void *);
    void *arg;
    struct pthread_cleanup *outer;
};
void pthread_cleanup_begin(struct pthread_cleanup *handler);
void pthread_cleanup_end(int run);
#define pthread_cleanup_push(f, a) \
    do { \
    pthread_cleanup_begin(&(struct pthread_cleanup){f, a, NULL})
#define pthread_cleanup_pop(run) \
    pthread_cleanup_end(run); \
    } \
    while (0)
