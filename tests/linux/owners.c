/* flags: -static -pthread */
/* Locks that know their owner (FUTEX_LOCK_PI), and wake-ups that depend on another word. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include "threads.h"

static uint32_t word, other;

static long futex(uint32_t *at, int what, long value, long limit, uint32_t *to, long more) {
    return syscall(SYS_futex, at, what | FUTEX_PRIVATE_FLAG, value, limit, to, more);
}

static long lock(void) { return futex(&word, FUTEX_LOCK_PI, 0, 0, NULL, 0); }
static long try_lock(void) { return futex(&word, FUTEX_TRYLOCK_PI, 0, 0, NULL, 0); }
static long unlock(void) { return futex(&word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0); }
static uint32_t now(void) { return __atomic_load_n(&word, __ATOMIC_SEQ_CST); }

static void wait_for_waiter(void) {
    while (!(now() & FUTEX_WAITERS))
        sched_yield();
}

/* ---- the calls ---- */

static void *try_in_thread(void *arg) {
    long err = try_lock() == -1 ? errno : 0;
    return (void *)err;
}

static void *unlock_in_thread(void *arg) {
    long err = unlock() == -1 ? errno : 0;
    return (void *)err;
}

static void check_calls(void) {
    CHECK(lock() == 0 && now() == (uint32_t)gettid());
    CHECK(lock() == -1 && errno == EDEADLK && try_lock() == -1 && errno == EDEADLK);
    CHECK(end_of(begin(try_in_thread, NULL)) == (void *)EAGAIN);
    CHECK(end_of(begin(unlock_in_thread, NULL)) == (void *)EPERM);
    CHECK(unlock() == 0 && now() == 0 && unlock() == -1 && errno == EPERM);
    word = 0x3ffffff0; /* nobody's number */
    CHECK(lock() == -1 && errno == ESRCH && try_lock() == -1 && errno == ESRCH);
    word = FUTEX_OWNER_DIED;
    CHECK(try_lock() == 0 && now() == ((uint32_t)gettid() | FUTEX_OWNER_DIED) && unlock() == 0);
    CHECK(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI, 0, 0, NULL, 0) == -1);
    CHECK(futex((uint32_t *)8, FUTEX_LOCK_PI, 0, 0, NULL, 0) == -1 && errno == EFAULT);
    CHECK(futex((uint32_t *)8, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == -1 && errno == EFAULT);
}

static void *take_and_tell(void *arg) {
    CHECK(lock() == 0);
    CHECK((now() & FUTEX_TID_MASK) == (uint32_t)gettid());
    *(int *)arg = gettid();
    while (__atomic_load_n((int *)arg, __ATOMIC_SEQ_CST))
        sched_yield();
    CHECK(unlock() == 0);
    return NULL;
}

/* Who gives it back gives it to who waits: nobody else can have it in between. */
static void check_given(void) {
    int told = 0;
    CHECK(lock() == 0);
    pthread_t t = begin(take_and_tell, &told);
    wait_for_waiter();
    CHECK(unlock() == 0);
    uint32_t owner = now() & FUTEX_TID_MASK;
    CHECK(owner != 0 && owner != (uint32_t)gettid());
    CHECK(try_lock() == -1 && errno == EAGAIN);
    struct timespec soon = after(CLOCK_REALTIME, 5000000);
    CHECK(futex(&word, FUTEX_LOCK_PI, 0, (long)&soon, NULL, 0) == -1 && errno == ETIMEDOUT);
    soon = after(CLOCK_MONOTONIC, 5000000);
    CHECK(futex(&word, 13, 0, (long)&soon, NULL, 0) == -1 && errno == ETIMEDOUT);
    while (!__atomic_load_n(&told, __ATOMIC_SEQ_CST))
        sched_yield();
    CHECK(told == (int)owner);
    __atomic_store_n(&told, 0, __ATOMIC_SEQ_CST);
    end_of(t);
    CHECK_EQ((int)now(), 0);
}

static void *take_and_end(void *arg) {
    CHECK(lock() == 0);
    wait_for_waiter();
    return NULL;
}

/* The owner ends with it: whoever waits has it, and is told. */
static void check_owner_ends(void) {
    pthread_t t = begin(take_and_end, NULL);
    while (!now())
        sched_yield();
    CHECK(lock() == 0);
    CHECK((now() & ~FUTEX_WAITERS) == ((uint32_t)gettid() | FUTEX_OWNER_DIED));
    CHECK(unlock() == 0 && now() == 0);
    end_of(t);
}

static volatile sig_atomic_t handled;
static void handle(int signal) { handled = 1; }

static void *wait_with_handler(void *arg) {
    *(pthread_t *)arg = pthread_self();
    CHECK(lock() == 0 && handled && unlock() == 0);
    return NULL;
}

/* A handler runs in between, and the lock is waited for again, without SA_RESTART too. */
static void check_handler(void) {
    const struct sigaction a = {.sa_handler = handle};
    pthread_t waiter;
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0 && lock() == 0);
    pthread_t t = begin(wait_with_handler, &waiter);
    wait_for_waiter();
    CHECK(pthread_kill(waiter, SIGUSR1) == 0);
    while (!handled)
        sched_yield();
    CHECK(unlock() == 0);
    end_of(t);
}

/* ---- mutexes of POSIX ---- */

static pthread_mutex_t *mutex;
static int sum;

static void *add(void *arg) {
    for (int i = 0; i < 2000; i++) {
        CHECK(pthread_mutex_lock(mutex) == 0);
        sum++;
        CHECK(pthread_mutex_unlock(mutex) == 0);
    }
    return NULL;
}

static void *lock_timed(void *arg) {
    struct timespec soon = after(CLOCK_REALTIME, 5000000);
    CHECK(pthread_mutex_trylock(mutex) == EBUSY);
    return (void *)(long)pthread_mutex_timedlock(mutex, &soon);
}

static void check_sums(void) {
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        t[i] = begin(add, NULL);
    for (int i = 0; i < 4; i++)
        end_of(t[i]);
    CHECK_EQ(sum, 8000);
    CHECK(pthread_mutex_lock(mutex) == 0);
    CHECK(end_of(begin(lock_timed, NULL)) == (void *)ETIMEDOUT);
    CHECK(pthread_mutex_unlock(mutex) == 0);
}

static void *lock_and_end(void *arg) { return (void *)(long)pthread_mutex_lock(mutex); }
static void *lock_it(void *arg) { return (void *)(long)pthread_mutex_lock(mutex); }

static void lock_and_be_killed(void) {
    pthread_mutex_lock(mutex);
    kill(getpid(), SIGKILL);
}

static void is_given_back(void) {
    CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
}

static void check_robust(void) {
    end_of(begin(lock_and_end, NULL));
    is_given_back();
    int status = status_of(lock_and_be_killed);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    is_given_back();
    /* While two wait for it: one after the other has it. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(mutex);
        for (;;)
            pause();
    }
    const uint32_t *its = (const uint32_t *)mutex;
    while (!__atomic_load_n(its, __ATOMIC_RELAXED))
        sched_yield();
    pthread_t t = begin(lock_it, NULL);
    while (!(__atomic_load_n(its, __ATOMIC_RELAXED) & FUTEX_WAITERS))
        sched_yield();
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(end_of(t) == (void *)EOWNERDEAD); /* and has ended with it itself */
    is_given_back();
}

static void check_mutexes(void) {
    pthread_mutexattr_t a;
    mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mutex != MAP_FAILED && pthread_mutexattr_init(&a) == 0);
    CHECK(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT) == 0);
    CHECK(pthread_mutex_init(mutex, &a) == 0);
    check_sums();
    CHECK(pthread_mutex_destroy(mutex) == 0);
    CHECK(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(mutex, &a) == 0);
    check_robust();
}

/* ---- FUTEX_WAKE_OP ---- */

static void *wait_for(void *arg) {
    while (futex(arg, FUTEX_WAIT, 0, 0, NULL, 0) == -1 && errno == EINTR)
        continue;
    return NULL;
}

static int change(int op, int by, int compare, int with) {
    return (int)futex(&word, FUTEX_WAKE_OP, 1, 1, &other, FUTEX_OP(op, by, compare, with));
}

static void check_wake_op(void) {
    word = 0;
    other = 5;
    CHECK(change(FUTEX_OP_ADD, -3, FUTEX_OP_CMP_EQ, 5) == 0 && other == 2);
    CHECK(change(FUTEX_OP_OR, 8, FUTEX_OP_CMP_LT, 0) == 0 && other == 10);
    CHECK(change(FUTEX_OP_ANDN, 2, FUTEX_OP_CMP_GE, 0) == 0 && other == 8);
    CHECK(change(FUTEX_OP_XOR, 12, FUTEX_OP_CMP_NE, 0) == 0 && other == 4);
    CHECK(change(FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 5, FUTEX_OP_CMP_EQ, 0) == 0 && other == 32);
    CHECK(change(7, 0, 0, 0) == -1 && errno == ENOSYS && change(0, 0, 9, 0) == -1);
    other = 0;
    pthread_t a = begin(wait_for, &word), b = begin(wait_for, &other);
    /* The second one is woken when it was as it is now, 0. */
    int first = 0, both = 0;
    while (first == 0) {
        sched_yield();
        first = change(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 1);
    }
    while (both == 0) {
        sched_yield();
        both = change(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 0);
    }
    CHECK(first == 1 && both == 1);
    end_of(a);
    end_of(b);
}

int main(void) {
    check_calls();
    check_given();
    check_owner_ends();
    check_handler();
    check_mutexes();
    check_wake_op();
    return tell_end();
}
