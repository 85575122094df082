/* What sockets do at their edges: shut while somebody waits, errors behind bytes, and what is
 * limited, or handed on. What they do as a rule: sockets.c, inet.c. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sockets.h"

static char got[1000];

static struct sockaddr_in here(int fd) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    if (fd >= 0)
        CHECK(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    return a;
}

static int inet_bound(int type) {
    struct sockaddr_in a = here(-1);
    int fd = socket(AF_INET, type, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

static int inet_connect(int fd, int to) {
    struct sockaddr_in a = here(to);
    return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static void pair(int s[2]) {
    int l = inet_bound(SOCK_STREAM);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listen(l, 1) == 0 && inet_connect(s[0], l) == 0);
    s[1] = accept(l, NULL, NULL);
    CHECK(s[1] >= 0 && close(l) == 0);
}

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

/* ---- shutdown ---- */

/* Who waits for a connection learns of it; what waits there already can be accepted still. */
static void check_shut_listener(void) {
    int l = bound(SOCK_STREAM, "\0shut"), status, c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(listen(l, 5) == 0 && shutdown(l, SHUT_WR) == 0 && events(l) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60); /* shutdown that does not wake it */
        _exit(accept(l, NULL, NULL) >= 0 && accept(l, NULL, NULL) == -1 && errno == EINVAL ? 7 : 1);
    }
    CHECK(connect_to(c, "\0shut") == 0 && close(c) == 0 && shutdown(l, SHUT_RD) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK_EQ(events(l), POLLIN | POLLRDHUP | POLLHUP);
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect_to(c, "\0shut") == -1 && errno == ECONNREFUSED);
    CHECK(accept(l, NULL, NULL) == -1 && errno == EINVAL && close(l) == 0 && close(c) == 0);
    l = inet_bound(SOCK_STREAM);
    CHECK(listen(l, 5) == 0 && shutdown(l, SHUT_WR) == 0 && option(l, SO_ACCEPTCONN) == 1);
    CHECK(close(l) == 0);
}

/* Of datagrams, and of what is not connected. */
static void check_shut_others(void) {
    int u = bound(SOCK_DGRAM, "\0one"), d = inet_bound(SOCK_DGRAM), status;
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(recv(d, got, 9, 0) == 0 ? 7 : 1);
    }
    CHECK(shutdown(d, SHUT_RD) == -1 && errno == ENOTCONN && recv(d, got, 9, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(shutdown(d, SHUT_RDWR) == -1 && events(d) & POLLHUP && close(d) == 0);
    CHECK(shutdown(u, SHUT_RDWR) == 0 && recv(u, got, 9, 0) == 0);
    CHECK(events(u) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP));
    CHECK(connect_to(u, "\0one") == 0 && send(u, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
    CHECK(close(u) == 0);
    int idle = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(shutdown(idle, SHUT_RDWR) == 0 && close(idle) == 0);
}

/* ---- errors ---- */

/* An error behind bytes is the next call's. */
static void check_error_behind_bytes(void) {
    struct linger at_once = {1, 0};
    int s[2];
    pair(s);
    CHECK(write(s[1], "four", 4) == 4);
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    CHECK(close(s[1]) == 0 && recv(s[0], got, 9, MSG_WAITALL) == 4);
    CHECK(recv(s[0], got, 9, MSG_WAITALL) == -1 && errno == ECONNRESET);
    CHECK(recv(s[0], got, 9, MSG_WAITALL) == 0 && close(s[0]) == 0);
    /* Of whole messages it comes first. */
    int d = inet_bound(SOCK_DGRAM), to = inet_bound(SOCK_DGRAM);
    CHECK(inet_connect(d, to) == 0 && inet_connect(to, d) == 0 && send(to, "one", 3, 0) == 3);
    CHECK(close(to) == 0 && send(d, "x", 1, 0) == 1);
    CHECK(recv(d, got, 9, 0) == -1 && errno == ECONNREFUSED && recv(d, got, 9, 0) == 3);
    CHECK(close(d) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
    CHECK(write(s[0], "z", 1) == 1 && write(s[1], "unread", 6) == 6 && close(s[0]) == 0);
    CHECK(recv(s[1], got, 9, 0) == -1 && errno == ECONNRESET && recv(s[1], got, 9, 0) == 1);
    CHECK(recv(s[1], got, 9, 0) == 0 && close(s[1]) == 0);
}

/* Who connects once more asks whether it is connected. */
static void check_connected_again(void) {
    int s[2], l = inet_bound(SOCK_STREAM);
    pair(s);
    CHECK(inet_connect(s[0], l) == -1 && errno == EISCONN); /* nobody listens there */
    CHECK(listen(l, 1) == 0 && inet_connect(l, s[0]) == -1 && errno == EISCONN);
    CHECK(close(s[0]) == 0 && close(s[1]) == 0 && close(l) == 0);
}

/* How a connect has ended that did not wait is an error of the next call, without a signal. */
static void check_refused_later(void) {
    char byte;
    int l = inet_bound(SOCK_STREAM);
    for (int i = 0; i < 2; i++) {
        int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK(inet_connect(s, l) == -1 && errno == EINPROGRESS);
        CHECK((i ? read(s, &byte, 1) : write(s, "x", 1)) == -1 && errno == ECONNREFUSED);
        CHECK(close(s) == 0);
    }
    CHECK(close(l) == 0);
}

static volatile sig_atomic_t signals;
static void count_signal(int signal) { signals++; }

/* Only who writes to a stream is told by a signal. Each socket has a number. */
static void check_signals_and_numbers(void) {
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};
    struct stat one, other;
    signal(SIGPIPE, count_signal);
    for (int i = 0; i < 3; i++) {
        int s[2];
        CHECK(socketpair(AF_UNIX, types[i], 0, s) == 0 && shutdown(s[0], SHUT_WR) == 0);
        CHECK(send(s[0], "x", 1, 0) == -1 && errno == EPIPE);
        CHECK_EQ(signals, i == 2);
        CHECK(fstat(s[0], &one) == 0 && fstat(s[1], &other) == 0 && S_ISSOCK(one.st_mode));
        CHECK(one.st_ino != other.st_ino && one.st_dev == other.st_dev);
        CHECK(close(s[0]) == 0 && close(s[1]) == 0);
    }
    signal(SIGPIPE, SIG_DFL);
}

/* ---- limits ---- */

/* However many a program says that may wait: they are of no file, and of nobody's limit. */
static void check_backlog_has_an_end(void) {
    enum { MOST = 4096 };
    int l = bound(SOCK_STREAM, "\0many"), n = 0, err = 0;
    CHECK(listen(l, 1 << 30) == 0);
    while (n < 2 * MOST && !err) {
        int c = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        err = connect_to(c, "\0many") ? errno : 0;
        n += !err;
        if (close(c))
            break;
    }
    CHECK_EQ(err, EAGAIN);
    CHECK_EQ(n, MOST + 1);
    CHECK(close(l) == 0);
}

/* The record of many files is memory, too. */
static void check_carried_cost_memory(void) {
    enum { FILES = 253 };
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(FILES * sizeof(int))];
    } control = {0};
    struct iovec v = {"x", 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    control.head = (struct cmsghdr){CMSG_LEN(FILES * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    for (int i = 0; i < FILES; i++)
        memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &(int){1}, sizeof(int));
    int s[2], n = 0;
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s) == 0);
    while (n < 1000 && sendmsg(s[0], &m, 0) == 1)
        n++;
    int err = errno, most = option(s[0], SO_SNDBUF) / (FILES * (int)sizeof(void *));
    CHECK_EQ(err, EAGAIN);
    CHECK(n > most / 2 && n <= most + 1);
    CHECK(recv(s[1], got, 1, 0) == 1 && close(s[0]) == 0 && close(s[1]) == 0);
}

/* ---- options ---- */

/* What was accepted has what was set of the one that listens. */
static void check_inherited(void) {
    int l = inet_bound(SOCK_STREAM), on = 1, is = 0, c = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval soon = {0, 1000}, told;
    struct linger at_once = {1, 0}, lingers;
    socklen_t n = sizeof(is);
    CHECK(setsockopt(l, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    CHECK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)) == 0);
    CHECK(setsockopt(l, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    CHECK(setsockopt(l, SOL_SOCKET, SO_SNDBUF, &(int){5000}, sizeof(int)) == 0);
    CHECK(listen(l, 1) == 0 && inet_connect(c, l) == 0);
    int a = accept(l, NULL, NULL);
    CHECK(a >= 0 && getsockopt(a, IPPROTO_TCP, TCP_NODELAY, &is, &n) == 0 && is == 1);
    CHECK(option(a, SO_SNDBUF) == 10000 && option(c, SO_SNDBUF) != 10000);
    n = sizeof(lingers);
    CHECK(getsockopt(a, SOL_SOCKET, SO_LINGER, &lingers, &n) == 0 && lingers.l_onoff);
    n = sizeof(told);
    CHECK(getsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &told, &n) == 0 && told.tv_usec == 1000);
    CHECK(recv(a, got, 1, 0) == -1 && errno == EAGAIN);
    CHECK(close(a) == 0 && read(c, got, 1) == -1 && errno == ECONNRESET);
    CHECK(close(c) == 0 && close(l) == 0);
    int d = inet_bound(SOCK_DGRAM);
    CHECK(setsockopt(d, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) == 0);
    CHECK(setsockopt(d, SOL_SOCKET, SO_RCVBUFFORCE, &(int){5000}, sizeof(int)) == 0);
    CHECK(option(d, SO_RCVBUF) == 10000);
    CHECK(setsockopt(d, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
    CHECK(setsockopt(d, SOL_SOCKET, SO_BINDTODEVICE, "", 0) == 0);
    CHECK(setsockopt(d, SOL_SOCKET, SO_BINDTODEVICE, "lost", 5) == -1 && errno == ENODEV);
    CHECK(close(d) == 0);
}

int main(void) {
    check_shut_listener();
    check_shut_others();
    check_error_behind_bytes();
    check_connected_again();
    check_refused_later();
    check_signals_and_numbers();
    check_backlog_has_an_end();
    check_carried_cost_memory();
    check_inherited();
    return tell_end();
}
