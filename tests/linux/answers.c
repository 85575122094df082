/* What a process is told of itself: who it is, what it may, what it has said, and clocks. */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdint.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static void check_users(void) {
    uid_t r = 9, e = 9, s = 9;
    gid_t groups[2] = {0, 5};
    CHECK(getresuid(&r, &e, &s) == 0 && r == 0 && e == 0 && s == 0);
    r = e = s = 9;
    CHECK(getresgid(&r, &e, &s) == 0 && r == 0 && e == 0 && s == 0);
    CHECK(setuid(0) == 0 && setgid(0) == 0 && setreuid(-1, 0) == 0 && setresgid(0, -1, -1) == 0);
    CHECK(setuid(5) == -1 && errno == EPERM && setresuid(-1, 7, -1) == -1 && errno == EPERM);
    CHECK(syscall(SYS_setuid, -1) == -1 && errno == EINVAL);
    CHECK(getgroups(2, groups) == 0 && setgroups(1, groups) == 0 && setgroups(0, NULL) == 0);
    CHECK(setgroups(2, groups) == -1 && errno == EPERM);
    CHECK(syscall(SYS_setgroups, 70000, groups) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_getresuid, &r, &e, 16) == -1 && errno == EFAULT);
}

static void check_capabilities(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {{0}};
    CHECK(syscall(SYS_capget, &h, d) == 0 && d[0].effective == ~0U && d[1].permitted == 0x1ff);
    CHECK(syscall(SYS_capset, &h, d) == 0);
    h.pid = 99999;
    CHECK(syscall(SYS_capget, &h, d) == -1 && errno == ESRCH);
    h = (struct __user_cap_header_struct){1, 0};
    CHECK(syscall(SYS_capget, &h, NULL) == 0 && h.version == _LINUX_CAPABILITY_VERSION_3);
}

/* What a process gives up it does not get back, nor do its children; other programs have it. */
static void check_given_up(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2], all[2], seen[2];
    int status;
    CHECK(syscall(SYS_capget, &h, all) == 0);
    if (fork() == 0) {
        memcpy(d, all, sizeof(d));
        d[0].effective &= ~6U;
        CHECK(syscall(SYS_capset, &h, d) == 0 && syscall(SYS_capset, &h, all) == 0);
        d[0].permitted &= ~4U;
        CHECK(syscall(SYS_capset, &h, d) == 0 && syscall(SYS_capget, &h, seen) == 0);
        CHECK(memcmp(seen, d, sizeof(d)) == 0);
        CHECK(syscall(SYS_capset, &h, all) == -1 && errno == EPERM);
        d[0].effective |= 4;
        CHECK(syscall(SYS_capset, &h, d) == -1 && errno == EPERM);
        d[0].effective = (d[0].effective & ~4U) | 2;
        d[0].inheritable = 3;
        CHECK(syscall(SYS_capset, &h, d) == 0);
        d[0].inheritable = 7;
        CHECK(syscall(SYS_capset, &h, d) == -1 && errno == EPERM);
        d[0].inheritable = 3;
        if (fork() == 0) {
            CHECK(syscall(SYS_capget, &h, seen) == 0 && memcmp(seen, d, sizeof(d)) == 0);
            _exit(failures);
        }
        CHECK(wait(&status) > 0 && status == 0);
        _exit(failures);
    }
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(syscall(SYS_capget, &h, seen) == 0 && memcmp(seen, all, sizeof(all)) == 0);
}

/* How the caller is scheduled, in one structure. */
static void check_scheduling(void) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t times[3];
        uint64_t more;
    } a;
    memset(&a, 1, sizeof(a));
    CHECK(syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) == 0 && a.size == 48 && a.policy == 0);
    CHECK(syscall(SYS_sched_getattr, 0, &a, 40, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_getattr, 0, &a, 48, 1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_getattr, 0, 8, 48, 0) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_sched_setattr, 0, &a, 0) == 0);
    a.size = sizeof(a);
    CHECK(syscall(SYS_sched_setattr, 0, &a, 0) == -1 && errno == E2BIG && a.size == 48);
    a.size = sizeof(a);
    a.more = 0;
    CHECK(syscall(SYS_sched_setattr, 0, &a, 0) == 0);
    a.policy = 1;
    a.priority = 5;
    CHECK(syscall(SYS_sched_setattr, 0, &a, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_setattr, 0, NULL, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_ioprio_get, 1, 0) == 0 && syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4) == 0);
    CHECK(syscall(SYS_ioprio_get, 4, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 8) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_ioprio_set, 1, 0, 4 << 13) == -1 && errno == EINVAL);
}

static void check_said(void) {
    int signal = 9;
    CHECK(prctl(PR_SET_NAME, "short") == 0 && prctl(PR_GET_DUMPABLE) == 1);
    CHECK(prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_GET_DUMPABLE) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 2) == -1 && errno == EINVAL);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == EINVAL);
    CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0);
    CHECK(prctl(PR_SET_PDEATHSIG, 100) == -1 && errno == EINVAL);
    CHECK(prctl(PR_CAPBSET_READ, 3) == 1 && prctl(PR_CAPBSET_READ, 99) == -1 && errno == EINVAL);
    CHECK(prctl(47, 4, 0, 0, 0) == 0 && prctl(47, 1, 3, 0, 0) == 0); /* PR_CAP_AMBIENT */
    CHECK(prctl(47, 2, 3, 0, 0) == -1 && errno == EPERM && prctl(47, 3, 99, 0, 0) == -1);
    CHECK(prctl(PR_GET_SECCOMP) == 0 && prctl(PR_SET_SECCOMP, 2, 0) == -1 && errno == EINVAL);
    CHECK(personality(0xffffffff) == 0 && personality(8) == -1 && errno == EINVAL);
}

/* The grandchild gets its signal when the child ends, and tells by its end of the pipe. */
static void check_orphans(void) {
    int ends[2], go[2];
    char byte;
    CHECK(pipe(ends) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            int signal = 0;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (prctl(PR_GET_PDEATHSIG, &signal) || signal != SIGKILL)
                _exit(1);
            write(go[1], "x", 1);
            close(go[1]);
            for (;;)
                pause();
        }
        read(go[0], &byte, 1);
        _exit(0);
    }
    close(ends[1]);
    close(go[1]);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(read(ends[0], &byte, 1) == 0 && close(ends[0]) == 0 && close(go[0]) == 0);
}

static void check_clocks(void) {
    struct timespec t = {5, 5};
    struct itimerval timer = {{0, 0}, {100, 0}}, now;
    struct timeval day;
    CHECK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &t) == 0 && t.tv_sec == 0 && t.tv_nsec == 1);
    CHECK(syscall(SYS_clock_getres, CLOCK_PROCESS_CPUTIME_ID, NULL) == 0);
    CHECK(syscall(SYS_clock_getres, 99, &t) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_clock_settime, CLOCK_REALTIME, &t) == -1 && errno == EPERM);
    CHECK(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_gettimeofday, &day, NULL) == 0 && day.tv_sec > 1700000000);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0 && getitimer(ITIMER_REAL, &now) == 0);
    CHECK(now.it_value.tv_sec > 90 && now.it_value.tv_sec <= 100 && now.it_interval.tv_sec == 0);
    CHECK(getitimer(ITIMER_PROF, &now) == 0 && now.it_value.tv_sec == 0);
    CHECK(syscall(SYS_getitimer, 3, &now) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_getitimer, ITIMER_REAL, NULL) == -1 && errno == EFAULT);
    timer.it_value.tv_sec = 0;
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static volatile sig_atomic_t rings;
static void count_ring(int signal) { rings++; }

static long long used(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* They ring by the time that the process runs, and not while it waits. */
static void check_run_timer(int which, int signal) {
    const struct itimerval often = {{0, 20000}, {0, 20000}}, none = {0}, far = {{7, 0}, {50, 0}};
    const struct timespec longer = {0, 60000000};
    struct itimerval was;
    struct sigaction old, count = {.sa_handler = count_ring};
    CHECK(sigaction(signal, &count, &old) == 0);
    rings = 0;
    long long begin = used();
    CHECK(setitimer(which, &often, NULL) == 0);
    while (rings < 3 && used() - begin < 60000000000LL)
        ;
    CHECK_EQ(rings, 3);
    CHECK(used() - begin >= 60000000);
    CHECK(setitimer(which, &far, &was) == 0 && was.it_interval.tv_usec == 20000);
    CHECK(was.it_value.tv_sec == 0 && was.it_value.tv_usec <= 20000);
    CHECK(nanosleep(&longer, NULL) == 0);
    CHECK(getitimer(which, &was) == 0 && was.it_interval.tv_sec == 7);
    CHECK(was.it_value.tv_sec == 49 && was.it_value.tv_usec > 500000);
    pid_t child = fork();
    if (child == 0)
        _exit(getitimer(which, &was) == 0 && was.it_value.tv_sec == 0 ? 7 : 8);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(setitimer(which, &none, NULL) == 0 && getitimer(which, &was) == 0);
    CHECK(was.it_value.tv_sec == 0 && was.it_value.tv_usec == 0);
    CHECK(sigaction(signal, &old, NULL) == 0);
}

static long barrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

static void check_barriers(void) {
    long all = barrier(MEMBARRIER_CMD_QUERY);
    CHECK(all > 0);
    for (int bit = 0; bit < 8; bit++)
        if (all & 1L << bit)
            CHECK(barrier(1 << bit) == 0);
    CHECK(barrier(1 << 20) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0) == -1 && errno == EINVAL);
}

/* A new program can be dumped again; that it gets no new privileges is for ever. */
static void check_exec(char *self) {
    int status;
    if (fork() == 0) {
        prctl(PR_SET_DUMPABLE, 0);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        execl(self, self, "after-exec", (char *)NULL);
        _exit(1);
    }
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 6);
}

int main(int argc, char *argv[]) {
    if (argc > 1)
        return prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 6 : 7;
    check_exec(argv[0]);
    check_users();
    check_capabilities();
    check_given_up();
    check_scheduling();
    check_said();
    check_orphans();
    check_clocks();
    check_run_timer(ITIMER_VIRTUAL, SIGVTALRM);
    check_run_timer(ITIMER_PROF, SIGPROF);
    check_barriers();
    return tell_end();
}
