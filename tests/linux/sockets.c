/* Sockets of one machine: streams, datagrams, packets, addresses. What sendmsg has beside bytes:
 * messages.c. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sockets.h"

static char bytes[300000], got[300000], *volatile nowhere = (char *)8;

/* ---- a pair ---- */

static void check_stream_pair(void) {
    int s[2], n;
    struct stat st;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
    CHECK(fcntl(s[0], F_GETFD) == FD_CLOEXEC && fcntl(s[0], F_GETFL) == O_RDWR);
    CHECK(fstat(s[0], &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK(write(s[0], "hello ", 6) == 6 && send(s[0], "world", 5, 0) == 5);
    CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == 11);
    CHECK(recv(s[1], got, 4, MSG_PEEK) == 4 && recv(s[1], got, 100, MSG_PEEK) == 11);
    CHECK(read(s[1], got, 8) == 8 && read(s[1], got + 8, 8) == 3 &&
          !memcmp(got, "hello world", 11));
    CHECK(recv(s[1], got, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CHECK(lseek(s[0], 0, SEEK_SET) == -1 && errno == ESPIPE);
    struct iovec v[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    CHECK(writev(s[1], v, 3) == 5);
    struct iovec w[2] = {{got, 1}, {got + 1, 9}};
    CHECK(readv(s[0], w, 2) == 5 && !memcmp(got, "abcde", 5));
    CHECK(write(s[0], nowhere, 5) == -1 && errno == EFAULT);
    CHECK(write(s[0], "xyz", 3) == 3 && read(s[1], nowhere, 3) == -1 && errno == EFAULT);
    CHECK(read(s[1], got, 9) == 3); /* none was lost */
    CHECK(option(s[0], SO_TYPE) == SOCK_STREAM && option(s[0], SO_DOMAIN) == AF_UNIX);
    CHECK(option(s[0], SO_ERROR) == 0 && option(s[0], SO_ACCEPTCONN) == 0);
    CHECK(close(s[1]) == 0 && read(s[0], got, 1) == 0);
    CHECK(send(s[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE && close(s[0]) == 0);
}

/* That nothing comes behind what is there is told to who asks for it, and does not wait for it to
 * be read. */
static void check_last(int type) {
    int s[2], set = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLRDHUP | EPOLLET};
    CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
    struct pollfd p = {s[1], POLLIN | POLLRDHUP}, others = {s[0], POLLRDHUP};
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, s[1], &e) == 0 && poll(&p, 1, 0) == 0);
    CHECK(write(s[0], "x", 1) == 1 && poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    CHECK(epoll_wait(set, &e, 1, 0) == 0 && shutdown(s[0], SHUT_WR) == 0);
    CHECK(epoll_wait(set, &e, 1, 0) == 1 && e.events == EPOLLRDHUP);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLRDHUP));
    p.events = POLLIN;
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN && poll(&others, 1, 0) == 0);
    CHECK(close(s[1]) == 0 && poll(&others, 1, 0) == 1);
    CHECK((others.revents & (POLLRDHUP | POLLHUP)) == (POLLRDHUP | POLLHUP));
    CHECK(close(s[0]) == 0 && close(set) == 0);
}

static volatile sig_atomic_t pipes;
static void count_pipe(int signal) { pipes++; }

static void check_shutdown(void) {
    int s[2];
    signal(SIGPIPE, count_pipe);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], "last", 4) == 4);
    CHECK(shutdown(s[0], SHUT_WR) == 0 && read(s[1], got, 9) == 4 && read(s[1], got, 9) == 0);
    CHECK(write(s[0], "x", 1) == -1 && errno == EPIPE && pipes == 1);
    CHECK(send(s[0], "x", 1, 0) == -1 && errno == EPIPE && pipes == 2);
    CHECK(write(s[1], "back", 4) == 4 && read(s[0], got, 9) == 4);
    CHECK(shutdown(s[0], SHUT_RD) == 0 && write(s[1], "x", 1) == -1 && errno == EPIPE);
    CHECK(pipes == 3 && shutdown(s[0], 7) == -1 && errno == EINVAL);
    struct pollfd p = {s[0], POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT | POLLHUP));
    CHECK(close(s[0]) == 0 && close(s[1]) == 0);
    /* What nobody has read is told to who has written it. */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], "lost", 4) == 4);
    CHECK(close(s[1]) == 0 && read(s[0], got, 9) == -1 && errno == ECONNRESET);
    CHECK(read(s[0], got, 9) == 0 && close(s[0]) == 0);
    signal(SIGPIPE, SIG_DFL);
}

static void send_all(int fd) {
    for (size_t at = 0, n; at < sizeof(bytes); at += n) {
        n = (at * 7 + 1) % 50000 + 1;
        n = n > sizeof(bytes) - at ? sizeof(bytes) - at : n;
        if (write(fd, bytes + at, n) != (ssize_t)n)
            _exit(1);
    }
    _exit(7);
}

/* More than may be on the way, between two processes, in order. */
static void check_transfer(void) {
    int s[2], status;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 13 + i / 257);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    if (fork() == 0)
        send_all(s[1]);
    close(s[1]);
    CHECK(recv(s[0], got, 100000, MSG_WAITALL) == 100000);
    size_t all = 100000;
    for (ssize_t n; (n = read(s[0], got + all, all % 9000 + 1)) > 0; all += (size_t)n)
        continue;
    CHECK(all == sizeof(bytes) && !memcmp(bytes, got, sizeof(bytes)));
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7 && close(s[0]) == 0);
}

static void check_full(void) {
    int s[2], room = 4096;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) == 0);
    CHECK(option(s[0], SO_SNDBUF) == 8192);
    size_t all = 0;
    for (ssize_t n; (n = write(s[0], bytes, 1000)) > 0; all += (size_t)n)
        continue;
    CHECK_EQ(errno, EAGAIN);
    CHECK(all >= 1000 && all < 16384);
    struct pollfd p = {s[0], POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) == 0);
    if (fork() == 0) {
        fcntl(s[1], F_SETFL, 0);
        _exit(recv(s[1], got, all, MSG_WAITALL) != (ssize_t)all);
    }
    CHECK(poll(&p, 1, 60000) == 1 && p.revents == POLLOUT);
    int status;
    CHECK(wait(&status) > 0 && status == 0 && close(s[0]) == 0 && close(s[1]) == 0);
}

static void check_patience(void) {
    int s[2];
    struct timeval t = {0, 20000}, is;
    socklen_t n = sizeof(is);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    CHECK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) == 0);
    CHECK(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &is, &n) == 0 && is.tv_usec == 20000);
    CHECK(read(s[0], got, 1) == -1 && errno == EAGAIN);
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0);
    ssize_t part;
    while ((part = write(s[1], bytes, 100000)) == 100000)
        continue;
    if (part == -1)
        CHECK_EQ(errno, EAGAIN);
    CHECK(close(s[0]) == 0 && close(s[1]) == 0);
}

/* ---- messages ---- */

static void check_messages(int type) {
    int s[2], n;
    CHECK(socketpair(AF_UNIX, type, 0, s) == 0);
    CHECK(write(s[0], "one", 3) == 3 && send(s[0], "", 0, 0) == 0 && write(s[0], "three", 5) == 5);
    CHECK(ioctl(s[1], FIONREAD, &n) == 0 && n == (type == SOCK_DGRAM ? 3 : 8));
    CHECK(recv(s[1], got, 100, MSG_PEEK) == 3 && recv(s[1], got, 100, 0) == 3);
    CHECK(recv(s[1], got, 100, 0) == 0 && recv(s[1], got, 2, MSG_TRUNC) == 5);
    CHECK(!memcmp(got, "th", 2) && recv(s[1], got, 9, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    struct iovec v[2] = {{"ab", 2}, {"cde", 3}};
    CHECK(write(s[0], "kept", 4) == 4 && read(s[1], nowhere, 9) == -1 && errno == EFAULT);
    CHECK(read(s[1], got, 9) == 4);
    CHECK(writev(s[0], v, 2) == 5 && read(s[1], got, 100) == 5); /* one message */
    CHECK(write(s[0], bytes, 100000) == 100000 && read(s[1], got, sizeof(got)) == 100000);
    CHECK(!memcmp(bytes, got, 100000));
    CHECK(write(s[0], bytes, 250000) == -1 && errno == EMSGSIZE);
    CHECK(close(s[1]) == 0 && send(s[0], "x", 1, MSG_NOSIGNAL) == -1);
    CHECK_EQ(errno, type == SOCK_DGRAM ? ECONNREFUSED : EPIPE);
    CHECK(close(s[0]) == 0);
}

static void check_datagrams(void) {
    struct sockaddr_un a, from;
    socklen_t n, m = sizeof(from);
    int there = bound(SOCK_DGRAM, "/tmp/there"), here = bound(SOCK_DGRAM, "\0here");
    int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    a = named("/tmp/there", &n);
    CHECK(sendto(here, "hello", 5, 0, (struct sockaddr *)&a, n) == 5);
    CHECK(recvfrom(there, got, 100, 0, (struct sockaddr *)&from, &m) == 5);
    CHECK(m == 2 + 5 && !memcmp(from.sun_path, "\0here", 5));
    CHECK(sendto(there, "back", 4, 0, (struct sockaddr *)&from, m) == 4);
    m = sizeof(from);
    CHECK(recvfrom(here, got, 100, 0, (struct sockaddr *)&from, &m) == 4);
    CHECK(m == 2 + sizeof("/tmp/there") && !strcmp(from.sun_path, "/tmp/there"));
    CHECK(send(other, "x", 1, 0) == -1 && errno == ENOTCONN);
    CHECK(connect_to(other, "/tmp/there") == 0 && send(other, "from", 4, 0) == 4);
    m = sizeof(from);
    CHECK(recvfrom(there, got, 100, 0, (struct sockaddr *)&from, &m) == 4 && m == 0);
    /* One that is connected takes from its peer alone. */
    CHECK(connect_to(here, "/tmp/there") == 0 && connect_to(there, "\0here") == 0);
    CHECK(sendto(other, "x", 1, 0, (struct sockaddr *)&a, n) == -1 && errno == EPERM);
    CHECK(send(here, "y", 1, 0) == 1 && recv(there, got, 9, 0) == 1);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK(connect(there, &none, sizeof(none)) == 0 && send(other, "z", 1, 0) == 1);
    CHECK(close(there) == 0 && send(here, "x", 1, 0) == -1 && errno == ECONNREFUSED);
    CHECK(unlink("/tmp/there") == 0 && close(here) == 0 && close(other) == 0);
}

/* ---- addresses and connections ---- */

static void serve(int listener, int clients) {
    for (int i = 0; i < clients; i++) {
        int c = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        ssize_t n = read(c, got, 100);
        if (c < 0 || n <= 0 || write(c, got, (size_t)n) != n || close(c) < 0)
            _exit(1);
    }
    _exit(7);
}

static void check_connections(const char *path) {
    struct sockaddr_un a;
    socklen_t n = sizeof(a);
    int listener = bound(SOCK_STREAM, path), status;
    CHECK(accept(listener, NULL, NULL) == -1 && errno == EINVAL);
    int early = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect_to(early, path) == -1 && errno == ECONNREFUSED);
    CHECK(listen(listener, 1) == 0 && option(listener, SO_ACCEPTCONN) == 1);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &n) == 0 && !memcmp(a.sun_path, path, 5));
    if (fork() == 0)
        serve(listener, 5);
    for (int i = 0; i < 5; i++) {
        int c = i == 0 ? early : socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(connect_to(c, path) == 0 && write(c, "ping", 4) == 4);
        n = sizeof(a);
        CHECK(getpeername(c, (struct sockaddr *)&a, &n) == 0 && !memcmp(a.sun_path, path, 5));
        struct ucred who;
        n = sizeof(who);
        CHECK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.pid == getpid());
        CHECK(read(c, got, 9) == 4 && read(c, got, 9) == 0);
        CHECK(connect_to(c, path) == -1 && errno == EISCONN && close(c) == 0);
    }
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7 && close(listener) == 0);
}

static void check_backlog(void) {
    int listener = bound(SOCK_STREAM, "\0few"), c[3];
    CHECK(listen(listener, 1) == 0 && fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    struct pollfd p = {listener, POLLIN};
    CHECK(accept(listener, NULL, NULL) == -1 && errno == EAGAIN && poll(&p, 1, 0) == 0);
    for (int i = 0; i < 3; i++)
        c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(connect_to(c[0], "\0few") == 0 && connect_to(c[1], "\0few") == 0);
    CHECK(connect_to(c[2], "\0few") == -1 && errno == EAGAIN && poll(&p, 1, 0) == 1);
    CHECK(write(c[0], "early", 5) == 5);
    int a = accept(listener, NULL, NULL);
    CHECK(read(a, got, 9) == 5 && connect_to(c[2], "\0few") == 0);
    /* Those that wait are closed with the one that listens; what was accepted is not. */
    CHECK(close(listener) == 0 && fcntl(c[1], F_SETFL, 0) == 0);
    CHECK(read(c[1], got, 1) == -1 && errno == ECONNRESET && read(c[1], got, 1) == 0);
    CHECK(write(c[0], "x", 1) == 1 && read(a, got, 9) == 1);
    CHECK(close(a) == 0 && close(c[0]) == 0 && close(c[1]) == 0 && close(c[2]) == 0);
}

/* Who waits for room there hears of the end. */
static void check_waiting_connect(void) {
    int listener = bound(SOCK_STREAM, "\0gone"), status;
    CHECK(listen(listener, 0) == 0);
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect_to(c, "\0gone") == 0);
    pid_t child = fork();
    if (child == 0) {
        close(listener);
        int mine = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(connect_to(mine, "\0gone") == -1 && errno == ECONNREFUSED ? 7 : 1);
    }
    CHECK(close(listener) == 0);
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7 && close(c) == 0);
}

static void check_names(void) {
    socklen_t n;
    struct stat st;
    struct sockaddr_un a = named("/tmp/name", &n);
    int s = bound(SOCK_STREAM, "/tmp/name"), t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(stat("/tmp/name", &st) == 0 && S_ISSOCK(st.st_mode));
    CHECK(open("/tmp/name", O_RDWR) == -1 && errno == ENXIO);
    CHECK(bind(t, (struct sockaddr *)&a, n) == -1 && errno == EADDRINUSE);
    CHECK(bind(s, (struct sockaddr *)&a, n - 2) == -1 && errno == EINVAL); /* it has one */
    CHECK(connect_to(t, "/tmp/none") == -1 && errno == ENOENT);
    CHECK(close(s) == 0 && stat("/tmp/name", &st) == 0);
    CHECK(connect_to(t, "/tmp/name") == -1 && errno == ECONNREFUSED && unlink("/tmp/name") == 0);
    CHECK(bind(t, (struct sockaddr *)&a, 2) == 0); /* any */
    n = sizeof(a);
    CHECK(getsockname(t, (struct sockaddr *)&a, &n) == 0 && n == 2 + 6 && a.sun_path[0] == 0);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(connect(d, (struct sockaddr *)&a, n) == -1 && errno == ECONNREFUSED);
    CHECK(bind(d, (struct sockaddr *)&a, n) == 0 && close(d) == 0); /* of another type */
    CHECK(close(t) == 0 && listen(0, 1) == -1 && errno == ENOTSOCK);
    CHECK(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EAFNOSUPPORT);
    CHECK(socket(AF_UNIX, SOCK_RAW + 20, 0) == -1 && errno == EINVAL);
    CHECK(mknod("/tmp/node", S_IFSOCK | 0600, 0) == 0 && lstat("/tmp/node", &st) == 0);
    CHECK(S_ISSOCK(st.st_mode) && unlink("/tmp/node") == 0);
}

/* ---- waiting ---- */

static void nothing(int signal) {}

/* A read is ended by a signal, and by the other end. */
static void check_wakes(void) {
    int s[2], status;
    struct sigaction act = {.sa_handler = nothing};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && sigaction(SIGALRM, &act, NULL) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(s[1]);
        struct itimerval soon = {.it_value = {0, 20000}};
        setitimer(ITIMER_REAL, &soon, NULL);
        int interrupted = read(s[0], got, 1) == -1 && errno == EINTR;
        if (write(s[0], "i", 1) != 1 || !interrupted)
            _exit(1);
        _exit(read(s[0], got, 1) == 0 ? 7 : 2);
    }
    CHECK(close(s[0]) == 0 && read(s[1], got, 1) == 1 && close(s[1]) == 0);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
}

int main(void) {
    check_stream_pair();
    check_shutdown();
    check_last(SOCK_STREAM);
    check_last(SOCK_SEQPACKET);
    check_transfer();
    check_full();
    check_patience();
    check_messages(SOCK_DGRAM);
    check_messages(SOCK_SEQPACKET);
    check_datagrams();
    check_connections("/tmp/stream");
    unlink("/tmp/stream");
    check_connections("\0abstract");
    check_backlog();
    check_waiting_connect();
    check_names();
    check_wakes();
    return tell_end();
}
