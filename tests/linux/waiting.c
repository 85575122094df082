/* poll and select, and files that do not wait. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static char bytes[200000];

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A smaller one is full earlier, and a larger one has room at once. */
static void check_pipe_size(void) {
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    CHECK(fcntl(ends[0], F_SETPIPE_SZ, 5000) == 8192 && fcntl(ends[1], F_GETPIPE_SZ) == 8192);
    CHECK(write(ends[1], bytes, sizeof(bytes)) == 8192);
    CHECK(write(ends[1], bytes, 1) == -1 && errno == EAGAIN);
    struct pollfd p = {.fd = ends[1], .events = POLLOUT};
    CHECK(poll(&p, 1, 0) == 0);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 0) == -1 && errno == EBUSY);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 32768) == 32768);
    CHECK(poll(&p, 1, 0) == 1 && write(ends[1], bytes, sizeof(bytes)) == 32768 - 8192);
    CHECK(read(ends[0], bytes, sizeof(bytes)) == 32768);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 1) == 4096 && write(ends[1], bytes, 5000) == 4096);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void check_without_waiting(void) {
    int ends[2], number, zero = open("/dev/zero", O_RDONLY);
    CHECK(pipe2(ends, O_NONBLOCK) == 0 && fcntl(ends[0], F_GETFL) == (O_RDONLY | O_NONBLOCK));
    CHECK(read(ends[0], bytes, 10) == -1 && errno == EAGAIN);
    CHECK(write(ends[1], bytes, 5) == 5 && read(ends[0], bytes, 10) == 5);
    CHECK(read(ends[0], bytes, 10) == -1 && errno == EAGAIN);
    CHECK(write(ends[1], bytes, sizeof(bytes)) == 65536 && fcntl(ends[0], F_GETPIPE_SZ) == 65536);
    CHECK(ioctl(ends[0], FIONREAD, &number) == 0 && number == 65536);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) == -1 && errno == EBUSY); /* more is in it */
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 65537) == -1 && errno == EPERM);
    CHECK(fcntl(zero, F_GETPIPE_SZ) == -1 && errno == EBADF);
    CHECK(ioctl(zero, FIONREAD, &number) == -1 && errno == ENOTTY && close(zero) == 0);
    CHECK(write(ends[1], bytes, 1) == -1 && errno == EAGAIN);
    CHECK(read(ends[0], bytes, 4095) == 4095);
    CHECK(write(ends[1], bytes, 4096) == -1 && errno == EAGAIN); /* all of it or nothing */
    CHECK(write(ends[1], bytes, 4097) == 4095);                  /* this may come in parts */
    CHECK(ioctl(ends[0], FIOCLEX) == 0 && fcntl(ends[0], F_GETFD) == FD_CLOEXEC);
    CHECK(ioctl(ends[0], FIONCLEX) == 0 && fcntl(ends[0], F_GETFD) == 0);
    CHECK(fcntl(ends[0], F_SETFL, 0) == 0 && fcntl(ends[0], F_GETFL) == O_RDONLY);
    number = 1;
    CHECK(ioctl(ends[0], FIONBIO, &number) == 0);
    CHECK(fcntl(ends[0], F_GETFL) == (O_RDONLY | O_NONBLOCK) && fcntl(ends[0], F_SETFL, 0) == 0);
    CHECK(close(ends[1]) == 0 && read(ends[0], bytes, sizeof(bytes)) > 0);
    CHECK(read(ends[0], bytes, 1) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(ends[0], bytes, 1) == 0 && close(ends[0]) == 0); /* the end is no reason to wait */
    int fd = open("/dev/tty", O_RDONLY | O_NONBLOCK);
    CHECK(read(fd, bytes, 1) == -1 && errno == EAGAIN && close(fd) == 0);
}

static void check_events(void) {
    int ends[2], zero = open("/dev/zero", O_RDWR), tty = open("/dev/tty", O_RDWR);
    CHECK(pipe(ends) == 0);
    struct pollfd p[6] = {
        {ends[0], POLLIN}, {ends[1], POLLIN | POLLOUT}, {zero, POLLIN | POLLOUT}, {-1, POLLIN},
        {99, POLLIN},      {tty, POLLIN | POLLOUT}};
    CHECK(poll(p, 6, -1) == 4 && p[0].revents == 0 && p[1].revents == POLLOUT);
    CHECK(p[2].revents == (POLLIN | POLLOUT) && p[3].revents == 0 && p[4].revents == POLLNVAL);
    CHECK(p[5].revents == POLLOUT);
    CHECK(write(ends[1], "x", 1) == 1 && poll(p, 1, -1) == 1 && p[0].revents == POLLIN);
    p[0].events = POLLRDNORM;
    CHECK(poll(p, 1, -1) == 1 && p[0].revents == POLLRDNORM);
    p[0].events = 0;
    CHECK(poll(p, 1, 0) == 0);
    int fd = dup(ends[1]);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && write(fd, bytes, sizeof(bytes)) > 0);
    CHECK(poll(p + 1, 1, 0) == 0 && read(ends[0], bytes, 100) == 100 && poll(p + 1, 1, 0) == 0);
    CHECK(read(ends[0], bytes, 4000) == 4000 && poll(p + 1, 1, 0) == 1);
    CHECK(close(fd) == 0 && close(ends[1]) == 0 && poll(p, 1, -1) == 1 && p[0].revents == POLLHUP);
    p[0].events = POLLIN;
    CHECK(poll(p, 1, -1) == 1 && p[0].revents == (POLLIN | POLLHUP) && close(ends[0]) == 0);
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    p[1].fd = ends[1];
    CHECK(poll(p + 1, 1, -1) == 1 && p[1].revents == (POLLOUT | POLLERR) && close(ends[1]) == 0);
    CHECK(close(zero) == 0 && close(tty) == 0);
    CHECK(poll(p, 5000, 0) == -1 && errno == EINVAL);
    CHECK(poll((void *)-4096L, 1, 0) == -1 && errno == EFAULT);
}

static void check_time(void) {
    int ends[2];
    long before = milliseconds();
    CHECK(pipe(ends) == 0);
    struct pollfd p = {ends[0], POLLIN};
    CHECK(poll(&p, 1, 30) == 0 && milliseconds() - before >= 30);
    before = milliseconds();
    CHECK(poll(NULL, 0, 20) == 0 && milliseconds() - before >= 20);
    struct timeval span = {0, 20000};
    before = milliseconds();
    CHECK(select(0, NULL, NULL, NULL, &span) == 0 && milliseconds() - before >= 20);
    struct timespec bad = {0, 1000000000};
    CHECK(ppoll(&p, 1, &bad, NULL) == -1 && errno == EINVAL);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* Two children answer each byte on pipes of their own: whichever comes is found, and none is
 * missed. */
#define ROUNDS 200
static void echo(int from, int to) {
    char c;
    while (read(from, &c, 1) == 1)
        if (write(to, &c, 1) != 1)
            _exit(2);
    _exit(0);
}

static void check_partners(void) {
    int there[2][2], back[2][2], status, got = 0;
    struct pollfd p[2];
    for (int i = 0; i < 2; i++) {
        CHECK(pipe(there[i]) == 0 && pipe(back[i]) == 0);
        if (fork() == 0) {
            for (int k = 0; k <= i; k++) {
                close(there[k][1]);
                close(back[k][0]);
            }
            echo(there[i][0], back[i][1]);
        }
        close(there[i][0]);
        close(back[i][1]);
        p[i] = (struct pollfd){back[i][0], POLLIN};
    }
    for (int round = 0; round < ROUNDS && !failures; round++) {
        CHECK(write(there[round % 2][1], "x", 1) == 1);
        CHECK(poll(p, 2, 60000) == 1 && p[round % 2].revents == POLLIN);
        CHECK(read(back[round % 2][0], bytes, 10) == 1);
        got++;
    }
    CHECK(got == ROUNDS && close(there[0][1]) == 0 && close(there[1][1]) == 0);
    p[0].events = p[1].events = 0;
    CHECK(poll(p, 2, -1) >= 1 && (p[0].revents | p[1].revents) == POLLHUP);
    CHECK(wait(&status) > 0 && status == 0 && wait(&status) > 0 && status == 0);
    CHECK(poll(p, 2, 0) == 2 && close(back[0][0]) == 0 && close(back[1][0]) == 0);
}

/* A writer waits for room, which a reader makes. */
static void check_room(void) {
    int ends[2], status;
    CHECK(pipe2(ends, O_NONBLOCK) == 0 && write(ends[1], bytes, sizeof(bytes)) > 0);
    pid_t child = fork();
    if (child == 0) {
        struct pollfd p = {ends[1], POLLOUT};
        close(ends[0]);
        _exit(poll(&p, 1, 60000) == 1 && write(ends[1], bytes, 4096) == 4096 ? 7 : 1);
    }
    close(ends[1]);
    struct pollfd p = {ends[0], POLLIN};
    long all = 0;
    for (ssize_t n; poll(&p, 1, 60000) == 1 && (n = read(ends[0], bytes, 1000)) > 0;)
        all += n;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    CHECK(all > 4096 && close(ends[0]) == 0);
}

static void check_select(void) {
    int ends[2];
    fd_set in, out, none;
    CHECK(pipe(ends) == 0 && dup2(ends[0], 200) == 200 && close(ends[0]) == 0);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&none);
    FD_SET(200, &in);
    FD_SET(200, &none);
    FD_SET(ends[1], &out);
    CHECK(select(201, &in, &out, &none, NULL) == 1 && FD_ISSET(ends[1], &out));
    CHECK(!FD_ISSET(200, &in) && !FD_ISSET(200, &none));
    FD_SET(200, &in);
    struct timeval zero = {0, 0};
    CHECK(select(201, &in, NULL, NULL, &zero) == 0 && !FD_ISSET(200, &in));
    FD_SET(200, &in);
    CHECK(write(ends[1], "x", 1) == 1 && select(201, &in, &out, NULL, NULL) == 2);
    CHECK(FD_ISSET(200, &in) && close(ends[1]) == 0 && read(200, bytes, 2) == 1);
    CHECK(select(201, &in, NULL, NULL, NULL) == 1 && read(200, bytes, 1) == 0 && close(200) == 0);
    CHECK(select(201, &in, NULL, NULL, NULL) == -1 && errno == EBADF);
}

static char state_of(pid_t pid) {
    char path[32], line[200] = "", *at;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && close(fd) == 0);
    at = strrchr(line, ')');
    return at ? at[2] : 0;
}

/* Somebody else changes an entry that is waited for: what was asked first counts, and the change
 * stays. */
static void check_changed_entry(void) {
    int ends[2], status;
    struct pollfd *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && pipe(ends) == 0);
    *p = (struct pollfd){ends[0], POLLIN, 0};
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        while (!failures && state_of(parent) != 'S')
            sched_yield();
        p->events = POLLOUT;
        p->fd = -5;
        _exit(failures || write(ends[1], "x", 1) != 1);
    }
    CHECK(poll(p, 1, 60000) == 1 && p->revents == POLLIN);
    CHECK(p->events == POLLOUT && p->fd == -5);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && munmap(p, 4096) == 0);
}

static volatile sig_atomic_t caught;
static void handler(int signal) { caught++; }

/* The mask is that of the wait alone, and a signal that it lets in ends it. */
static void check_mask(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigset_t block, empty, now;
    int ends[2], status;
    CHECK(pipe(ends) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    struct pollfd p = {ends[0], POLLIN};
    sigemptyset(&empty);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &block, NULL) == 0 && raise(SIGUSR1) == 0 && caught == 0);
    CHECK(poll(&p, 1, 10) == 0 && caught == 0);
    CHECK(ppoll(&p, 1, NULL, &empty) == -1 && errno == EINTR && caught == 1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1));
    struct timespec span = {0, 10000000};
    CHECK(ppoll(&p, 1, &span, &empty) == 0 && raise(SIGUSR1) == 0 && caught == 1);
    CHECK(pselect(0, NULL, NULL, NULL, NULL, &empty) == -1 && errno == EINTR && caught == 2);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1));
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        _exit(kill(parent, SIGUSR1));
    CHECK(ppoll(&p, 1, NULL, &empty) == -1 && errno == EINTR && caught == 3);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    /* So it is let in where nothing is waited for. */
    struct timespec none = {0, 0};
    CHECK(ppoll(&p, 1, &none, &empty) == 0 && raise(SIGUSR1) == 0 && caught == 3);
    CHECK(ppoll(&p, 1, &none, &empty) == -1 && errno == EINTR && caught == 4);
    CHECK(sigprocmask(SIG_UNBLOCK, &block, NULL) == 0 && caught == 4);
    /* A child's end, of which nobody wants to know, changes nothing. */
    long before = milliseconds();
    child = fork();
    if (child == 0)
        _exit(0);
    CHECK(poll(&p, 1, 40) == 0 && milliseconds() - before >= 40);
    CHECK(waitpid(child, &status, 0) == child && close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* ---- a call that is done again ---- */

static const char *times = "/tmp/times";

/* Sleeps as a page of a file says, which is cut off meanwhile; then shortly. */
static void sleep_twice(const struct timespec *long_span) {
    const struct timespec span = {0, 1000000};
    bool failed = nanosleep(long_span, NULL) == -1 && errno == EFAULT;
    alarm(20);
    _exit(failed && nanosleep(&span, NULL) == 0 ? 0 : 1);
}

static bool sleeps(pid_t pid) {
    char path[40], text[200] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    CHECK(read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
    return strstr(text, ") S ");
}

/* It fails then, and what it was to wait for is not the next one's. */
static void check_fails_when_done_again(void) {
    int status, fd = open(times, O_RDWR | O_CREAT, 0600);
    CHECK(ftruncate(fd, 4096) == 0);
    struct timespec *span = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    span->tv_sec = 100000;
    pid_t pid = fork();
    if (pid == 0)
        sleep_twice(span);
    while (!sleeps(pid))
        sched_yield();
    CHECK(kill(pid, SIGSTOP) == 0 && waitpid(pid, &status, WUNTRACED) == pid);
    CHECK(ftruncate(fd, 0) == 0 && kill(pid, SIGCONT) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
    CHECK(close(fd) == 0 && unlink(times) == 0 && munmap(span, 4096) == 0);
}

int main(void) {
    check_pipe_size();
    check_without_waiting();
    check_events();
    check_time();
    check_partners();
    check_room();
    check_select();
    check_changed_entry();
    check_mask();
    check_fails_when_done_again();
    return tell_end();
}
