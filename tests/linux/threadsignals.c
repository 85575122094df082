/* Signals in a process of several threads: for one of them, for whoever waits, and cancellation. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include "threads.h"

/* ---- for one ---- */

static pid_t caught_by;

static void handler(int signal) { caught_by = gettid(); }

static void *be_caught(void *arg) {
    *(pid_t *)arg = gettid();
    while (!__atomic_load_n(&caught_by, __ATOMIC_RELAXED))
        sched_yield();
    return NULL;
}

static void *read_for_ever(void *arg) {
    char byte;
    return (void *)read(*(int *)arg, &byte, 1);
}

static void check_one(void) {
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

/* ---- for whoever waits ---- */

static pid_t main_process;

static void *send_term(void *arg) {
    kill(main_process, SIGTERM);
    return arg;
}

static pid_t *sender; /* shared */

static void send_to_first(void) {
    *sender = getpid();
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
    sender = mmap(NULL, sizeof(*sender), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(sender != MAP_FAILED && status_of(send_to_first) == 0);
    CHECK(sigwaitinfo(&set, &info) == SIGUSR2);
    CHECK(info.si_pid == *sender);
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

/* ---- stopped, and continued ---- */

static const struct timespec soon_over = {0, 1000000}, for_ever = {INT64_MAX, 0};

/* Each waits for a while first, then for longer than the machine lives. */
static void take_term(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    CHECK(sigtimedwait(&set, NULL, &soon_over) == -1 && errno == EAGAIN);
    *waiting = 1;
    if (sigtimedwait(&set, NULL, &for_ever) == SIGTERM)
        _exit(9);
}

static void wait_for_word(void) {
    CHECK(syscall(SYS_futex, waiting, FUTEX_WAIT, 0, &soon_over) == -1 && errno == ETIMEDOUT);
    *waiting = 1;
    if (syscall(SYS_futex, waiting, FUTEX_WAIT, 1, &for_ever) == 0)
        _exit(9);
}

static void wake_it(pid_t child) {
    while (syscall(SYS_futex, waiting, FUTEX_WAKE, 1) == 0)
        sched_yield();
}

static void send_it_term(pid_t child) { CHECK(kill(child, SIGTERM) == 0); }

/* A call that a stop interrupts goes on, and does not end at the time of an earlier one. */
static void check_goes_on(void (*waits)(void), void (*ends)(pid_t)) {
    sigset_t set, old;
    int status;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    waiting = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(waiting != MAP_FAILED && pthread_sigmask(SIG_BLOCK, &set, &old) == 0);
    pid_t child = fork();
    if (child == 0) {
        waits();
        _exit(1);
    }
    while (!__atomic_load_n(waiting, __ATOMIC_RELAXED) || !all_sleep(child))
        sched_yield();
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(kill(child, SIGCONT) == 0);
    while (!all_sleep(child) && waitpid(child, &status, WNOHANG) == 0)
        sched_yield();
    if (WIFSTOPPED(status)) /* it has not ended early */
        ends(child);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0 && munmap(waiting, 4096) == 0);
}

int main(void) {
    check_one();
    check_waits_for_signals();
    check_two_wait_for_signals();
    check_goes_on(take_term, send_it_term);
    check_goes_on(wait_for_word, wake_it);
    return tell_end();
}
