/* Limits of what a process may use. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static int set(int which, rlim_t soft, rlim_t hard) {
    const struct rlimit l = {soft, hard};
    return setrlimit(which, &l);
}

static int is(int which, rlim_t soft, rlim_t hard) {
    struct rlimit l;
    return getrlimit(which, &l) == 0 && l.rlim_cur == soft && l.rlim_max == hard;
}

static void check_what_is_told(void) {
    struct rlimit old;
    const struct rlimit small = {5, 10};
    CHECK(is(RLIMIT_NOFILE, 1024, 1024) && is(RLIMIT_STACK, 8 << 20, RLIM_INFINITY));
    CHECK(is(RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY));
    CHECK(set(RLIMIT_CORE, 0, 100) == 0 && is(RLIMIT_CORE, 0, 100));
    CHECK(set(RLIMIT_CORE, 7, 6) == -1 && errno == EINVAL && is(RLIMIT_CORE, 0, 100));
    CHECK(set(99, 0, 0) == -1 && errno == EINVAL);
    CHECK(set(RLIMIT_NOFILE, 10, 2000) == -1 && errno == EPERM);
    CHECK(is(RLIMIT_NOFILE, 1024, 1024) && is(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY));
    CHECK(prlimit(0, RLIMIT_CPU, &small, &old) == 0 && old.rlim_cur == RLIM_INFINITY);
    CHECK(is(RLIMIT_CPU, 5, 10) && set(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY) == 0);
    /* The calls from before prlimit64, which some C libraries make. */
    CHECK(syscall(SYS_setrlimit, RLIMIT_CPU, &small) == 0 && is(RLIMIT_CPU, 5, 10));
    CHECK(syscall(SYS_getrlimit, RLIMIT_CPU, &old) == 0 && old.rlim_cur == 5 && old.rlim_max == 10);
    CHECK(syscall(SYS_getrlimit, RLIMIT_CPU, NULL) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_setrlimit, 99, &small) == -1 && errno == EINVAL);
    CHECK(set(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY) == 0);
    CHECK(prlimit(99999, RLIMIT_CPU, NULL, &old) == -1 && errno == ESRCH);
}

/* The last number that dup gives before there is none; -1: it fails otherwise. */
static int last_given(void) {
    int last = -1, made;
    while ((made = dup(0)) >= 0)
        last = made;
    return errno == EMFILE ? last : -1;
}

/* Numbers from the limit on are not given out; those that are open stay. */
static void check_files(void) {
    int fd[2], high = fcntl(0, F_DUPFD, 40);
    CHECK(high == 40);
    CHECK(set(RLIMIT_NOFILE, 8, 1024) == 0);
    CHECK_EQ(last_given(), 7);
    CHECK(pipe(fd) == -1 && errno == EMFILE);
    CHECK(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
    CHECK(dup2(0, 8) == -1 && errno == EBADF);
    CHECK(fcntl(0, F_DUPFD, 8) == -1 && errno == EINVAL);
    CHECK(close(7) == 0 && pipe(fd) == -1 && errno == EMFILE && dup2(0, 7) == 7);
    CHECK(fcntl(high, F_GETFD) == 0);
    /* Children have it, too. */
    int status;
    if (fork() == 0)
        _exit(is(RLIMIT_NOFILE, 8, 1024) && dup(0) == -1 && errno == EMFILE ? 4 : 1);
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 4);
    CHECK(set(RLIMIT_NOFILE, 70, 1024) == 0 && dup(0) == 8);
    CHECK_EQ(last_given(), 69);
    for (int i = 3; i < 100; i++)
        close(i);
    CHECK(set(RLIMIT_NOFILE, 1024, 1024) == 0 && fcntl(0, F_DUPFD, 100) == 100 && close(100) == 0);
}

/* The next program has a stack of that size. */
static void check_stack(char *self) {
    int status;
    for (int mib = 1; mib <= 16; mib *= 16) {
        if (fork() == 0) {
            CHECK(set(RLIMIT_STACK, (rlim_t)mib << 20, RLIM_INFINITY) == 0);
            execl(self, self, "after-exec", mib == 1 ? "900" : "15000", (char *)NULL);
            _exit(1);
        }
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 6);
    }
    if (fork() == 0) {
        CHECK(set(RLIMIT_STACK, 1 << 20, RLIM_INFINITY) == 0);
        execl(self, self, "after-exec", "1400", (char *)NULL);
        _exit(1);
    }
    CHECK(wait(&status) > 0 && WIFSIGNALED(status)); /* it needs more */
}

static int use_stack(int kib) {
    volatile char bytes[1024];
    bytes[0] = (char)kib;
    return kib > 1 ? use_stack(kib - 1) + bytes[0] * 0 : 6;
}

int main(int argc, char *argv[]) {
    if (argc > 2)
        return use_stack(atoi(argv[2]) * 9 / 10);
    check_what_is_told();
    check_files();
    check_stack(argv[0]);
    return tell_end();
}
