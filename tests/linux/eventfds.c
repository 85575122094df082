/* flags: -static -pthread */
/* Counters and timers that are files: eventfd and timerfd. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include "threads.h"

#define MOST (UINT64_MAX - 1)
#define MILLISECOND 1000000L

/* The number that a read gives; 0: it would wait. */
static uint64_t taken(int fd) {
    uint64_t n = 77;
    errno = 0;
    ssize_t got = read(fd, &n, sizeof(n));
    int err = errno;
    CHECK(got == 8 || (got == -1 && err == EAGAIN));
    return got == 8 ? n : 0;
}

static int give(int fd, uint64_t n) { return (int)write(fd, &n, sizeof(n)); }

static int events_of(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static void check_counters(void) {
    uint64_t wide[2];
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    CHECK(events_of(fd) == (POLLIN | POLLOUT) && taken(fd) == 3 && taken(fd) == 0);
    CHECK(events_of(fd) == POLLOUT && give(fd, 5) == 8 && give(fd, 6) == 8 && taken(fd) == 11);
    CHECK(give(fd, 0) == 8 && taken(fd) == 0 && give(fd, MOST) == 8 && events_of(fd) == POLLIN);
    CHECK(give(fd, 1) == -1 && errno == EAGAIN);
    CHECK(give(fd, UINT64_MAX) == -1 && errno == EINVAL);
    CHECK(taken(fd) == MOST && write(fd, wide, 7) == -1 && errno == EINVAL);
    CHECK(read(fd, wide, 7) == -1 && errno == EINVAL);
    CHECK(give(fd, 4) == 8 && read(fd, (void *)-4096L, 8) == -1 && errno == EFAULT);
    CHECK(read(fd, wide, 16) == 8 && wide[0] == 4);
    CHECK(write(fd, (void *)-4096L, 8) == -1 && errno == EFAULT);
    CHECK(taken(fd) == 0 && close(fd) == 0);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    CHECK(taken(fd) == 1 && taken(fd) == 1 && taken(fd) == 0 && close(fd) == 0);
    CHECK(eventfd(0, 2) == -1 && errno == EINVAL);
}

/* Edges: each write is one, and of reads only that which makes room. */
static void check_edges(void) {
    int set = epoll_create1(0), fd = eventfd(0, EFD_NONBLOCK);
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLET, {.fd = fd}};
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0);
    CHECK(epoll_wait(set, &e, 1, 0) == 1 && e.events == EPOLLOUT);
    for (int i = 0; i < 2; i++)
        CHECK(give(fd, 1) == 8 && epoll_wait(set, &e, 1, 0) == 1 && epoll_wait(set, &e, 1, 0) == 0);
    CHECK(taken(fd) == 2 && epoll_wait(set, &e, 1, 0) == 0);
    CHECK(give(fd, MOST) == 8 && epoll_wait(set, &e, 1, 0) == 1 && e.events == EPOLLIN);
    CHECK(taken(fd) == MOST && epoll_wait(set, &e, 1, 0) == 1 && e.events == EPOLLOUT);
    CHECK(close(fd) == 0 && close(set) == 0);
}

#define ROUNDS 300
static int there, back;
static void *answer(void *unused) {
    for (int i = 0; i < ROUNDS; i++)
        if (taken(there) != 1 || give(back, 1) != 8)
            return NULL;
    return &there;
}

static void check_threads(void) {
    there = eventfd(0, 0);
    back = eventfd(0, 0);
    pthread_t t = begin(answer, NULL);
    for (int i = 0; i < ROUNDS && !failures; i++)
        CHECK(give(there, 1) == 8 && taken(back) == 1);
    CHECK(end_of(t) == &there);
    CHECK(give(there, MOST) == 8); /* a writer waits for room */
    pid_t child = fork();
    int status;
    if (child == 0)
        _exit(give(there, 9) != 8);
    CHECK(taken(there) == MOST && taken(there) == 9);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(close(there) == 0 && close(back) == 0);
}

/* ---- timers ---- */

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / MILLISECOND;
}

static struct itimerspec spec_of(long first, long every) {
    return (struct itimerspec){{every / 1000, every % 1000 * MILLISECOND},
                               {first / 1000, first % 1000 * MILLISECOND}};
}

static int set_timer(int fd, long first, long every) {
    struct itimerspec s = spec_of(first, every);
    return timerfd_settime(fd, 0, &s, NULL);
}

static void check_timers(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec s, bad = {{0, 0}, {0, 1000000000}};
    struct pollfd p = {fd, POLLIN};
    long before = milliseconds();
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == O_RDONLY);
    CHECK(timerfd_gettime(fd, &s) == 0 && s.it_value.tv_nsec == 0 && s.it_value.tv_sec == 0);
    CHECK(set_timer(fd, 20, 0) == 0 && taken(fd) == 1 && milliseconds() - before >= 20);
    CHECK(timerfd_gettime(fd, &s) == 0 && s.it_value.tv_nsec == 0 && s.it_value.tv_sec == 0);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && taken(fd) == 0);
    before = milliseconds();
    CHECK(set_timer(fd, 20, 0) == 0 && poll(&p, 1, 0) == 0 && poll(&p, 1, 60000) == 1);
    CHECK(milliseconds() - before >= 20 && taken(fd) == 1 && poll(&p, 1, 0) == 0);
    /* Many periods are over when somebody reads; the next ones are where they would have been. */
    CHECK(set_timer(fd, 1, 1) == 0);
    before = milliseconds();
    while (milliseconds() - before < 20)
        continue;
    uint64_t rings = taken(fd);
    CHECK(rings >= 19 && rings <= (uint64_t)(milliseconds() - before + 2));
    CHECK(poll(&p, 1, 60000) == 1 && taken(fd) >= 1);
    CHECK(timerfd_gettime(fd, &s) == 0 && s.it_interval.tv_nsec == MILLISECOND);
    CHECK(s.it_value.tv_sec == 0 && s.it_value.tv_nsec > 0 && s.it_value.tv_nsec <= MILLISECOND);
    CHECK(set_timer(fd, 0, 0) == 0 && taken(fd) == 0);
    struct itimerspec hour = spec_of(3600000, 0), off = spec_of(0, 5);
    CHECK(timerfd_settime(fd, 0, &hour, NULL) == 0 && timerfd_settime(fd, 0, &off, &s) == 0);
    CHECK(s.it_value.tv_sec >= 3500 && s.it_value.tv_sec <= 3600 && taken(fd) == 0);
    CHECK(set_timer(fd, 1, 0) == 0 && poll(&p, 1, 60000) == 1);
    CHECK(read(fd, (void *)-4096L, 8) == -1 && errno == EFAULT);
    CHECK(taken(fd) == 1 && taken(fd) == 0); /* it was not lost */
    CHECK(set_timer(fd, 1, 60000) == 0 && poll(&p, 1, 60000) == 1);
    CHECK(read(fd, (void *)-4096L, 8) == -1 && errno == EFAULT);
    CHECK(taken(fd) == 1 && taken(fd) == 0); /* the next one has not come */
    CHECK(set_timer(fd, 1, 0) == 0 && poll(&p, 1, 60000) == 1 && taken(fd) == 1);
    CHECK(timerfd_settime(fd, 0, &bad, NULL) == -1 && errno == EINVAL);
    CHECK(timerfd_settime(fd, 8, &hour, NULL) == -1 && errno == EINVAL);
    CHECK(timerfd_settime(0, 0, &hour, NULL) == -1 && errno == EINVAL);
    CHECK(timerfd_settime(fd, 0, &hour, (void *)-4096L) == -1 && errno == EFAULT);
    CHECK(timerfd_gettime(fd, &s) == 0 && s.it_value.tv_sec == 0); /* nor was it set */
    CHECK(write(fd, &s, 8) == -1 && close(fd) == 0);
    CHECK(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0) == -1 && errno == EINVAL);
    CHECK(timerfd_create(CLOCK_MONOTONIC, 1) == -1 && errno == EINVAL);
}

static void check_absolute(clockid_t clock) {
    int fd = timerfd_create(clock, TFD_NONBLOCK);
    struct pollfd p = {fd, POLLIN};
    struct timespec now, then;
    CHECK(clock_gettime(clock, &now) == 0);
    struct itimerspec s = {{0, 0}, now};
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &s, NULL) == 0 && taken(fd) == 1); /* it is over */
    s.it_value.tv_nsec += 20 * MILLISECOND;
    s.it_value.tv_sec += s.it_value.tv_nsec / 1000000000;
    s.it_value.tv_nsec %= 1000000000;
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &s, NULL) == 0);
    CHECK(poll(&p, 1, 60000) == 1 && taken(fd) == 1 && clock_gettime(clock, &then) == 0);
    CHECK((then.tv_sec - now.tv_sec) * 1000000000 + then.tv_nsec - now.tv_nsec >= 20 * MILLISECOND);
    CHECK(close(fd) == 0);
}

/* Several timers in a set ring in their order; one that is closed does not. */
static void check_order(void) {
    int set = epoll_create1(0), fd[4];
    struct epoll_event e;
    for (int i = 0; i < 4; i++) {
        fd[i] = timerfd_create(CLOCK_MONOTONIC, 0);
        e = (struct epoll_event){EPOLLIN | EPOLLET, {.fd = fd[i]}};
        CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd[i], &e) == 0);
    }
    for (int i = 3; i >= 0; i--)
        CHECK(set_timer(fd[i], 10 + 10 * i, 0) == 0);
    CHECK(close(fd[1]) == 0);
    for (int i = 0; i < 4; i++)
        if (i != 1)
            CHECK(epoll_wait(set, &e, 1, 60000) == 1 && e.data.fd == fd[i]);
    CHECK(epoll_wait(set, &e, 1, 0) == 0 && set_timer(fd[0], 1, 1) == 0);
    CHECK(epoll_wait(set, &e, 1, 60000) == 1 && epoll_wait(set, &e, 1, 5) == 0); /* not read yet */
    CHECK(taken(fd[0]) > 0 && epoll_wait(set, &e, 1, 60000) == 1);
    for (int i = 0; i < 4; i++)
        CHECK(i == 1 || close(fd[i]) == 0);
    CHECK(close(set) == 0);
}

static void handler(int signal) {}

static void check_signals(void) {
    struct sigaction action = {.sa_handler = handler};
    int fd = eventfd(0, 0), status;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        struct timespec soon = {0, MILLISECOND};
        for (; getppid() == parent; nanosleep(&soon, NULL)) /* until one comes in the read */
            kill(parent, SIGUSR1);
        _exit(0);
    }
    uint64_t n;
    CHECK(read(fd, &n, 8) == -1 && errno == EINTR && close(fd) == 0);
    CHECK(kill(child, SIGKILL) == 0);
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        continue;
}

int main(void) {
    check_counters();
    check_edges();
    check_threads();
    check_timers();
    check_absolute(CLOCK_MONOTONIC);
    check_absolute(CLOCK_REALTIME);
    check_order();
    check_signals();
    return tell_end();
}
