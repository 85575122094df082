/* POSIX threads of glibc's, and what of the kernel they stand on: clone, futexes, the end of a
 * thread, its locks, signals for one. Prints one line for each thing that is not so, and
 * "threads: OK" at the end when all is. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int failures;

#define CHECK(what) \
    do { \
        errno = 0; \
        if (!(what)) { \
            printf("threads: line %d: %s (errno %d)\n", __LINE__, #what, errno); \
            failures++; \
        } \
    } while (0)

#define THREADS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static pthread_t begin(void *(*fn)(void *), void *arg) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, fn, arg) == 0);
    return t;
}

static void *end_of(pthread_t t) {
    void *result;
    CHECK(pthread_join(t, &result) == 0);
    return result;
}

/* ---- locks and conditions ---- */

static unsigned counter, whose_turn;

static void *count(void *arg) {
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&mutex);
        unsigned before = counter;
        if (i % 64 == 0)
            sched_yield();
        counter = before + 1;
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

static void *take_turns(void *arg) {
    unsigned me = (unsigned)(long)arg;
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (whose_turn % THREADS != me)
            pthread_cond_wait(&changed, &mutex);
        whose_turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

static void check_locks(void *(*fn)(void *)) {
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++)
        t[i] = begin(fn, (void *)i);
    for (long i = 0; i < THREADS; i++)
        CHECK(end_of(t[i]) == (void *)i);
}

static void check_timed_wait(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    pthread_mutex_lock(&mutex);
    CHECK(pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

/* ---- what each has of its own ---- */

static __thread int own = 7;
static pthread_key_t key;
static int destroyed; /* atomic */

static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(long)value, 5); }

static void *look_at_own(void *arg) {
    int before = own;
    own = (int)(long)arg;
    double kept = own / 8.0;
    pthread_setspecific(key, (void *)1L);
    sched_yield();
    return (void *)(long)(before == 7 && own == (int)(long)arg && kept * 8 == own &&
                          gettid() != getpid());
}

static void check_own(void) {
    pthread_t t[THREADS];
    CHECK(pthread_key_create(&key, destroy) == 0);
    for (long i = 0; i < THREADS; i++)
        t[i] = begin(look_at_own, (void *)(i + 10));
    for (long i = 0; i < THREADS; i++)
        CHECK(end_of(t[i]) == (void *)1L);
    CHECK(own == 7 && destroyed == THREADS);
}

/* ---- beginning and end, very often ---- */

static void *nothing(void *arg) { return arg; }

static unsigned long free_frames(void) {
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return info.freeram;
}

static void check_many(void) {
    unsigned long before = 0;
    for (long i = 0; i < 1200; i++) {
        if (i == 200)
            before = free_frames();
        CHECK(end_of(begin(nothing, (void *)i)) == (void *)i);
    }
    CHECK(free_frames() + 64 > before);
}

static void *tell_number(void *arg) {
    *(pid_t *)arg = gettid();
    return NULL;
}

static void check_numbers(void) {
    pid_t tid = 0;
    CHECK(gettid() == getpid());
    CHECK(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
    end_of(begin(tell_number, &tid));
    CHECK(tid > 0 && tid != getpid());
    CHECK(kill(tid, 0) == -1 && errno == ESRCH);
}

/* ---- the end of a process ---- */

static int status_of(void (*fn)(void)) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fn();
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

static void *outlive_first(void *arg) {
    while (syscall(SYS_tgkill, getpid(), getpid(), 0) == 0)
        sched_yield();
    syscall(SYS_exit, 5);
    return arg;
}

static void first_ends(void) {
    begin(outlive_first, NULL);
    syscall(SYS_exit, 3);
}

static void *end_all(void *arg) { _exit(6); }

static void other_ends_all(void) {
    begin(end_all, NULL);
    for (;;)
        pause();
}

static void *run_another(void *arg) {
    char number[16];
    snprintf(number, sizeof(number), "%d", getpid());
    execl("/linux/threads", "again", number, NULL);
    return arg;
}

static void other_execs(void) {
    begin(run_another, NULL);
    for (;;)
        pause();
}

static void end_eight(void) { _exit(gettid() == getpid() ? 8 : 1); }

static void *fork_from_here(void *arg) { return (void *)(long)status_of(end_eight); }

static void check_ends(void) {
    int status = status_of(first_ends);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    status = status_of(other_ends_all);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
    status = status_of(other_execs);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = (int)(long)end_of(begin(fork_from_here, NULL));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
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

/* ---- signals for one ---- */

static pid_t caught_by;

static void handler(int signal) { caught_by = gettid(); }

static void *be_caught(void *arg) {
    tell_number(arg);
    while (!__atomic_load_n(&caught_by, __ATOMIC_RELAXED))
        sched_yield();
    return NULL;
}

static void *read_for_ever(void *arg) {
    char byte;
    return (void *)read(*(int *)arg, &byte, 1);
}

static pid_t main_process;

static void *send_term(void *arg) {
    kill(main_process, SIGTERM);
    return arg;
}

static void send_to_first(void) {
    _exit(syscall(SYS_tgkill, main_process, main_process, SIGUSR2) == 0 ? 0 : 1);
}

/* What is waited for does nothing else, whatever it does to others. */
static void check_waits_for_signals(void) {
    struct timespec soon = {0, 1000000}, never = {1000, 0};
    siginfo_t info;
    sigset_t set, old;
    main_process = getpid();
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMAX);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(sigtimedwait(&set, &info, &soon) == -1 && errno == EAGAIN);
    pthread_t t = begin(send_term, NULL);
    CHECK(sigtimedwait(&set, &info, &never) == SIGTERM && info.si_pid == main_process);
    end_of(t);
    CHECK(status_of(send_to_first) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR2);
    CHECK(raise(SIGRTMAX) == 0 && sigwaitinfo(&set, NULL) == SIGRTMAX);
    CHECK(sigpending(&set) == 0 && !sigismember(&set, SIGTERM) && !sigismember(&set, SIGRTMAX));
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
}

static int *waiting; /* in shared memory */

static void *wait_for_either(void *arg) {
    __atomic_add_fetch(waiting, 1, __ATOMIC_RELAXED);
    long signal = sigwaitinfo(arg, NULL);
    __atomic_sub_fetch(waiting, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(waiting, __ATOMIC_RELAXED))
        sched_yield(); /* the end of a thread could wake the other one */
    return (void *)signal;
}

static bool all_sleep(pid_t process) {
    char path[32], state = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", process);
    FILE *f = fopen(path, "r");
    CHECK(f && fscanf(f, "%*d %*s %c", &state) == 1 && fclose(f) == 0);
    return state == 'S';
}

/* Two wait for the same two signals, which come at once: each gets one. */
static void check_two_wait_for_signals(void) {
    sigset_t set, old;
    int status;
    waiting = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR2);
    CHECK(waiting != MAP_FAILED && pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    for (int round = 0; round < 10 && !failures; round++) {
        *waiting = 0;
        pid_t child = fork();
        if (child == 0) {
            pthread_t a = begin(wait_for_either, &set), b = begin(wait_for_either, &set);
            _exit((long)end_of(a) + (long)end_of(b) == SIGTERM + SIGUSR2 ? 9 : 1);
        }
        while (__atomic_load_n(waiting, __ATOMIC_RELAXED) < 2 || !all_sleep(child))
            sched_yield();
        CHECK(kill(child, SIGTERM) == 0 && kill(child, SIGUSR2) == 0);
        CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9);
    }
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0 && munmap(waiting, 4096) == 0);
}

/* ---- scheduling ---- */

static void *take_name(void *arg) {
    char name[16];
    CHECK(pthread_setname_np(pthread_self(), arg) == 0);
    sched_yield();
    CHECK(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 && !strcmp(name, arg));
    return NULL;
}

static void check_scheduling(void) {
    struct sched_param param = {1};
    cpu_set_t harts;
    char name[16];
    pthread_t a = begin(take_name, "one"), b = begin(take_name, "another");
    end_of(a);
    end_of(b);
    CHECK(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 && !strcmp(name, "threads"));
    CHECK(pthread_getaffinity_np(pthread_self(), sizeof(harts), &harts) == 0);
    CHECK(CPU_COUNT(&harts) == sysconf(_SC_NPROCESSORS_ONLN) && CPU_ISSET(sched_getcpu(), &harts));
    CHECK(sched_setaffinity(0, sizeof(harts), &harts) == 0);
    CPU_ZERO(&harts);
    CHECK(sched_setaffinity(0, sizeof(harts), &harts) == -1 && errno == EINVAL);
    CHECK(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &param) == 0);
    CHECK(param.sched_priority == 0 && sched_get_priority_max(SCHED_OTHER) == 0);
    CHECK(sched_setscheduler(0, SCHED_FIFO, &param) == -1 && errno == EINVAL);
}

static void check_signals(void) {
    struct sigaction action = {.sa_handler = handler};
    pid_t tid;
    int ends[2];
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_t t = begin(be_caught, &tid);
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    end_of(t);
    CHECK(caught_by == tid);
    CHECK(pipe(ends) == 0);
    t = begin(read_for_ever, &ends[0]);
    CHECK(pthread_cancel(t) == 0);
    CHECK(end_of(t) == PTHREAD_CANCELED);
}

int main(int argc, char **argv) {
    if (!strcmp(argv[0], "again"))
        return atoi(argv[1]) == getpid() && gettid() == getpid() ? 7 : 1;
    check_locks(count);
    CHECK(counter == THREADS * 500);
    check_locks(take_turns);
    CHECK(whose_turn == THREADS * 50);
    check_timed_wait();
    check_own();
    check_many();
    check_numbers();
    check_ends();
    check_robust();
    check_robust_waiter();
    check_wrong_lists();
    check_futex();
    check_signals();
    check_waits_for_signals();
    check_two_wait_for_signals();
    check_scheduling();
    if (!failures)
        puts("threads: OK");
    return failures != 0;
}
