/* Futexes, and what becomes of locks whose owner has ended. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include "threads.h"

/* ---- futexes ---- */

static int first_word, second_word;

static long futex(int *word, int what, long value, long limit, int *to, long more) {
    return syscall(SYS_futex, word, what, value, limit, to, more);
}

static void *wait_for_bit(void *arg) {
    return (void *)futex(&first_word, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, NULL, (long)arg);
}

static void wake_all(int *word, int bits, int n) {
    while (n > 0) {
        n -= (int)futex(word, FUTEX_WAKE_BITSET_PRIVATE, n, 0, NULL, bits);
        sched_yield();
    }
}

static void check_futex(void) {
    struct timespec soon = {0, 1000000};
    pthread_t t[3];
    CHECK(futex(&first_word, FUTEX_WAIT, 1, 0, NULL, 0) == -1 && errno == EAGAIN);
    CHECK(futex(&first_word, FUTEX_WAIT, 0, (long)&soon, NULL, 0) == -1 && errno == ETIMEDOUT);
    CHECK(futex((int *)((char *)&first_word + 1), FUTEX_WAKE, 1, 0, NULL, 0) == -1 &&
          errno == EINVAL);
    CHECK(futex(&first_word, FUTEX_WAIT_BITSET, 0, 0, NULL, 0) == -1 && errno == EINVAL);
    for (long i = 0; i < 3; i++)
        t[i] = begin(wait_for_bit, (void *)(1L << i));
    for (int moved = 0; moved < 2; sched_yield())
        moved += (int)futex(&first_word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 2 - moved, &second_word, 0);
    CHECK(futex(&first_word, FUTEX_CMP_REQUEUE, 0, 3, &second_word, 1) == -1 && errno == EAGAIN);
    wake_all(&first_word, 7, 1); /* the third one */
    CHECK(futex(&first_word, FUTEX_WAKE, 3, 0, NULL, 0) == 0);
    CHECK(futex(&second_word, FUTEX_WAKE_BITSET, 3, 0, NULL, 8) == 0);
    CHECK(futex(&second_word, FUTEX_WAKE, 3, 0, NULL, 0) == 2);
    for (int i = 0; i < 3; i++)
        CHECK(end_of(t[i]) == NULL);
}

/* ---- locks whose owner has ended ---- */

static pthread_mutex_t *robust; /* in shared memory */

static void *lock_and_end(void *arg) {
    pthread_mutex_lock(robust);
    return arg;
}

static void lock_and_be_killed(void) {
    pthread_mutex_lock(robust);
    kill(getpid(), SIGKILL);
}

static void lock_and_exec(void) {
    pthread_mutex_lock(robust);
    execl("/bin/true", "true", NULL);
}

static void *wait_for_lock(void *arg) { return (void *)(long)pthread_mutex_lock(robust); }

static void is_given_back(void) {
    CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
}

static void check_robust(void) {
    pthread_mutexattr_t a;
    robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(robust != MAP_FAILED && pthread_mutexattr_init(&a) == 0);
    CHECK(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) == 0);
    CHECK(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(robust, &a) == 0);
    end_of(begin(lock_and_end, NULL));
    is_given_back();
    int status = status_of(lock_and_be_killed);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    is_given_back();
    CHECK(status_of(lock_and_exec) == 0);
    is_given_back();
}

/* Somebody waits for it when its owner is killed. */
static void check_robust_waiter(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(robust);
        for (;;)
            pause();
    }
    while (!__atomic_load_n((int *)robust, __ATOMIC_RELAXED))
        sched_yield();
    pthread_t t = begin(wait_for_lock, NULL);
    while (!(__atomic_load_n((int *)robust, __ATOMIC_RELAXED) & FUTEX_WAITERS))
        sched_yield();
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(end_of(t) == (void *)EOWNERDEAD);
    CHECK(waitpid(child, NULL, 0) == child);
}

/* Lists that no program would make. */
static struct robust_list_head list;

static void end_with_circle(void) {
    static struct robust_list a, b;
    a.next = &b;
    b.next = &a;
    list = (struct robust_list_head){{&a}, 16, &a};
    syscall(SYS_set_robust_list, &list, sizeof(list));
    _exit(0);
}

static void end_with_odd_entry(void) {
    list = (struct robust_list_head){{(void *)((char *)&list + 4)}, 3, (void *)-8L};
    syscall(SYS_set_robust_list, &list, sizeof(list));
    _exit(0);
}

static void end_without_list(void) {
    syscall(SYS_set_robust_list, (void *)-4096L, sizeof(list));
    _exit(0);
}

static void check_wrong_lists(void) {
    CHECK(status_of(end_with_circle) == 0);
    CHECK(status_of(end_with_odd_entry) == 0);
    CHECK(status_of(end_without_list) == 0);
    CHECK(syscall(SYS_set_robust_list, &list, 8) == -1 && errno == EINVAL);
}

int main(void) {
    check_futex();
    check_robust();
    check_robust_waiter();
    check_wrong_lists();
    return tell_end();
}
