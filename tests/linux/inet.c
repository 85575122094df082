/* TCP and UDP from this machine to itself, by IPv4 and IPv6. What all sockets do: sockets.c. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sockets.h"

static char bytes[300000], got[300000];

union end {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* text: of either version. */
static union end end(const char *text, int port, socklen_t *n) {
    union end e = {0};
    if (inet_pton(AF_INET, text, &e.in.sin_addr) == 1) {
        e.in.sin_family = AF_INET;
        e.in.sin_port = htons((uint16_t)port);
        *n = sizeof(e.in);
    } else {
        CHECK(inet_pton(AF_INET6, text, &e.in6.sin6_addr) == 1);
        e.in6.sin6_family = AF_INET6;
        e.in6.sin6_port = htons((uint16_t)port);
        *n = sizeof(e.in6);
    }
    return e;
}

static int bind_at(int fd, const char *text, int port) {
    socklen_t n;
    union end e = end(text, port, &n);
    return bind(fd, &e.any, n);
}

static int join(int fd, const char *text, int port) {
    socklen_t n;
    union end e = end(text, port, &n);
    return connect(fd, &e.any, n);
}

static int family_of(const char *text) { return strchr(text, ':') ? AF_INET6 : AF_INET; }

static int made(const char *text, int type) {
    int fd = socket(family_of(text), type, 0);
    CHECK(fd >= 0);
    return fd;
}

typedef int (*name_fn)(int, struct sockaddr *, socklen_t *);

/* The port, and whether the address is this one. */
static int port_at(name_fn name, int fd, const char *text) {
    union end e;
    char told[INET6_ADDRSTRLEN];
    socklen_t n = sizeof(e);
    CHECK(name(fd, &e.any, &n) == 0);
    CHECK(n == (e.any.sa_family == AF_INET ? sizeof(e.in) : sizeof(e.in6)));
    const void *at = e.any.sa_family == AF_INET ? (void *)&e.in.sin_addr : &e.in6.sin6_addr;
    CHECK(inet_ntop(e.any.sa_family, at, told, sizeof(told)) && !strcmp(told, text));
    return ntohs(e.in.sin_port); /* stands at the same place in both */
}

static int set_option(int fd, int level, int which, int value) {
    return setsockopt(fd, level, which, &value, sizeof(value));
}

static int listening(const char *text, int port) {
    int fd = made(text, SOCK_STREAM);
    CHECK(bind_at(fd, text, port) == 0 && listen(fd, 5) == 0);
    return fd;
}

/* ---- TCP ---- */

static void check_connection(const char *at, const char *to, const char *seen, const char *mine) {
    int l = listening(at, 0), port = port_at(getsockname, l, at);
    CHECK(port >= 32768 && port < 61000);
    int c = made(to, SOCK_STREAM);
    CHECK(getpeername(c, NULL, NULL) == -1 && errno == ENOTCONN);
    CHECK(join(c, to, port) == 0 && join(c, to, port) == -1 && errno == EISCONN);
    union end e;
    socklen_t n = sizeof(e);
    int a = accept(l, &e.any, &n), its = port_at(getsockname, c, mine);
    CHECK(a >= 0 && ntohs(e.in.sin_port) == its && its != port);
    CHECK(port_at(getpeername, a, seen) == its && port_at(getpeername, c, mine) == port);
    CHECK(port_at(getsockname, a, seen) == port);
    CHECK(write(c, "to", 2) == 2 && read(a, got, 9) == 2 && write(a, "fro", 3) == 3);
    CHECK(recvfrom(c, got, 9, 0, &e.any, &n) == 3 && n == 0);
    CHECK(close(a) == 0 && close(c) == 0 && close(l) == 0);
}

/* Closing ends one way; with bytes unread, or when that was asked for, it is an error. */
static void pair(int s[2]) {
    int l = listening("127.0.0.1", 0);
    s[0] = made("127.0.0.1", SOCK_STREAM);
    CHECK(join(s[0], "127.0.0.1", port_at(getsockname, l, "127.0.0.1")) == 0);
    s[1] = accept(l, NULL, NULL);
    CHECK(s[1] >= 0 && close(l) == 0);
}

/* Who does not wait is told that it goes on, and later how it ended. */
static void check_later(void) {
    int l = listening("127.0.0.1", 0), port = port_at(getsockname, l, "127.0.0.1"), error = 9;
    socklen_t n = sizeof(error);
    int c = made("127.0.0.1", SOCK_STREAM | SOCK_NONBLOCK), d = made("::1", SOCK_STREAM);
    struct pollfd p = {.fd = c, .events = POLLIN | POLLOUT};
    CHECK(join(c, "127.0.0.1", port) == -1 && errno == EINPROGRESS);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
    CHECK(getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0);
    CHECK(join(c, "127.0.0.1", port) == 0);
    CHECK(join(c, "127.0.0.1", port) == -1 && errno == EISCONN);
    CHECK(close(l) == 0 && close(c) == 0);
    c = made("127.0.0.1", SOCK_STREAM | SOCK_NONBLOCK);
    p.fd = c;
    CHECK(join(c, "127.0.0.1", port) == -1 && errno == EINPROGRESS);
    CHECK(poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLERR)) == (POLLOUT | POLLERR));
    CHECK(join(c, "127.0.0.1", port) == -1 && errno == ECONNREFUSED);
    CHECK(join(c, "127.0.0.1", port) == -1 && errno == EINPROGRESS);
    CHECK(getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == ECONNREFUSED);
    CHECK(join(c, "127.0.0.1", port) == -1 && errno == EINPROGRESS);
    CHECK(join(d, "::1", port) == -1 && errno == ECONNREFUSED && close(d) == 0 && close(c) == 0);
}

static void check_ends(void) {
    int s[2];
    struct pollfd p = {.events = POLLIN | POLLOUT | POLLRDHUP};
    pair(s);
    p.fd = s[0];
    CHECK(write(s[1], "end", 3) == 3 && shutdown(s[1], SHUT_WR) == 0);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT | POLLRDHUP));
    CHECK(read(s[0], got, 9) == 3 && read(s[0], got, 9) == 0 && write(s[0], "still", 5) == 5);
    CHECK(read(s[1], got, 9) == 5 && close(s[1]) == 0);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT | POLLRDHUP));
    CHECK(send(s[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
    CHECK(poll(&p, 1, 0) == 1 && p.revents & POLLHUP && close(s[0]) == 0);
    pair(s);
    CHECK(write(s[0], "lost", 4) == 4 && close(s[1]) == 0);
    CHECK(send(s[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == ECONNRESET);
    CHECK(send(s[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE && read(s[0], got, 1) == 0);
    CHECK(close(s[0]) == 0);
    pair(s);
    struct linger at_once = {1, 0}, is;
    socklen_t n = sizeof(is);
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    CHECK(getsockopt(s[1], SOL_SOCKET, SO_LINGER, &is, &n) == 0 && is.l_onoff == 1);
    CHECK(close(s[1]) == 0 && read(s[0], got, 1) == -1 && errno == ECONNRESET && close(s[0]) == 0);
    pair(s);
    CHECK(shutdown(s[0], SHUT_RD) == 0 && read(s[0], got, 1) == 0); /* the other is not told */
    CHECK(write(s[1], "x", 1) == 1 && close(s[0]) == 0 && close(s[1]) == 0);
    pair(s);
    CHECK(send(s[0], "x", 1, MSG_OOB) == -1 && errno == EOPNOTSUPP);
    CHECK(close(s[0]) == 0 && close(s[1]) == 0);
    int idle = made("127.0.0.1", SOCK_STREAM);
    CHECK(read(idle, got, 1) == -1 && errno == ENOTCONN && shutdown(idle, SHUT_RDWR) == -1);
    CHECK(send(idle, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE && close(idle) == 0);
}

static void check_transfer(void) {
    int s[2], status;
    pair(s);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 13 + i / 257);
    if (fork() == 0) {
        close(s[0]);
        _exit(send(s[1], bytes, sizeof(bytes), 0) != sizeof(bytes));
    }
    CHECK(close(s[1]) == 0);
    CHECK(recv(s[0], got, sizeof(got), MSG_WAITALL) == sizeof(got));
    CHECK(!memcmp(bytes, got, sizeof(got)) && read(s[0], got, 1) == 0 && close(s[0]) == 0);
    CHECK(wait(&status) > 0 && status == 0);
}

/* Whoever closes one that listens ends what waits there; shutdown wakes who waits for more. */
static void check_listener(void) {
    int l = listening("127.0.0.1", 0), port = port_at(getsockname, l, "127.0.0.1"), status;
    int c[2] = {made("127.0.0.1", SOCK_STREAM), made("127.0.0.1", SOCK_STREAM)};
    CHECK(join(c[0], "127.0.0.1", port) == 0 && write(c[0], "x", 1) == 1 && close(l) == 0);
    CHECK(read(c[0], got, 1) == -1 && errno == ECONNRESET && read(c[0], got, 1) == 0);
    CHECK(join(c[1], "127.0.0.1", port) == -1 && errno == ECONNREFUSED);
    l = listening("127.0.0.1", port); /* at once: it is nobody's any more */
    pid_t child = fork();
    if (child == 0)
        _exit(accept(l, NULL, NULL) == -1 && errno == EINVAL ? 7 : 1);
    CHECK(shutdown(l, SHUT_RD) == 0 && join(c[1], "127.0.0.1", port) == -1 &&
          errno == ECONNREFUSED);
    CHECK(wait(&status) == child && WEXITSTATUS(status) == 7 && listen(l, 1) == 0);
    CHECK(join(c[1], "127.0.0.1", port) == 0 && close(l) == 0);
    CHECK(close(c[0]) == 0 && close(c[1]) == 0);
    l = made("127.0.0.1", SOCK_STREAM);
    CHECK(listen(l, 1) == 0 && port_at(getsockname, l, "0.0.0.0") >= 32768 && close(l) == 0);
}

/* ---- addresses ---- */

static int bind_new(const char *text, int port, int option, int *kept) {
    *kept = made(text, SOCK_STREAM);
    if (option)
        CHECK(set_option(*kept, SOL_SOCKET, option, 1) == 0);
    return bind_at(*kept, text, port) ? errno : 0;
}

static void check_in_use(void) {
    int l = listening("127.0.0.1", 0), port = port_at(getsockname, l, "127.0.0.1"), a, b, u;
    CHECK_EQ(bind_new("127.0.0.1", port, 0, &a), EADDRINUSE);
    CHECK_EQ(bind_new("127.0.0.1", port, SO_REUSEADDR, &b), EADDRINUSE); /* who listens has not */
    CHECK(close(a) == 0 && close(b) == 0);
    CHECK_EQ(bind_new("0.0.0.0", port, 0, &a), EADDRINUSE);
    CHECK_EQ(bind_new("::", port, 0, &b), EADDRINUSE);
    CHECK(close(a) == 0 && close(b) == 0);
    CHECK_EQ(bind_new("127.0.0.2", port, 0, &a), 0);
    CHECK_EQ(bind_new("::1", port, 0, &b), 0);
    CHECK(close(a) == 0 && close(b) == 0);
    b = made("::", SOCK_STREAM);
    CHECK(set_option(b, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0 && bind_at(b, "::", port) == 0);
    CHECK(set_option(b, IPPROTO_IPV6, IPV6_V6ONLY, 0) == -1 && errno == EINVAL && close(b) == 0);
    u = made("127.0.0.1", SOCK_DGRAM);
    CHECK(bind_at(u, "127.0.0.1", port) == 0 && close(u) == 0); /* UDP's are others */
    CHECK(bind_at(l, "127.0.0.1", 0) == -1 && errno == EINVAL && close(l) == 0);
    /* Both may have it until one listens, or both may listen. */
    CHECK_EQ(bind_new("127.0.0.1", port, SO_REUSEADDR, &a), 0);
    CHECK_EQ(bind_new("127.0.0.1", port, SO_REUSEADDR, &b), 0);
    CHECK(listen(a, 1) == 0 && listen(b, 1) == -1 && errno == EADDRINUSE);
    CHECK(close(a) == 0 && close(b) == 0);
    CHECK_EQ(bind_new("127.0.0.1", port, SO_REUSEPORT, &a), 0);
    CHECK_EQ(bind_new("127.0.0.1", port, SO_REUSEPORT, &b), 0);
    CHECK(listen(a, 4) == 0 && listen(b, 4) == 0);
    int c[2] = {made("127.0.0.1", SOCK_STREAM), made("127.0.0.1", SOCK_STREAM)};
    CHECK(join(c[0], "127.0.0.1", port) == 0 && join(c[1], "127.0.0.1", port) == 0);
    struct pollfd p[2] = {{a, POLLIN}, {b, POLLIN}};
    CHECK(poll(p, 2, 0) == 2); /* they take turns */
    CHECK(close(a) == 0 && close(b) == 0 && close(c[0]) == 0 && close(c[1]) == 0);
}

static void check_addresses(void) {
    int s = made("127.0.0.1", SOCK_STREAM), t = made("::1", SOCK_STREAM);
    CHECK(bind_at(s, "10.0.0.1", 0) == -1 && errno == EADDRNOTAVAIL);
    CHECK(bind_at(s, "::1", 0) == -1 && errno == EAFNOSUPPORT);
    CHECK(bind_at(t, "2001:db8::1", 0) == -1 && errno == EADDRNOTAVAIL);
    CHECK(join(s, "10.0.0.1", 80) == -1 && errno == ENETUNREACH);
    CHECK(join(t, "2001:db8::1", 80) == -1 && errno == ENETUNREACH);
    CHECK(join(s, "127.0.0.1", 1) == -1 && errno == ECONNREFUSED);
    socklen_t n;
    union end e = end("127.0.0.1", 0, &n);
    CHECK(bind(s, &e.any, n - 1) == -1 && errno == EINVAL && connect(s, &e.any, 4) == -1);
    CHECK(close(s) == 0 && close(t) == 0);
    CHECK(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP) == -1 && errno == EPROTONOSUPPORT);
    CHECK(socket(AF_INET, SOCK_SEQPACKET, 0) == -1 && errno == ESOCKTNOSUPPORT);
    int p[2];
    CHECK(socketpair(AF_INET, SOCK_STREAM, 0, p) == -1 && errno == EOPNOTSUPP);
    s = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    CHECK(option(s, SO_DOMAIN) == AF_INET6 && option(s, SO_PROTOCOL) == IPPROTO_TCP);
    CHECK(set_option(s, IPPROTO_TCP, TCP_NODELAY, 1) == 0);
    int value = 0;
    n = sizeof(value);
    CHECK(getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &value, &n) == 0 && value == 1);
    CHECK(set_option(s, IPPROTO_TCP, 99, 1) == -1 && errno == ENOPROTOOPT && close(s) == 0);
}

/* ---- UDP ---- */

static int at_port(const char *text, int *port) {
    int fd = made(text, SOCK_DGRAM);
    CHECK(bind_at(fd, text, 0) == 0);
    *port = port_at(getsockname, fd, text);
    return fd;
}

static ssize_t send_at(int fd, const char *what, const char *text, int port) {
    socklen_t n;
    union end e = end(text, port, &n);
    return sendto(fd, what, strlen(what), 0, &e.any, n);
}

static void check_datagrams(const char *text) {
    int port, mine, s = at_port(text, &port), c = made(text, SOCK_DGRAM);
    union end from;
    socklen_t n = sizeof(from);
    CHECK(send(c, "x", 1, 0) == -1 && errno == EDESTADDRREQ);
    CHECK(send_at(c, "hello", text, port) == 5); /* which gives it a port */
    CHECK(recvfrom(s, got, 9, 0, &from.any, &n) == 5 && from.any.sa_family == family_of(text));
    mine = ntohs(from.in.sin_port);
    CHECK(mine >= 32768 && mine != port && send_at(s, "back", text, mine) == 4);
    CHECK(recv(c, got, 2, MSG_TRUNC) == 4); /* the rest is gone */
    CHECK(recv(c, got, 9, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CHECK(join(c, text, port) == 0 && port_at(getpeername, c, text) == port);
    CHECK(send(c, "", 0, 0) == 0 && recv(s, got, 9, 0) == 0 && send(c, "y", 1, 0) == 1);
    CHECK(send_at(c, "z", text, port) == 1 && recv(s, got, 9, 0) == 1 && recv(s, got, 9, 0) == 1);
    /* What comes from elsewhere is for nobody. */
    int o = made(text, SOCK_DGRAM);
    CHECK(send_at(o, "other", text, mine) == 5 && send_at(s, "own", text, mine) == 3);
    CHECK(recv(c, got, 9, 0) == 3 && recv(c, got, 9, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK(connect(c, &none, sizeof(none)) == 0 && send_at(o, "other", text, mine) == 5);
    CHECK(recv(c, got, 9, 0) == 5 && send(c, bytes, 65508, 0) == -1);
    CHECK(join(c, text, port) == 0 && send(c, bytes, 65508, 0) == -1 && errno == EMSGSIZE);
    CHECK(send(c, bytes, 65507, 0) == 65507 && recv(s, got, sizeof(got), 0) == 65507);
    CHECK(close(s) == 0 && send(c, "x", 1, 0) == 1); /* heard of at the next call */
    CHECK(send(c, "x", 1, 0) == -1 && errno == ECONNREFUSED && send(c, "x", 1, 0) == 1);
    CHECK(recv(c, got, 9, 0) == -1 && errno == ECONNREFUSED);
    CHECK(send_at(o, "x", text, port) == 1 && send_at(o, "x", text, port) == 1);
    CHECK(close(c) == 0 && close(o) == 0);
}

/* Nobody waits for one that does not read: the rest is gone. */
static void check_drops(void) {
    int port, s = at_port("127.0.0.1", &port), c = made("127.0.0.1", SOCK_DGRAM), n = 0;
    CHECK(set_option(s, SOL_SOCKET, SO_RCVBUF, 16384) == 0 && option(s, SO_RCVBUF) == 32768);
    CHECK(join(c, "127.0.0.1", port) == 0);
    for (int i = 0; i < 1000; i++)
        CHECK(send(c, bytes, 1000, 0) == 1000);
    while (recv(s, got, 2000, MSG_DONTWAIT) == 1000)
        n++;
    CHECK(n > 5 && n < 100 && send(c, "again", 5, 0) == 5 && recv(s, got, 9, MSG_DONTWAIT) == 5);
    CHECK(close(s) == 0 && close(c) == 0);
}

/* One for both versions sees the one as the other. */
static void check_both_versions(void) {
    int s = made("::", SOCK_DGRAM), c = made("127.0.0.1", SOCK_DGRAM), port;
    union end e;
    socklen_t n = sizeof(e);
    char told[INET6_ADDRSTRLEN];
    CHECK(bind_at(s, "::", 0) == 0);
    port = port_at(getsockname, s, "::");
    CHECK(send_at(c, "four", "127.0.0.1", port) == 4);
    CHECK(recvfrom(s, got, 9, 0, &e.any, &n) == 4 && n == sizeof(e.in6));
    CHECK(inet_ntop(AF_INET6, &e.in6.sin6_addr, told, sizeof(told)));
    CHECK(!strcmp(told, "::ffff:127.0.0.1"));
    CHECK(sendto(s, "back", 4, 0, &e.any, n) == 4);
    n = sizeof(e);
    CHECK(recvfrom(c, got, 9, 0, &e.any, &n) == 4 && n == sizeof(e.in));
    CHECK(ntohs(e.in.sin_port) == port && e.in.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    CHECK(close(s) == 0 && close(c) == 0);
}

/* So many at once that a port would be given out twice, and with another's in the way. */
static void check_ports_are_different(void) {
    enum { MANY = 200 };
    static unsigned char seen[65536];
    int fd[MANY], type;
    for (int i = 0; i < MANY; i++) {
        type = i % 2 ? SOCK_DGRAM : SOCK_STREAM;
        fd[i] = made("127.0.0.1", type);
        CHECK(bind_at(fd[i], i % 4 < 2 ? "127.0.0.1" : "0.0.0.0", 0) == 0);
        int port = port_at(getsockname, fd[i], i % 4 < 2 ? "127.0.0.1" : "0.0.0.0");
        CHECK(!(seen[port] & (1 << i % 2)));
        seen[port] |= (unsigned char)(1 << i % 2);
        /* The next one that would be given. */
        int next = made("127.0.0.1", type);
        if (bind_at(next, "127.0.0.1", port + 1) == 0 && i % 8 < 2) {
            int any = made("127.0.0.1", type);
            CHECK(bind_at(any, "127.0.0.1", 0) == 0);
            CHECK(port_at(getsockname, any, "127.0.0.1") != port + 1 && close(any) == 0);
        }
        CHECK(close(next) == 0);
    }
    for (int i = 0; i < MANY; i++)
        CHECK(close(fd[i]) == 0);
}

int main(void) {
    check_connection("127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1");
    check_connection("0.0.0.0", "0.0.0.0", "127.0.0.1", "127.0.0.1");
    check_connection("::1", "::1", "::1", "::1");
    check_connection("::", "127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1");
    check_connection("::", "::", "::1", "::1");
    check_connection("127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1", "::ffff:127.0.0.1");
    check_later();
    check_ends();
    check_transfer();
    check_listener();
    check_in_use();
    check_addresses();
    check_datagrams("127.0.0.1");
    check_datagrams("::1");
    check_drops();
    check_both_versions();
    check_ports_are_different();
    return tell_end();
}
