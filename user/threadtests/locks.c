/* What POSIX threads wait for each other with. */
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../tests/test.h"

#define THREADS 8
#define ROUNDS 500
#define SHORT 20000000L /* nanoseconds */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static sem_t sem;
static unsigned counter, inside;

static void run_threads(unsigned n, void *(*fn)(void *)) {
    pthread_t thread[16];
    for (uint64_t i = 0; i < n; i++)
        CHECK_EQ(pthread_create(&thread[i], NULL, fn, (void *)i), 0);
    for (unsigned i = 0; i < n; i++)
        CHECK_EQ(pthread_join(thread[i], NULL), 0);
}

/* What call gives in another thread. */
static int (*asked)(void);
static void *ask(void *arg) { return (void *)(long)asked(); }

static int elsewhere(int (*call)(void)) {
    pthread_t t;
    void *answer;
    asked = call;
    CHECK_EQ(pthread_create(&t, NULL, ask, NULL), 0);
    CHECK_EQ(pthread_join(t, &answer), 0);
    return (int)(long)answer;
}

static struct timespec after(clockid_t clock, long nanoseconds) {
    struct timespec t;
    CHECK_EQ(clock_gettime(clock, &t), 0);
    t.tv_nsec += nanoseconds;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static bool is_past(clockid_t clock, const struct timespec *t) {
    struct timespec now = after(clock, 0);
    return now.tv_sec > t->tv_sec || (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

static const struct timespec no_time = {0, 1000000000}, long_ago = {1, 0};

/* ---- mutexes ---- */

static int try_mutex(void) { return pthread_mutex_trylock(&mutex); }
static int unlock_mutex(void) { return pthread_mutex_unlock(&mutex); }

static void use(pthread_mutex_t initial) {
    mutex = initial;
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(elsewhere(try_mutex), EBUSY);
    CHECK_EQ(pthread_mutex_destroy(&mutex), EBUSY);
}

static void errors(void) {
    pthread_mutexattr_t attr;
    int type;
    use((pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER);
    CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
    CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
    CHECK_EQ(elsewhere(unlock_mutex), EPERM);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
    CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
    CHECK_EQ(pthread_mutexattr_init(&attr), 0);
    CHECK_EQ(pthread_mutexattr_settype(&attr, 3), EINVAL);
    CHECK_EQ(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE), 0);
    CHECK(pthread_mutexattr_gettype(&attr, &type) == 0 && type == PTHREAD_MUTEX_RECURSIVE);
    CHECK_EQ(pthread_mutex_init(&mutex, &attr), 0);
    use(mutex);
    CHECK_EQ(pthread_mutex_lock(&mutex), 0);
    CHECK_EQ(pthread_mutex_trylock(&mutex), 0);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(elsewhere(unlock_mutex), EPERM);
    CHECK_EQ(elsewhere(try_mutex), EBUSY);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    CHECK_EQ(elsewhere(try_mutex), 0);
    CHECK_EQ(pthread_mutex_lock(&(pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER), 0);
}

/* Not one step, so that another thread in between is noticed. */
static void count_in_steps(void) {
    unsigned n = *(volatile unsigned *)&counter;
    CHECK_EQ(inside++, 0);
    if (n % 32 == 0)
        sched_yield();
    inside--;
    *(volatile unsigned *)&counter = n + 1;
}

static void *count_under_mutex(void *arg) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(pthread_mutex_lock(&mutex), 0);
        count_in_steps();
        CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    }
    return NULL;
}

static void contention(void) {
    static const pthread_mutex_t kinds[] = {PTHREAD_MUTEX_INITIALIZER,
                                            PTHREAD_RECURSIVE_MUTEX_INITIALIZER,
                                            PTHREAD_ERRORCHECK_MUTEX_INITIALIZER};
    for (unsigned i = 0; i < 3; i++) {
        mutex = kinds[i];
        counter = 0;
        run_threads(THREADS, count_under_mutex);
        CHECK_EQ(counter, THREADS * ROUNDS);
    }
}

static void *count_under_spin(void *arg) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(pthread_spin_lock(&spin), 0);
        count_in_steps();
        CHECK_EQ(pthread_spin_unlock(&spin), 0);
    }
    return NULL;
}

static void spinlocks(void) {
    CHECK_EQ(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    CHECK_EQ(pthread_spin_trylock(&spin), 0);
    CHECK_EQ(pthread_spin_trylock(&spin), EBUSY);
    CHECK_EQ(pthread_spin_unlock(&spin), 0);
    run_threads(THREADS, count_under_spin);
    CHECK_EQ(counter, THREADS * ROUNDS);
}

/* ---- conditions ---- */

static void *take_turns(void *arg) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        while (counter % 2 != (uint64_t)arg)
            CHECK_EQ(pthread_cond_wait(&cond, &mutex), 0);
        counter++;
        CHECK_EQ(pthread_cond_signal(&cond), 0);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void ping_pong(void) {
    run_threads(2, take_turns);
    CHECK_EQ(counter, 2 * ROUNDS);
}

/* The last to come wakes the others; and each condition is gone right after. */
static void *meet(void *arg) {
    pthread_mutex_lock(&mutex);
    if (++counter == THREADS)
        CHECK_EQ(pthread_cond_broadcast(&cond), 0);
    while (counter < THREADS)
        CHECK_EQ(pthread_cond_wait(&cond, &mutex), 0);
    if (++inside == THREADS)
        CHECK_EQ(pthread_cond_destroy(&cond), 0);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void broadcast(void) {
    for (unsigned i = 0; i < 10; i++) {
        counter = inside = 0;
        CHECK_EQ(pthread_cond_init(&cond, NULL), 0);
        run_threads(THREADS, meet);
    }
    mutex = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER;
    pthread_cond_init(&cond, NULL);
    CHECK_EQ(pthread_cond_wait(&cond, &mutex), EPERM);
}

/* ---- readers and writers ---- */

static int try_read(void) { return pthread_rwlock_tryrdlock(&rwlock); }
static int try_write(void) { return pthread_rwlock_trywrlock(&rwlock); }
static int unlock_rwlock(void) { return pthread_rwlock_unlock(&rwlock); }

static void rwlock_errors(void) {
    CHECK_EQ(pthread_rwlock_unlock(&rwlock), EPERM);
    CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
    CHECK_EQ(elsewhere(try_read), 0);
    CHECK_EQ(elsewhere(try_write), EBUSY);
    CHECK_EQ(pthread_rwlock_destroy(&rwlock), EBUSY);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_wrlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_wrlock(&rwlock), EDEADLK);
    CHECK_EQ(pthread_rwlock_rdlock(&rwlock), EDEADLK);
    CHECK_EQ(elsewhere(try_read), EBUSY);
    CHECK_EQ(elsewhere(unlock_rwlock), EPERM);
    CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    CHECK_EQ(pthread_rwlock_destroy(&rwlock), 0);
}

/* Half of them write; a reader sees what no writer is in the middle of. */
static void *read_or_write(void *arg) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        if ((uint64_t)arg % 2) {
            CHECK_EQ(pthread_rwlock_wrlock(&rwlock), 0);
            count_in_steps();
        } else {
            CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
            unsigned n = *(volatile unsigned *)&counter;
            if (i % 32 == 0)
                sched_yield();
            CHECK(inside == 0 && n == *(volatile unsigned *)&counter);
        }
        CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
    }
    return NULL;
}

static void readers_and_writers(void) {
    run_threads(THREADS, read_or_write);
    CHECK_EQ(counter, THREADS / 2 * ROUNDS);
}

/* ---- barriers, once, semaphores ---- */

static void *pass_barrier(void *arg) {
    for (unsigned i = 1; i <= 20; i++) {
        __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
        int r = pthread_barrier_wait(&barrier);
        CHECK(r == 0 || r == PTHREAD_BARRIER_SERIAL_THREAD);
        CHECK_EQ(__atomic_load_n(&counter, __ATOMIC_RELAXED), 16 * i);
        if (r)
            __atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED);
        CHECK_EQ(pthread_barrier_wait(&barrier) > 0, 0);
    }
    return NULL;
}

static void barriers(void) {
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, 16), 0);
    run_threads(16, pass_barrier);
    CHECK_EQ(inside, 20);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static pthread_once_t once_control = PTHREAD_ONCE_INIT;

static void slowly(void) {
    for (unsigned i = 0; i < 20; i++)
        sched_yield();
    __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
}

static void *once_each(void *arg) {
    CHECK_EQ(pthread_once(&once_control, slowly), 0);
    CHECK_EQ(__atomic_load_n(&counter, __ATOMIC_RELAXED), 1);
    return NULL;
}

static void once(void) { run_threads(THREADS, once_each); }

static void *three_at_most(void *arg) {
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQ(sem_wait(&sem), 0);
        CHECK(__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) <= 3);
        if (i % 16 == 0)
            sched_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED);
        CHECK_EQ(sem_post(&sem), 0);
    }
    return NULL;
}

static void semaphores(void) {
    int value;
    CHECK(sem_init(&sem, 0, SEM_VALUE_MAX + 1u) == -1 && errno == EINVAL);
    CHECK_EQ(sem_init(&sem, 0, SEM_VALUE_MAX), 0);
    CHECK(sem_post(&sem) == -1 && errno == EOVERFLOW);
    CHECK_EQ(sem_init(&sem, 0, 1), 0);
    CHECK_EQ(sem_trywait(&sem), 0);
    CHECK(sem_trywait(&sem) == -1 && errno == EAGAIN);
    CHECK_EQ(sem_init(&sem, 0, 3), 0);
    run_threads(THREADS, three_at_most);
    CHECK(sem_getvalue(&sem, &value) == 0 && value == 3);
    CHECK_EQ(sem_destroy(&sem), 0);
}

/* In memory that two processes share. */
static void between_processes(void) {
    struct {
        pthread_mutex_t mutex;
        sem_t sem;
        unsigned n;
    } *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    shared->mutex = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER;
    CHECK_EQ(pthread_mutex_lock(&shared->mutex), 0);
    int pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        int err = pthread_mutex_unlock(&shared->mutex);
        CHECK_EQ(sem_post(&shared->sem), 0);
        CHECK_EQ(err, EPERM);
        CHECK_EQ(pthread_mutex_lock(&shared->mutex), 0);
        CHECK_EQ(shared->n, 1);
        sys_exit(0);
    }
    CHECK_EQ(sem_wait(&shared->sem), 0);
    shared->n = 1;
    CHECK_EQ(pthread_mutex_unlock(&shared->mutex), 0);
    CHECK_EQ(reap(pid), 0);
}

/* ---- times ---- */

static int lock_short(void) {
    struct timespec until = after(CLOCK_REALTIME, SHORT);
    int err = pthread_mutex_timedlock(&mutex, &until);
    CHECK(is_past(CLOCK_REALTIME, &until));
    return err;
}

static int read_short(void) {
    struct timespec until = after(CLOCK_REALTIME, SHORT);
    int err = pthread_rwlock_timedrdlock(&rwlock, &until);
    CHECK(is_past(CLOCK_REALTIME, &until));
    CHECK_EQ(pthread_rwlock_timedwrlock(&rwlock, &long_ago), ETIMEDOUT);
    return err;
}

static int lock_no_time(void) { return pthread_mutex_timedlock(&mutex, &no_time); }
static int write_no_time(void) { return pthread_rwlock_timedwrlock(&rwlock, &no_time); }

static void wait_short(clockid_t clock) {
    pthread_condattr_t attr;
    CHECK_EQ(pthread_condattr_init(&attr), 0);
    CHECK_EQ(pthread_condattr_setclock(&attr, clock), 0);
    CHECK_EQ(pthread_cond_init(&cond, &attr), 0);
    struct timespec until = after(clock, SHORT);
    while (pthread_cond_timedwait(&cond, &mutex, &until) != ETIMEDOUT)
        continue;
    CHECK(is_past(clock, &until));
    CHECK_EQ(elsewhere(try_mutex), EBUSY); /* the caller has it again */
}

static void timeouts(void) {
    pthread_condattr_t attr;
    CHECK_EQ(pthread_condattr_setclock(&attr, 7), EINVAL);
    CHECK_EQ(pthread_mutex_timedlock(&mutex, &long_ago), 0); /* it is free */
    CHECK_EQ(elsewhere(lock_short), ETIMEDOUT);
    CHECK_EQ(elsewhere(lock_no_time), EINVAL);
    wait_short(CLOCK_REALTIME);
    wait_short(CLOCK_MONOTONIC);
    CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &no_time), EINVAL);
    CHECK_EQ(pthread_rwlock_timedwrlock(&rwlock, &long_ago), 0);
    CHECK_EQ(elsewhere(read_short), ETIMEDOUT);
    CHECK_EQ(elsewhere(write_no_time), EINVAL);
    CHECK_EQ(sem_init(&sem, 0, 0), 0);
    struct timespec until = after(CLOCK_REALTIME, SHORT);
    CHECK(sem_timedwait(&sem, &until) == -1 && errno == ETIMEDOUT);
    CHECK(is_past(CLOCK_REALTIME, &until));
    CHECK(sem_timedwait(&sem, &no_time) == -1 && errno == EINVAL);
}

static void *wait_for_signal(void *arg) {
    struct timespec until = after(CLOCK_REALTIME, 900000000);
    pthread_mutex_lock(&mutex);
    inside = 1;
    while (counter == 0) {
        until.tv_sec += 60;
        CHECK_EQ(pthread_cond_timedwait(&cond, &mutex, &until), 0);
    }
    pthread_mutex_unlock(&mutex);
    until.tv_sec += 60;
    CHECK_EQ(sem_timedwait(&sem, &until), 0);
    CHECK_EQ(pthread_mutex_timedlock(&mutex, &until), 0);
    return NULL;
}

/* Each time what is waited for comes before the time does. */
static void in_time(void) {
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, wait_for_signal, NULL), 0);
    pthread_mutex_lock(&mutex);
    while (!inside) {
        pthread_mutex_unlock(&mutex);
        sched_yield();
        pthread_mutex_lock(&mutex);
    }
    counter = 1;
    CHECK_EQ(pthread_cond_signal(&cond), 0);
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
    CHECK_EQ(sem_post(&sem), 0);
    sched_yield();
    pthread_mutex_unlock(&mutex);
    CHECK_EQ(pthread_join(t, NULL), 0);
}

const struct test locks_tests[] = {
    {"mutex_errors", errors, false},
    {"contention", contention, false},
    {"spinlocks", spinlocks, false},
    {"condition_ping_pong", ping_pong, false},
    {"broadcast", broadcast, false},
    {"rwlock_errors", rwlock_errors, false},
    {"readers_and_writers", readers_and_writers, false},
    {"barriers", barriers, false},
    {"once", once, false},
    {"semaphores", semaphores, false},
    {"between_processes", between_processes, false},
    {"timed_out", timeouts, false},
    {"in_time", in_time, false},
    {0},
};
