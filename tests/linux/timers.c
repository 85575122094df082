/* flags: -static -pthread */
/* Timers by number: what they send, how often, and when they end. */
#define _GNU_SOURCE
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include "threads.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
#define MS 1000000L

static timer_t make(clockid_t clock, int notify, int signal, int value) {
    struct sigevent e = {.sigev_notify = notify, .sigev_signo = signal};
    timer_t t = NULL;
    e.sigev_value.sival_int = value;
    e.sigev_notify_thread_id = gettid();
    CHECK(timer_create(clock, &e, &t) == 0);
    return t;
}

static int start(timer_t t, long first, long every) {
    const struct itimerspec s = {{every / 1000000000, every % 1000000000},
                                 {first / 1000000000, first % 1000000000}};
    return timer_settime(t, 0, &s, NULL);
}

static long long now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static sigset_t only(int signal) {
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, signal);
    return s;
}

static siginfo_t await(int signal) {
    sigset_t s = only(signal);
    siginfo_t info = {0};
    CHECK_EQ(sigwaitinfo(&s, &info), signal);
    return info;
}

static int pending(int signal) {
    sigset_t s;
    return sigpending(&s) == 0 && sigismember(&s, signal);
}

static void check_errors(void) {
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec s = {{0, 0}, {0, 1000000000}};
    int id;
    CHECK(syscall(SYS_timer_create, 99, &e, &id) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC_RAW, &e, &id) == -1 && errno == EOPNOTSUPP);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &id) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, 8) == -1 && errno == EFAULT);
    e.sigev_signo = 65;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id) == -1 && errno == EINVAL);
    e.sigev_signo = SIGUSR1;
    e.sigev_notify = 3;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id) == -1 && errno == EINVAL);
    e.sigev_notify = SIGEV_THREAD_ID;
    e.sigev_notify_thread_id = 1;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_gettime, 5, &s) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_getoverrun, 5) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_delete, 5) == -1 && errno == EINVAL);
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    CHECK(timer_settime(t, 0, &s, NULL) == -1 && errno == EINVAL);
    CHECK(timer_settime(t, 0, NULL, NULL) == -1 && errno == EINVAL);
    CHECK(timer_settime(t, 0, (void *)8, NULL) == -1 && errno == EFAULT);
    CHECK(timer_gettime(t, &s) == 0 && s.it_value.tv_sec == 0 && s.it_value.tv_nsec == 0);
    CHECK(timer_delete(t) == 0 && timer_delete(t) == -1 && errno == EINVAL);
}

static void check_once(void) {
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 42);
    long long from = now(CLOCK_MONOTONIC);
    CHECK(start(t, 5 * MS, 0) == 0);
    siginfo_t info = await(SIGUSR1);
    CHECK(now(CLOCK_MONOTONIC) - from >= 5 * MS);
    CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 42 && info.si_overrun == 0);
    struct itimerspec s;
    CHECK(timer_gettime(t, &s) == 0 && s.it_value.tv_sec == 0 && s.it_value.tv_nsec == 0);
    CHECK_EQ(timer_getoverrun(t), 0);
    /* How it was, and a time that is over. */
    CHECK(start(t, 1000000000000, 3 * MS) == 0);
    const struct itimerspec over = {{0, 0}, {0, 1}};
    CHECK(timer_settime(t, TIMER_ABSTIME, &over, &s) == 0);
    CHECK(s.it_interval.tv_nsec == 3 * MS && s.it_value.tv_sec >= 999);
    CHECK(await(SIGUSR1).si_value.sival_int == 42);
    CHECK(timer_delete(t) == 0);
    /* By the date, as a time. */
    t = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 1);
    long long at = now(CLOCK_REALTIME) + 5 * MS;
    const struct itimerspec then = {{0, 0}, {at / 1000000000, at % 1000000000}};
    CHECK(timer_settime(t, TIMER_ABSTIME, &then, NULL) == 0);
    await(SIGUSR1);
    CHECK(now(CLOCK_REALTIME) >= at && timer_delete(t) == 0);
    /* With nothing said: SIGALRM, and the number. */
    CHECK(timer_create(CLOCK_BOOTTIME, NULL, &t) == 0 && start(t, 1, 0) == 0);
    info = await(SIGALRM);
    CHECK(info.si_value.sival_int == info.si_timerid && timer_delete(t) == 0);
}

/* Whoever is late is told of all that it has missed, however short the interval is. */
static void check_overruns(long every) {
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
    long long from = now(CLOCK_MONOTONIC);
    CHECK(start(t, every, every) == 0);
    long long started = now(CLOCK_MONOTONIC), since;
    do
        since = now(CLOCK_MONOTONIC) - started;
    while (since < 40 * MS);
    CHECK(pending(SIGUSR1));
    siginfo_t info = await(SIGUSR1);
    CHECK(info.si_overrun >= since / every - 1);
    CHECK(info.si_overrun < (now(CLOCK_MONOTONIC) - from) / every);
    CHECK_EQ(timer_getoverrun(t), info.si_overrun);
    long long rings = 1 + info.si_overrun;
    for (int i = 0; i < 5; i++)
        rings += 1 + await(SIGUSR1).si_overrun;
    CHECK(rings <= (now(CLOCK_MONOTONIC) - from) / every);
    CHECK(rings >= since / every + 5);
    CHECK(timer_delete(t) == 0);
    if (pending(SIGUSR1))
        await(SIGUSR1);
}

/* Two with one signal are both told; and of one that is deleted what is pending. */
static void check_two(void) {
    timer_t a = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
    timer_t b = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 2);
    CHECK(start(a, 1, 0) == 0 && start(b, 1, 0) == 0 && pending(SIGUSR1));
    int sum = await(SIGUSR1).si_value.sival_int;
    CHECK(pending(SIGUSR1));
    sum += await(SIGUSR1).si_value.sival_int;
    CHECK(sum == 3 && !pending(SIGUSR1));
    CHECK(start(a, 1, 0) == 0 && pending(SIGUSR1) && timer_delete(a) == 0);
    CHECK(await(SIGUSR1).si_value.sival_int == 1 && timer_delete(b) == 0);
}

static void check_none(void) {
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    struct itimerspec s;
    long long from = now(CLOCK_MONOTONIC);
    CHECK(start(t, 2 * MS, 500 * MS) == 0);
    while (now(CLOCK_MONOTONIC) - from <= 2 * MS)
        continue;
    CHECK(timer_gettime(t, &s) == 0 && s.it_interval.tv_nsec == 500 * MS);
    CHECK(s.it_value.tv_nsec > 0 && s.it_value.tv_nsec <= 500 * MS);
    CHECK(start(t, 1, 0) == 0 && timer_gettime(t, &s) == 0 && s.it_value.tv_nsec == 0);
    CHECK(timer_delete(t) == 0);
}

static volatile sig_atomic_t rang;
static void ring(int signal) { rang = signal; }

/* By the time that a process or a thread ran. */
static void check_run_time(clockid_t clock) {
    timer_t t = make(clock, SIGEV_SIGNAL, SIGUSR2, 0);
    struct itimerspec s;
    rang = 0;
    long long from = now(clock);
    CHECK(start(t, 20 * MS, 0) == 0);
    CHECK(timer_gettime(t, &s) == 0 && s.it_value.tv_nsec <= 20 * MS);
    CHECK(s.it_value.tv_nsec > 0 || rang); /* the host may have been busy meanwhile */
    while (!rang)
        continue;
    CHECK(now(clock) - from >= 20 * MS);
    CHECK(timer_gettime(t, &s) == 0 && s.it_value.tv_nsec == 0 && timer_delete(t) == 0);
}

/* The time is over when it is set: it rings at once, though the process does not run on. */
static void check_run_time_over(clockid_t clock) {
    const struct itimerspec over = {{0, 0}, {0, 1}};
    const struct timespec long_enough = {20, 0};
    const sigset_t signal = only(SIGUSR1);
    timer_t t = make(clock, SIGEV_SIGNAL, SIGUSR1, 0);
    CHECK(sigprocmask(SIG_BLOCK, &signal, NULL) == 0);
    CHECK(timer_settime(t, TIMER_ABSTIME, &over, NULL) == 0);
    CHECK(sigtimedwait(&signal, NULL, &long_enough) == SIGUSR1 && timer_delete(t) == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &signal, NULL) == 0);
}

static sem_t told;
static pthread_t teller;
static int told_value;
static void tell(union sigval v) {
    teller = pthread_self();
    told_value = v.sival_int;
    sem_post(&told);
}

/* Glibc's own threads for timers. */
static void check_threads(void) {
    struct sigevent e = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell};
    timer_t t;
    e.sigev_value.sival_int = 7;
    sem_init(&told, 0, 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &t) == 0 && start(t, MS, 2 * MS) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(sem_wait(&told) == 0);
    CHECK(told_value == 7 && !pthread_equal(teller, pthread_self()) && timer_delete(t) == 0);
}

static void *own_timer(void *arg) {
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN + 3, 9);
    CHECK(start(t, MS, 0) == 0);
    siginfo_t info = await(SIGRTMIN + 3);
    CHECK(info.si_value.sival_int == 9 && info.si_code == SI_TIMER);
    CHECK(start(t, 1, MS) == 0); /* its thread goes first, with one pending */
    return t;
}

static void check_thread_id(void) {
    timer_t t = end_of(begin(own_timer, NULL));
    CHECK(!pending(SIGRTMIN + 3) && timer_delete(t) == 0);
}

/* There is an end to them. */
static void check_many(void) {
    int n = 0, id;
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    while (n < 10000 && syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id) == 0)
        n++;
    int err = errno;
    CHECK_EQ(err, EAGAIN);
    CHECK(n >= 32);
    for (id = 0; n > 0; id++)
        n -= syscall(SYS_timer_delete, id) == 0;
}

/* What is ignored does not ring, and goes on. */
static void check_ignored(void) {
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 1);
    signal(SIGUSR1, SIG_IGN);
    long long from = now(CLOCK_MONOTONIC);
    CHECK(start(t, 1, 2 * MS) == 0);
    while (now(CLOCK_MONOTONIC) - from < 10 * MS)
        continue;
    signal(SIGUSR1, SIG_DFL); /* blocked */
    await(SIGUSR1);
    CHECK(timer_delete(t) == 0);
    if (pending(SIGUSR1))
        await(SIGUSR1);
}

/* fork hands none on, and exec ends them. */
static void check_ends(const char *self) {
    timer_t t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGKILL, 0);
    int status;
    CHECK(start(t, 1000000000, 0) == 0);
    if (fork() == 0) {
        struct itimerspec s;
        if (timer_gettime(t, &s) == 0)
            _exit(1);
        if (start(make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGKILL, 0), 1000000000, 0))
            _exit(2);
        execl(self, self, "after exec", NULL);
        _exit(3);
    }
    CHECK(wait(&status) > 0 && WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 0);
    CHECK(timer_delete(t) == 0);
}

int main(int argc, char **argv) {
    sigset_t blocked = only(SIGUSR1);
    if (argc > 1) {
        struct itimerspec s;
        return syscall(SYS_timer_gettime, 0, &s) == 0;
    }
    sigaddset(&blocked, SIGALRM);
    sigaddset(&blocked, SIGRTMIN + 3);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    signal(SIGUSR2, ring);
    check_errors();
    check_once();
    check_overruns(2 * MS);
    check_overruns(1000);
    check_two();
    check_none();
    check_run_time(CLOCK_PROCESS_CPUTIME_ID);
    check_run_time(CLOCK_THREAD_CPUTIME_ID);
    check_run_time_over(CLOCK_PROCESS_CPUTIME_ID);
    check_run_time_over(CLOCK_THREAD_CPUTIME_ID);
    check_thread_id();
    check_threads();
    check_ignored();
    check_many();
    check_ends(argv[0]);
    return tell_end();
}
