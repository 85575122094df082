/* Signals in a process of several threads: for one of them, for whoever waits, and cancellation. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
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

int main(void) {
    check_one();
    check_waits_for_signals();
    check_two_wait_for_signals();
    return tell_end();
}
