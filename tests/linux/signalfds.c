/* flags: -static -pthread */
/* Signals that are read from a file, and signals with a value, which wait in a row. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include "threads.h"

static sigset_t set_of(int one, int other) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, one);
    if (other)
        sigaddset(&set, other);
    return set;
}

static int is_ready(int fd) {
    struct pollfd p = {fd, POLLIN, 0};
    int n = poll(&p, 1, 0);
    CHECK(n == (p.revents != 0) && (p.revents == 0 || p.revents == POLLIN));
    return n;
}

static const struct timespec no_time;

/* The next of these that is pending, with its value; -1: none. */
static int next_value(const sigset_t *set, int *value) {
    siginfo_t info;
    int signal = sigtimedwait(set, &info, &no_time);
    if (signal > 0) {
        CHECK(info.si_pid == getpid() && info.si_code == SI_QUEUE && info.si_uid == 0);
        *value = info.si_value.sival_int;
    }
    return signal;
}

static void check_file(void) {
    sigset_t set = set_of(SIGUSR1, SIGRTMIN + 1), more = set_of(SIGUSR2, 0);
    struct signalfd_siginfo got[5];
    CHECK(signalfd(-1, &set, 3) == -1 && errno == EINVAL);
    CHECK(signalfd(0, &set, 0) == -1 && errno == EINVAL);
    CHECK(signalfd(99, &set, 0) == -1 && errno == EBADF);
    CHECK(syscall(SYS_signalfd4, -1, &set, 4, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_signalfd4, -1, (void *)-8L, 8, 0) == -1 && errno == EFAULT);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd >= 0 && read(fd, got, sizeof(got)) == -1 && errno == EAGAIN && !is_ready(fd));
    CHECK(read(fd, got, 127) == -1 && errno == EINVAL);
    CHECK(write(fd, got, 128) == -1 && errno == EINVAL);
    CHECK(kill(getpid(), SIGUSR2) == 0 && !is_ready(fd) && kill(getpid(), SIGUSR1) == 0);
    CHECK(is_ready(fd) && kill(getpid(), SIGUSR1) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 7 + i}) == 0);
    CHECK(read(fd, got, 2 * 128 + 5) == 2 * 128 && is_ready(fd));
    CHECK(got[0].ssi_signo == SIGUSR1 && got[0].ssi_code == SI_USER);
    CHECK(got[0].ssi_pid == (uint32_t)getpid() && got[0].ssi_uid == 0);
    CHECK(got[1].ssi_signo == (uint32_t)SIGRTMIN + 1 && got[1].ssi_code == SI_QUEUE);
    CHECK(got[1].ssi_int == 7);
    CHECK(read(fd, got, sizeof(got)) == 2 * 128 && got[0].ssi_int == 8 && got[1].ssi_int == 9);
    CHECK(!is_ready(fd) && signalfd(fd, &more, 0) == fd && is_ready(fd));
    CHECK(read(fd, got, sizeof(got)) == 128 && got[0].ssi_signo == SIGUSR2);
    CHECK(close(fd) == 0);
}

/* A child's end, with its status; and one who waits in an event set is woken. */
static void check_child(void) {
    sigset_t set = set_of(SIGCHLD, 0);
    struct signalfd_siginfo got;
    struct epoll_event e = {EPOLLIN, {.fd = 1}};
    int fd = signalfd(-1, &set, 0), events = epoll_create1(0);
    CHECK(epoll_ctl(events, EPOLL_CTL_ADD, fd, &e) == 0 && epoll_wait(events, &e, 1, 0) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(5);
    CHECK(epoll_wait(events, &e, 1, -1) == 1 && e.events == EPOLLIN);
    CHECK(read(fd, &got, sizeof(got)) == 128 && got.ssi_signo == SIGCHLD);
    CHECK(got.ssi_code == CLD_EXITED && got.ssi_pid == (uint32_t)child && got.ssi_status == 5);
    CHECK(waitpid(child, NULL, 0) == child);
    child = fork();
    if (child == 0)
        _exit(6);
    CHECK(read(fd, &got, sizeof(got)) == 128 && got.ssi_status == 6); /* sleeps until then */
    CHECK(waitpid(child, NULL, 0) == child);
    /* What a child inherits is about its own signals. */
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct pollfd p = {fd, POLLIN, 0};
        kill(getppid(), SIGCHLD);
        _exit(poll(&p, 1, 0));
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0 && is_ready(fd));
    CHECK(read(fd, &got, sizeof(got)) == 128 && close(fd) == 0 && close(events) == 0);
}

static int seen[8], n_seen;
static void note(int signal, siginfo_t *info, void *context) {
    if (n_seen < 8)
        seen[n_seen++] = info->si_value.sival_int;
}

/* In order, each one; of others than real-time signals the first; thread by thread. */
static void check_queue(void) {
    sigset_t set = set_of(SIGRTMIN + 2, SIGUSR1), old;
    union sigval v = {.sival_int = 1};
    int value = 0;
    for (v.sival_int = 1; v.sival_int <= 3; v.sival_int++) {
        CHECK(sigqueue(getpid(), SIGRTMIN + 2, v) == 0 && sigqueue(getpid(), SIGUSR1, v) == 0);
        CHECK(pthread_sigqueue(pthread_self(), SIGRTMIN + 2,
                               (union sigval){.sival_int = 10 * v.sival_int}) == 0);
    }
    static const int wanted[] = {10, 20, 30, 1, 1, 2, 3};
    for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        CHECK(next_value(&set, &value) == (i == 3 ? SIGUSR1 : SIGRTMIN + 2) && value == wanted[i]);
    CHECK(next_value(&set, &value) == -1 && errno == EAGAIN);
    /* By a handler, when they are no longer blocked. */
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGRTMIN + 2, &a, NULL) == 0);
    for (v.sival_int = 1; v.sival_int <= 3; v.sival_int++)
        CHECK(sigqueue(getpid(), SIGRTMIN + 2, v) == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, &old) == 0 && n_seen == 3);
    CHECK(seen[0] == 1 && seen[1] == 2 && seen[2] == 3 &&
          sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    /* What is ignored is forgotten, all of it. */
    CHECK(sigqueue(getpid(), SIGRTMIN + 2, v) == 0 && sigqueue(getpid(), SIGRTMIN + 2, v) == 0);
    CHECK(signal(SIGRTMIN + 2, SIG_IGN) != SIG_ERR && signal(SIGRTMIN + 2, SIG_DFL) != SIG_ERR);
    CHECK(next_value(&set, &value) == -1);
}

static void check_errors(void) {
    siginfo_t info = {.si_code = SI_USER};
    union sigval v = {0};
    CHECK(sigqueue(getpid(), 0, v) == 0 && sigqueue(99999, SIGUSR1, v) == -1 && errno == ESRCH);
    CHECK(sigqueue(getpid(), 65, v) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info) == -1 && errno == EPERM);
    info.si_code = SI_TKILL;
    CHECK(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info) == -1 && errno == EPERM);
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), 0, &info) == 0);
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), 0, (void *)-8L) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), 0, 0, &info) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), 99999, 0, &info) == -1 && errno == ESRCH);
}

/* No more than the limit wait, and a child has none of its parent's. */
static void check_limit(void) {
    sigset_t set = set_of(SIGRTMIN + 3, 0);
    struct rlimit few = {20, 100}, usual;
    union sigval v = {.sival_int = 0};
    int value, n;
    CHECK(getrlimit(RLIMIT_SIGPENDING, &usual) == 0);
    struct rlimit none = {0, 100};
    sigset_t other = set_of(SIGRTMIN + 9, 0);
    CHECK(setrlimit(RLIMIT_SIGPENDING, &none) == 0);
    CHECK(sigqueue(getpid(), SIGRTMIN + 9, v) == -1 && errno == EAGAIN);
    CHECK(sigtimedwait(&other, NULL, &no_time) == -1 && errno == EAGAIN); /* it was not sent */
    CHECK(kill(getpid(), SIGRTMIN + 9) == 0);
    CHECK(sigtimedwait(&other, NULL, &no_time) == SIGRTMIN + 9);
    CHECK(setrlimit(RLIMIT_SIGPENDING, &few) == 0);
    for (n = 0; n < 200 && sigqueue(getpid(), SIGRTMIN + 3, v) == 0; n++)
        v.sival_int++;
    int err = errno;
    CHECK(err == EAGAIN && n == 20);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(next_value(&set, &value) == -1 ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    for (int i = 0; i < 20; i++)
        CHECK(next_value(&set, &value) == SIGRTMIN + 3 && value == i);
    CHECK(next_value(&set, &value) == -1);
    CHECK(setrlimit(RLIMIT_SIGPENDING, &usual) == 0);
    for (n = 0; n < 100000 && sigqueue(getpid(), SIGRTMIN + 3, v) == 0; n++)
        ;
    err = errno;
    CHECK(err == EAGAIN && n >= 32 && n < 100000);
    for (; next_value(&set, &value) > 0; n--)
        ;
    CHECK(n == 0);
}

/* A thread that ends takes with it what was sent to it. */
static void *ends(void *unused) {
    for (int i = 0; i < 3; i++)
        CHECK(pthread_sigqueue(pthread_self(), SIGRTMIN + 4, (union sigval){.sival_int = i}) == 0);
    return NULL;
}

int main(void) {
    sigset_t all;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    check_file();
    check_child();
    check_queue();
    check_errors();
    check_limit();
    for (int i = 0; i < 20; i++)
        end_of(begin(ends, NULL));
    sigset_t set = set_of(SIGRTMIN + 4, 0);
    int value;
    CHECK(next_value(&set, &value) == -1);
    return tell_end();
}
