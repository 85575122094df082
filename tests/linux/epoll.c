/* flags: -static -pthread */
/* epoll: what becomes ready, how often that is told, and what goes when a file is closed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include "threads.h"

static char bytes[70000];

static int add(int set, int fd, unsigned events) {
    struct epoll_event e = {events, {.u64 = 0x100000000ULL | (unsigned)fd}};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
}

static int change(int set, int fd, unsigned events) {
    struct epoll_event e = {events, {.u64 = 0x200000000ULL | (unsigned)fd}};
    return epoll_ctl(set, EPOLL_CTL_MOD, fd, &e);
}

static int drop(int set, int fd) { return epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL); }

/* What the only one that is ready is; 0: none is; -1: something else. */
static int only(int set, int fd) {
    struct epoll_event e[4] = {{0}};
    int n = epoll_wait(set, e, 4, 0);
    if (n == 1 && (unsigned)e[0].data.u64 == (unsigned)fd)
        return (int)e[0].events;
    return n == 0 ? 0 : -1;
}

struct ends {
    int in, out, set;
};

static struct ends begin_pipe(unsigned in_events) {
    int fd[2];
    CHECK(pipe2(fd, O_NONBLOCK) == 0);
    struct ends p = {fd[0], fd[1], epoll_create1(EPOLL_CLOEXEC)};
    CHECK(p.set >= 0 && add(p.set, p.in, in_events) == 0);
    return p;
}

static void end_pipe(struct ends p) {
    CHECK(close(p.in) == 0 && close(p.out) == 0 && close(p.set) == 0);
}

static void check_levels(void) {
    struct ends p = begin_pipe(EPOLLIN | EPOLLRDHUP);
    struct epoll_event e;
    CHECK(only(p.set, p.in) == 0 && write(p.out, "ab", 2) == 2);
    CHECK(epoll_wait(p.set, &e, 1, -1) == 1 && e.events == EPOLLIN);
    CHECK(e.data.u64 == (0x100000000ULL | (unsigned)p.in));
    CHECK(only(p.set, p.in) == EPOLLIN && read(p.in, bytes, 1) == 1);
    CHECK(only(p.set, p.in) == EPOLLIN && read(p.in, bytes, 2) == 1 && only(p.set, p.in) == 0);
    CHECK(change(p.set, p.in, EPOLLRDNORM) == 0 && write(p.out, "a", 1) == 1);
    CHECK(epoll_wait(p.set, &e, 1, -1) == 1 && e.events == EPOLLRDNORM);
    CHECK(e.data.u64 == (0x200000000ULL | (unsigned)p.in));
    CHECK(change(p.set, p.in, 0) == 0 && only(p.set, p.in) == 0);
    CHECK(add(p.set, p.out, EPOLLOUT) == 0 && only(p.set, p.out) == EPOLLOUT);
    CHECK(write(p.out, bytes, sizeof(bytes)) > 0 && only(p.set, p.out) == 0);
    CHECK(read(p.in, bytes, 5000) == 5000 && only(p.set, p.out) == EPOLLOUT);
    CHECK(drop(p.set, p.out) == 0 && only(p.set, p.in) == 0);
    int copy = dup(p.in);
    CHECK(close(p.out) == 0 && only(p.set, p.in) == EPOLLHUP);
    CHECK(close(p.in) == 0 && only(p.set, p.in) == EPOLLHUP); /* the file is open still */
    CHECK(close(copy) == 0 && only(p.set, p.in) == 0 && close(p.set) == 0);
    p = begin_pipe(0);
    CHECK(add(p.set, p.out, 0) == 0 && drop(p.set, p.in) == 0 && close(p.in) == 0);
    CHECK(only(p.set, p.out) == EPOLLERR && close(p.out) == 0 && close(p.set) == 0);
}

static void check_edges(void) {
    struct ends p = begin_pipe(EPOLLIN | EPOLLET);
    CHECK(write(p.out, "abc", 3) == 3 && only(p.set, p.in) == EPOLLIN && only(p.set, p.in) == 0);
    CHECK(read(p.in, bytes, 1) == 1 && only(p.set, p.in) == 0); /* two are left, and no news */
    CHECK(write(p.out, "d", 1) == 1 && only(p.set, p.in) == EPOLLIN && only(p.set, p.in) == 0);
    CHECK(change(p.set, p.in, EPOLLIN | EPOLLET) == 0);
    CHECK(only(p.set, p.in) == EPOLLIN && only(p.set, p.in) == 0);
    CHECK(add(p.set, p.out, EPOLLOUT | EPOLLET) == 0 && only(p.set, p.out) == EPOLLOUT);
    CHECK(read(p.in, bytes, 1) == 1 && only(p.set, p.out) == 0);
    CHECK(write(p.out, bytes, sizeof(bytes)) > 0 && only(p.set, p.in) == EPOLLIN);
    CHECK(read(p.in, bytes, 3000) == 3000 && only(p.set, p.out) == 0);
    CHECK(read(p.in, bytes, 3000) == 3000 && only(p.set, p.out) == EPOLLOUT);
    CHECK(read(p.in, bytes, 3000) == 3000 && only(p.set, p.out) == 0);
    end_pipe(p);
}

static void check_once(void) {
    struct ends p = begin_pipe(EPOLLIN | EPOLLONESHOT);
    CHECK(write(p.out, "a", 1) == 1 && only(p.set, p.in) == EPOLLIN && only(p.set, p.in) == 0);
    CHECK(write(p.out, "b", 1) == 1 && only(p.set, p.in) == 0);
    CHECK(change(p.set, p.in, EPOLLIN | EPOLLONESHOT) == 0 && only(p.set, p.in) == EPOLLIN);
    CHECK(close(p.out) == 0 && only(p.set, p.in) == 0); /* not even the end is told */
    CHECK(change(p.set, p.in, EPOLLIN) == 0 && only(p.set, p.in) == (EPOLLIN | EPOLLHUP));
    CHECK(close(p.in) == 0 && only(p.set, p.in) == 0 && close(p.set) == 0);
}

static void check_errors(void) {
    struct ends p = begin_pipe(EPOLLIN);
    struct epoll_event e;
    int file = open("/tmp/epoll", O_CREAT | O_RDWR, 0600), tty = open("/dev/tty", O_RDWR);
    CHECK(epoll_create1(1) == -1 && errno == EINVAL);
    CHECK(fcntl(p.set, F_GETFD) == FD_CLOEXEC);
    CHECK(add(p.set, p.in, 0) == -1 && errno == EEXIST);
    CHECK(add(p.set, p.set, 0) == -1 && errno == EINVAL);
    CHECK(add(p.in, p.out, 0) == -1 && errno == EINVAL);
    CHECK(add(p.set, 99, 0) == -1 && errno == EBADF);
    CHECK(add(99, p.in, 0) == -1 && errno == EBADF);
    CHECK(change(p.set, p.out, 0) == -1 && errno == ENOENT);
    CHECK(drop(p.set, p.out) == -1 && errno == ENOENT);
    CHECK(epoll_ctl(p.set, 7, p.in, &e) == -1 && errno == EINVAL);
    CHECK(epoll_ctl(p.set, EPOLL_CTL_MOD, p.in, (void *)-4096L) == -1 && errno == EFAULT);
    CHECK(add(p.set, file, EPOLLIN) == -1 && errno == EPERM);
    CHECK(add(p.set, tty, EPOLLOUT | EPOLLET) == 0 && only(p.set, tty) == EPOLLOUT);
    CHECK(add(p.set, p.out, EPOLLOUT | EPOLLEXCLUSIVE) == 0 && drop(p.set, p.out) == 0);
    CHECK(change(p.set, p.in, EPOLLIN | EPOLLEXCLUSIVE) == -1 && errno == EINVAL);
    CHECK(epoll_wait(p.set, &e, 0, 0) == -1 && errno == EINVAL);
    CHECK(epoll_wait(p.in, &e, 1, 0) == -1 && errno == EINVAL);
    CHECK(epoll_wait(99, &e, 1, 0) == -1 && errno == EBADF);
    CHECK(read(p.set, bytes, 1) == -1 && errno == EINVAL);
    CHECK(write(p.out, "x", 1) == 1);
    CHECK(epoll_wait(p.set, (void *)-4096L, 1, 0) == -1 && errno == EFAULT);
    CHECK(only(p.set, p.in) == EPOLLIN); /* it was not told */
    CHECK(change(p.set, p.in, EPOLLIN | EPOLLONESHOT) == 0);
    CHECK(epoll_wait(p.set, (void *)-4096L, 1, 0) == -1 && only(p.set, p.in) == EPOLLIN);
    CHECK(close(file) == 0 && unlink("/tmp/epoll") == 0 && close(tty) == 0);
    end_pipe(p);
}

/* One that is in the set by two numbers, of which one is another file's by now. */
static void check_numbers(void) {
    struct ends p = begin_pipe(EPOLLIN);
    int copy = dup(p.in), fd[2];
    struct epoll_event e[4];
    CHECK(add(p.set, copy, EPOLLIN) == 0 && write(p.out, "x", 1) == 1);
    CHECK(epoll_wait(p.set, e, 4, 0) == 2 && e[0].data.u64 != e[1].data.u64);
    CHECK(close(copy) == 0 && pipe(fd) == 0 && fd[0] == copy);
    CHECK(epoll_wait(p.set, e, 4, 0) == 2 && drop(p.set, fd[0]) == -1 && errno == ENOENT);
    CHECK(add(p.set, fd[0], EPOLLIN) == 0 && write(fd[1], "x", 1) == 1);
    CHECK(epoll_wait(p.set, e, 4, 0) == 3 && epoll_wait(p.set, e, 2, 0) == 2);
    CHECK(close(p.in) == 0 && only(p.set, fd[0]) == EPOLLIN);
    CHECK(close(fd[0]) == 0 && close(fd[1]) == 0 && only(p.set, 0) == 0);
    CHECK(close(p.out) == 0 && close(p.set) == 0);
}

static void check_nested(void) {
    struct ends p = begin_pipe(EPOLLIN);
    int chain[5] = {p.set};
    struct pollfd poll_of = {p.set, POLLIN | POLLOUT};
    CHECK(poll(&poll_of, 1, 0) == 0);
    for (int i = 1; i < 5; i++) {
        chain[i] = epoll_create1(0);
        CHECK(add(chain[i], chain[i - 1], EPOLLIN) == 0);
    }
    int deep = epoll_create1(0);
    CHECK(add(deep, chain[4], EPOLLIN) == -1 && errno == ELOOP);
    CHECK(add(chain[0], deep, EPOLLIN) == -1 && errno == ELOOP);
    for (int i = 1; i < 5; i++)
        CHECK(add(chain[0], chain[i], EPOLLIN) == -1 && errno == ELOOP);
    CHECK(only(chain[4], chain[3]) == 0 && write(p.out, "x", 1) == 1);
    for (int i = 1; i < 5; i++)
        CHECK(only(chain[i], chain[i - 1]) == EPOLLIN);
    poll_of.fd = chain[4];
    CHECK(poll(&poll_of, 1, 60000) == 1 && poll_of.revents == POLLIN);
    CHECK(read(p.in, bytes, 1) == 1 && only(chain[4], chain[3]) == 0 && poll(&poll_of, 1, 0) == 0);
    CHECK(change(chain[4], chain[3], EPOLLIN | EPOLLET) == 0 && only(chain[4], chain[3]) == 0);
    CHECK(write(p.out, "x", 1) == 1 && only(chain[4], chain[3]) == EPOLLIN);
    CHECK(only(chain[4], chain[3]) == 0 && write(p.out, "x", 1) == 1);
    CHECK(only(chain[4], chain[3]) == EPOLLIN && only(chain[4], chain[3]) == 0);
    CHECK(close(chain[2]) == 0 && only(chain[3], chain[2]) == 0 &&
          add(deep, chain[4], EPOLLIN) == 0);
    CHECK(only(chain[1], p.set) == EPOLLIN && only(deep, chain[4]) == 0);
    CHECK(close(deep) == 0 && close(chain[1]) == 0 && close(chain[3]) == 0 && close(chain[4]) == 0);
    CHECK(only(p.set, p.in) == EPOLLIN);
    end_pipe(p);
}

/* Only as many sets may have a set; and a file may be in more. */
static void check_places(void) {
    struct ends p = begin_pipe(EPOLLIN);
    int sets[600], n = 0, last = 0;
    while (n < 600 && (sets[n] = epoll_create1(0)) >= 0 && add(sets[n], p.set, EPOLLIN) == 0)
        n++;
    CHECK(n == 8 && add(sets[n], p.set, 0) == -1 && errno == ENOSPC);
    CHECK(write(p.out, "x", 1) == 1);
    for (int i = 0; i < n; i++)
        CHECK(only(sets[i], p.set) == EPOLLIN);
    for (int i = 0; i <= n; i++)
        CHECK(close(sets[i]) == 0);
    for (n = 0; n < 600 && (sets[n] = dup(p.in)) >= 0 && add(p.set, sets[n], EPOLLIN) == 0; n++)
        last = sets[n];
    CHECK(n == 511 && add(p.set, sets[n], 0) == -1 && errno == ENOSPC);
    CHECK(add(p.set, p.out, EPOLLOUT) == 0);
    CHECK(drop(p.set, last) == 0 && add(p.set, sets[n], EPOLLIN) == 0);
    for (int i = 0; i <= n; i++)
        CHECK(close(sets[i]) == 0);
    end_pipe(p);
}

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static volatile sig_atomic_t caught;
static void handler(int signal) { caught++; }

static void check_time_and_signals(void) {
    struct ends p = begin_pipe(EPOLLIN);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct epoll_event e;
    sigset_t block, empty, now;
    int status;
    long before = milliseconds();
    CHECK(epoll_wait(p.set, &e, 1, 30) == 0 && milliseconds() - before >= 30);
    struct timespec span = {0, 20000000}, bad = {0, 1000000000};
    before = milliseconds();
    CHECK(syscall(441, p.set, &e, 1, &span, NULL, 8) == 0 && milliseconds() - before >= 20);
    CHECK(syscall(441, p.set, &e, 1, &bad, NULL, 8) == -1 && errno == EINVAL);
    sigemptyset(&empty);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigprocmask(SIG_BLOCK, &block, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0 && epoll_wait(p.set, &e, 1, 10) == 0 && caught == 0);
    CHECK(epoll_pwait(p.set, &e, 1, -1, &empty) == -1 && errno == EINTR && caught == 1);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1));
    CHECK(syscall(22, p.set, &e, 1, 0, &empty, 7) == -1 && errno == EINVAL);
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        _exit(kill(parent, SIGUSR1));
    CHECK(epoll_pwait(p.set, &e, 1, 60000, &empty) == -1 && errno == EINTR && caught == 2);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &block, NULL) == 0 && caught == 2);
    before = milliseconds(); /* a child's end, of which nobody wants to know, changes nothing */
    child = fork();
    if (child == 0)
        _exit(0);
    CHECK(epoll_wait(p.set, &e, 1, 40) == 0 && milliseconds() - before >= 40);
    CHECK(waitpid(child, &status, 0) == child);
    end_pipe(p);
}

/* fork shares the set: what the child adds is in the parent's, as long as its file is open. */
static void check_fork(void) {
    struct ends p = begin_pipe(EPOLLIN);
    struct epoll_event e;
    int go[2], status;
    CHECK(pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        int own[2];
        char c;
        close(go[1]);
        _exit(pipe(own) != 0 || add(p.set, own[0], EPOLLIN) != 0 || write(own[1], "x", 1) != 1 ||
              read(go[0], &c, 1) != 0);
    }
    CHECK(epoll_wait(p.set, &e, 1, 60000) == 1 && (int)e.data.u64 != p.in);
    CHECK(close(go[1]) == 0 && waitpid(child, &status, 0) == child && status == 0);
    CHECK(only(p.set, p.in) == 0 && close(go[0]) == 0);
    end_pipe(p);
}

/* ---- threads ---- */

#define THREADS 4
#define PIPES 3
#define ROUNDS 150
static int set, there[PIPES][2], back[PIPES][2], stop[2];

/* Answers bytes until there is one in `stop`, which stays. */
static void *serve(void *unused) {
    uintptr_t served = 0;
    for (;;) {
        struct epoll_event e;
        if (epoll_wait(set, &e, 1, -1) != 1)
            return NULL;
        unsigned i = (unsigned)e.data.u64;
        char c;
        if (i == PIPES)
            return (void *)(served + 1);
        if (read(there[i][0], &c, 1) != 1 || write(back[i][1], &c, 1) != 1)
            return NULL;
        served++;
        e.events = EPOLLIN | EPOLLONESHOT;
        if (epoll_ctl(set, EPOLL_CTL_MOD, there[i][0], &e) != 0)
            return NULL;
    }
}

static void check_threads(void) {
    pthread_t threads[THREADS];
    uintptr_t served = 0;
    set = epoll_create1(0);
    CHECK(pipe(stop) == 0);
    for (unsigned i = 0; i < PIPES; i++) {
        struct epoll_event e = {EPOLLIN | EPOLLONESHOT, {.u64 = i}};
        CHECK(pipe(there[i]) == 0 && pipe(back[i]) == 0);
        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, there[i][0], &e) == 0);
    }
    struct epoll_event end = {EPOLLIN, {.u64 = PIPES}};
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, stop[0], &end) == 0);
    for (int i = 0; i < THREADS; i++)
        threads[i] = begin(serve, NULL);
    for (int round = 0; round < ROUNDS && !failures; round++) {
        char c;
        for (int i = 0; i < PIPES; i++)
            CHECK(write(there[i][1], "x", 1) == 1);
        for (int i = 0; i < PIPES; i++)
            CHECK(read(back[i][0], &c, 1) == 1);
    }
    CHECK(write(stop[1], "x", 1) == 1); /* which all hear, one after the other */
    for (int i = 0; i < THREADS; i++) {
        uintptr_t one = (uintptr_t)end_of(threads[i]);
        CHECK(one > 0);
        served += one - 1;
    }
    CHECK(served == PIPES * ROUNDS);
    for (int i = 0; i < PIPES; i++)
        CHECK(close(there[i][0]) == 0 && close(there[i][1]) == 0 && close(back[i][0]) == 0 &&
              close(back[i][1]) == 0);
    CHECK(close(set) == 0 && close(stop[0]) == 0 && close(stop[1]) == 0);
}

/* The set's descriptor is closed while somebody waits, who has it until the end. */
static void *wait_once(void *unused) {
    struct epoll_event e;
    return (void *)(intptr_t)epoll_wait(set, &e, 1, 60000);
}

static void check_closed(void) {
    struct ends p = begin_pipe(EPOLLIN);
    set = p.set;
    pthread_t t = begin(wait_once, NULL);
    CHECK(close(p.set) == 0 && write(p.out, "x", 1) == 1);
    intptr_t n = (intptr_t)end_of(t); /* -1: it was closed before the call */
    CHECK((n == 1 || n == -1) && close(p.in) == 0 && close(p.out) == 0);
}

/* Files come and go while threads wait for them: nobody hears of one that has gone. */
static int alive = 1; /* atomic */
static void *come_and_go(void *unused) {
    for (int i = 0; i < 200; i++) {
        int fd[2];
        CHECK(pipe(fd) == 0 && add(set, fd[0], EPOLLIN | (i % 2 ? EPOLLET : 0)) == 0);
        CHECK(write(fd[1], "x", 1) == 1);
        if (i % 3 == 0)
            CHECK(drop(set, fd[0]) == 0);
        CHECK(close(fd[i % 2]) == 0 && close(fd[1 - i % 2]) == 0);
    }
    return NULL;
}

static void *look_on(void *unused) {
    struct epoll_event e[8];
    while (__atomic_load_n(&alive, __ATOMIC_RELAXED))
        CHECK(epoll_wait(set, e, 8, 1) >= 0);
    return NULL;
}

static void check_files_that_go(void) {
    pthread_t make[2], look[2];
    set = epoll_create1(0);
    for (int i = 0; i < 2; i++) {
        look[i] = begin(look_on, NULL);
        make[i] = begin(come_and_go, NULL);
    }
    end_of(make[0]);
    end_of(make[1]);
    __atomic_store_n(&alive, 0, __ATOMIC_RELAXED);
    end_of(look[0]);
    end_of(look[1]);
    CHECK(only(set, 0) == 0 && close(set) == 0);
}

/* ---- sockets ---- */

/* A connection, one that waits to be accepted, bytes and the other side's end. */
static void check_sockets(void) {
    struct sockaddr_un name = {AF_UNIX, "/tmp/watched"};
    struct epoll_event e;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), set = epoll_create1(0);
    CHECK(bind(listener, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(listener, 4) == 0);
    CHECK(add(set, listener, EPOLLIN) == 0 && only(set, listener) == 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
        CHECK(read(fd, bytes, 1) == 1 && write(fd, "xyz", 3) == 3);
        _exit(failures);
    }
    CHECK(epoll_wait(set, &e, 1, -1) == 1 && (int)e.data.u64 == listener);
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    CHECK(fd >= 0 && only(set, listener) == 0 && add(set, fd, EPOLLIN | EPOLLET) == 0);
    CHECK(only(set, fd) == 0 && write(fd, "a", 1) == 1);
    size_t got = 0;
    for (ssize_t n = 1; n > 0;) { /* until the child has ended */
        CHECK(epoll_wait(set, &e, 1, -1) == 1 && (int)e.data.u64 == fd);
        while ((n = read(fd, bytes, 2)) > 0)
            got += (size_t)n;
        n = n == -1 && errno == EAGAIN ? 1 : n;
    }
    int status = 1;
    CHECK(got == 3 && waitpid(child, &status, 0) == child && status == 0);
    CHECK(change(set, fd, EPOLLIN | EPOLLOUT) == 0 && (only(set, fd) & EPOLLHUP));
    CHECK(close(fd) == 0 && only(set, listener) == 0);
    CHECK(close(listener) == 0 && close(set) == 0 && unlink(name.sun_path) == 0);
}

int main(void) {
    check_levels();
    check_edges();
    check_once();
    check_errors();
    check_numbers();
    check_nested();
    check_places();
    check_time_and_signals();
    check_fork();
    check_threads();
    check_closed();
    check_files_that_go();
    check_sockets();
    return tell_end();
}
