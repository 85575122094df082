/* Processes as open files, news of children in a structure, and clone3. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define IS_PIDFD 3 /* waitid's P_PIDFD */

static int pidfd_open_(pid_t pid, unsigned flags) {
    return (int)syscall(SYS_pidfd_open, pid, flags);
}
static int pidfd_send(int fd, int signal, siginfo_t *info, unsigned flags) {
    return (int)syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

static pid_t sleeper(void) {
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    return child;
}

static int is_ready(int fd, int milliseconds) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, milliseconds) == 1 && p.revents == POLLIN;
}

static void check_news(void) {
    siginfo_t info = {0};
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == child);
    CHECK(info.si_signo == SIGCHLD && info.si_code == CLD_EXITED && info.si_status == 7);
    memset(&info, 0, sizeof(info));
    CHECK(waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) == -1 && errno == ECHILD);
    CHECK(waitid(P_PGID, 0, &info, WEXITED) == 0 && info.si_pid == child && info.si_status == 7);
    CHECK(waitid(P_PID, child, &info, WEXITED) == -1 && errno == ECHILD);
    child = sleeper();
    info.si_pid = 99;
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(kill(child, SIGSTOP) == 0 && waitid(P_PID, child, &info, WSTOPPED) == 0);
    CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    CHECK(kill(child, SIGCONT) == 0 && waitid(P_PID, child, &info, WCONTINUED | WNOWAIT) == 0);
    CHECK(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT);
    CHECK(waitid(P_PID, child, NULL, WCONTINUED) == 0);
    CHECK(kill(child, SIGKILL) == 0 && waitid(P_ALL, 0, &info, WEXITED | WSTOPPED) == 0);
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL && info.si_pid == child);
    CHECK(waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL);
    CHECK(waitid(P_ALL, 0, &info, WEXITED | 0x100) == -1 && errno == EINVAL);
    CHECK(waitid(P_PID, 0, &info, WEXITED) == -1 && errno == EINVAL);
    CHECK(waitid(9, 0, &info, WEXITED) == -1 && errno == EINVAL);
    child = fork();
    if (child == 0)
        _exit(0);
    CHECK(syscall(SYS_waitid, P_PID, child, (void *)-16L, WEXITED, NULL) == -1 && errno == EFAULT);
    CHECK(waitid(P_PID, child, &info, WEXITED) == 0 && info.si_pid == child);
}

static void check_files(void) {
    struct epoll_event e = {.events = EPOLLIN};
    siginfo_t info = {0};
    char byte;
    pid_t child = sleeper();
    int fd = pidfd_open_(child, 0), set = epoll_create1(0);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && !is_ready(fd, 0));
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0 && epoll_wait(set, &e, 1, 0) == 0);
    CHECK(pidfd_send(fd, 0, NULL, 0) == 0 && pidfd_send(fd, 0, NULL, 1) == -1 && errno == EINVAL);
    info.si_signo = SIGUSR1;
    CHECK(pidfd_send(fd, SIGTERM, &info, 0) == -1 && errno == EINVAL);
    CHECK(pidfd_send(0, 0, NULL, 0) == -1 && errno == EBADF);
    CHECK(read(fd, &byte, 1) == -1 && errno == EINVAL);
    CHECK(waitid(IS_PIDFD, fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    CHECK(pidfd_send(fd, SIGTERM, NULL, 0) == 0 && is_ready(fd, -1));
    CHECK(epoll_wait(set, &e, 1, -1) == 1 && close(set) == 0);
    /* Who comes too late sees it at once. */
    CHECK((set = epoll_create1(0)) >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0);
    CHECK(epoll_wait(set, &e, 1, 0) == 1 && close(set) == 0);
    CHECK(waitid(IS_PIDFD, fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == child);
    CHECK(info.si_code == CLD_KILLED && info.si_status == SIGTERM && is_ready(fd, 0));
    CHECK(pidfd_send(fd, 0, NULL, 0) == -1 && errno == ESRCH);
    CHECK(waitid(IS_PIDFD, fd, &info, WEXITED) == -1 && errno == ECHILD && close(fd) == 0);
    CHECK(waitid(IS_PIDFD, fd, &info, WEXITED) == -1 && errno == EBADF);
    CHECK(pidfd_open_(child, 0) == -1 && errno == ESRCH);
    CHECK(pidfd_open_(0, 0) == -1 && errno == EINVAL);
    CHECK(pidfd_open_(getpid(), 1) == -1 && errno == EINVAL);
}

#define WATCHERS 200

/* However many watch one. */
static void check_many_watch(void) {
    struct epoll_event e = {.events = EPOLLIN}, told[WATCHERS];
    int files[WATCHERS], set = epoll_create1(0), sets[WATCHERS];
    pid_t child = sleeper();
    for (int i = 0; i < WATCHERS; i++) {
        files[i] = pidfd_open_(child, 0);
        sets[i] = epoll_create1(0);
        e.data.u32 = (uint32_t)i;
        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, files[i], &e) == 0);
        CHECK(epoll_ctl(sets[i], EPOLL_CTL_ADD, files[i], &e) == 0);
    }
    CHECK(epoll_wait(set, told, WATCHERS, 0) == 0 && kill(child, SIGKILL) == 0);
    int n = 0, more;
    for (; n < WATCHERS && (more = epoll_wait(set, told, WATCHERS, 20000)) > 0; n += more)
        for (int i = 0; i < more; i++)
            CHECK(epoll_ctl(set, EPOLL_CTL_DEL, files[told[i].data.u32], NULL) == 0);
    CHECK_EQ(n, WATCHERS);
    for (int i = 0; i < WATCHERS && !failures; i++) {
        CHECK(epoll_wait(sets[i], told, 1, 20000) == 1 && told[0].data.u32 == (uint32_t)i);
        CHECK(close(sets[i]) == 0 && close(files[i]) == 0);
    }
    CHECK(waitpid(child, NULL, 0) == child && close(set) == 0);
}

#define MOST 16384 /* on the machine */
#define PROCESSES 20

/* As many as it can have. */
static int take_all(pid_t whose, int *error) {
    int n = 0;
    while (pidfd_open_(whose, 0) >= 0)
        n++;
    *error = errno;
    return n;
}

/* Several processes together have as many as there may be, and no more; when they have ended there
 * are as many again. */
static void check_bound(void) {
    struct {
        int n, error;
    } *took = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t whose = getpid();
    for (int round = 0; round < 2; round++) {
        int end[2], done[2], all = 0, refused = 0;
        char c;
        CHECK(pipe(end) == 0 && pipe(done) == 0);
        for (int i = 0; i < PROCESSES; i++) {
            pid_t child = fork();
            if (child == 0) {
                close(end[1]);
                took[i].n = take_all(whose, &took[i].error);
                (void)!write(done[1], "x", 1);
                _exit(read(end[0], &c, 1) != 0);
            }
            CHECK(child > 0 && read(done[0], &c, 1) == 1);
            all += took[i].n;
            refused += took[i].error == ENFILE;
            CHECK(took[i].error == ENFILE || took[i].error == EMFILE);
        }
        CHECK_EQ(all, MOST);
        CHECK(refused > 0 && pidfd_open_(whose, 0) == -1 && errno == ENFILE);
        CHECK(close(end[1]) == 0 && close(end[0]) == 0 && close(done[0]) == 0 &&
              close(done[1]) == 0);
        for (int i = 0; i < PROCESSES; i++)
            CHECK(wait(NULL) > 0);
    }
    CHECK(munmap(took, 4096) == 0);
}

/* What another one has open. */
static void check_theirs(void) {
    char byte = 0;
    int ends[2], theirs;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 200);
        close(ends[1]);
        write(200, "r", 1);
        for (;;)
            pause();
    }
    CHECK(read(ends[0], &byte, 1) == 1 && close(ends[1]) == 0);
    int fd = pidfd_open_(child, 0);
    theirs = (int)syscall(SYS_pidfd_getfd, fd, 200, 0);
    CHECK(theirs >= 0 && write(theirs, "m", 1) == 1 && read(ends[0], &byte, 1) == 1);
    CHECK(byte == 'm' && close(theirs) == 0);
    CHECK(syscall(SYS_pidfd_getfd, fd, 199, 0) == -1 && errno == EBADF);
    CHECK(syscall(SYS_pidfd_getfd, fd, 200, 1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_pidfd_getfd, 0, 200, 0) == -1 && errno == EBADF);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(syscall(SYS_pidfd_getfd, fd, 200, 0) == -1 && errno == ESRCH);
    CHECK(close(fd) == 0 && close(ends[0]) == 0);
}

/* A process's folder in /proc stands for it, too. */
static void check_folders(void) {
    char name[40];
    int status;
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    snprintf(name, sizeof(name), "/proc/%d", child);
    int fd = open(name, O_RDONLY | O_DIRECTORY), other = open("/proc", O_RDONLY);
    CHECK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0);
    CHECK(syscall(SYS_pidfd_send_signal, other, 0, NULL, 0) == -1 && errno == EBADF);
    CHECK(close(other) == 0 && (other = open("/tmp", O_RDONLY)) >= 0);
    CHECK(syscall(SYS_pidfd_send_signal, other, 0, NULL, 0) == -1 && errno == EBADF);
    CHECK(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
    CHECK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == -1 && errno == ESRCH);
    CHECK(close(fd) == 0 && close(other) == 0);
}

static long clone3_(struct clone_args *a, size_t bytes) { return syscall(SYS_clone3, a, bytes); }

static void check_making(void) {
    static int told, child_told;
    int fd = -1, status;
    struct clone_args a = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                           .pidfd = (uintptr_t)&fd,
                           .parent_tid = (uintptr_t)&told,
                           .child_tid = (uintptr_t)&child_told,
                           .exit_signal = SIGCHLD};
    long child = clone3_(&a, sizeof(a));
    if (child == 0)
        _exit(child_told == getpid() && fcntl(fd, F_GETFD) == -1 ? 5 : 1);
    CHECK(child > 0 && told == child && is_ready(fd, -1) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5 && close(fd) == 0);
    CHECK(clone3_(&a, 8) == -1 && errno == EINVAL && clone3_(&a, 5000) == -1 && errno == E2BIG);
    a.stack = 4096; /* without a size */
    CHECK(clone3_(&a, sizeof(a)) == -1 && errno == EINVAL);
    a.stack = 0;
    a.flags |= CLONE_NEWNS;
    CHECK(clone3_(&a, sizeof(a)) == -1 && errno == ENOSYS);
    a.flags = SIGCHLD;
    CHECK(clone3_(&a, sizeof(a)) == -1 && errno == EINVAL);
    a.flags = CLONE_PIDFD;
    a.pidfd = 16;
    CHECK(clone3_(&a, sizeof(a)) == -1 && errno == EFAULT);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    fd = -1;
    child = syscall(SYS_clone, CLONE_PIDFD | CLONE_VM | CLONE_VFORK | SIGCHLD, 0, &fd, 0, 0);
    if (child == 0)
        _exit(6);
    CHECK(child > 0 && fd >= 0 && is_ready(fd, 0) && close(fd) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 6);
    CHECK(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0) == -1);
}

int main(void) {
    check_news();
    check_files();
    check_many_watch();
    check_bound();
    check_theirs();
    check_folders();
    check_making();
    return tell_end();
}
