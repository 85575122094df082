/* Messages of sockets: several in a call, and what goes with their bytes: files, and who has sent
 * them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "sockets.h"

static char got[300], *volatile nowhere = (char *)8;

/* ---- several messages in a call ---- */

static struct mmsghdr several[4];
static struct iovec parts[4];

static void use_parts(char *from, size_t each) {
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct iovec){from + 10 * i, each};
        several[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
}

static void check_several(void) {
    static char bytes[40];
    struct timespec soon = {0, 1}, late = {1000, 0}, bad = {0, -1};
    int s[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
    use_parts("first     second    third     fourth    ", 6);
    CHECK(sendmmsg(s[0], several, 0, 0) == 0 && sendmmsg(s[0], several, 3, 0) == 3);
    CHECK(several[0].msg_len == 6 && several[2].msg_len == 6);
    parts[1].iov_base = nowhere;
    CHECK(sendmmsg(s[0], several, 4, 0) == 1); /* it ends at the second */
    CHECK(sendmmsg(s[0], several + 1, 3, 0) == -1 && errno == EFAULT);
    CHECK(sendmmsg(0, several, 1, 0) == -1 && errno == ENOTSOCK);
    CHECK(sendmmsg(99, several, 1, 0) == -1 && errno == EBADF);
    CHECK(sendmmsg(s[0], (struct mmsghdr *)nowhere, 1, 0) == -1 && errno == EFAULT);
    use_parts(bytes, 5);
    CHECK(recvmmsg(s[1], several, 2, 0, NULL) == 2 && several[0].msg_len == 5);
    CHECK(several[1].msg_hdr.msg_flags == MSG_TRUNC && !memcmp(bytes + 10, "secon", 5));
    /* Two are there. */
    CHECK(recvmmsg(s[1], several, 4, MSG_WAITFORONE, &late) == 2);
    CHECK(!memcmp(bytes, "third", 5) && late.tv_sec < 1000 && late.tv_sec > 0);
    CHECK(recvmmsg(s[1], several, 4, MSG_DONTWAIT, NULL) == -1 && errno == EAGAIN);
    CHECK(recvmmsg(s[1], several, 1, MSG_DONTWAIT, &bad) == -1 && errno == EINVAL);
    /* The time is over when one has come. */
    CHECK(write(s[0], "x", 1) == 1 && write(s[0], "y", 1) == 1);
    CHECK(recvmmsg(s[1], several, 4, 0, &soon) == 1 && several[0].msg_len == 1);
    CHECK(recvmmsg(0, several, 1, 0, NULL) == -1 && errno == ENOTSOCK);
    CHECK(close(s[0]) == 0 && recvmmsg(s[1], several, 1, 0, NULL) == 1);
    CHECK(close(s[1]) == 0);
    /* An error behind some is the next call's. */
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && write(s[0], "z", 1) == 1);
    CHECK(write(s[1], "unread", 6) == 6 && close(s[0]) == 0);
    CHECK(recvmmsg(s[1], several, 2, 0, NULL) == 1);
    CHECK(recvmmsg(s[1], several, 2, 0, NULL) == -1 && errno == ECONNRESET);
    CHECK(close(s[1]) == 0);
}

/* ---- files in messages ---- */

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(8 * sizeof(int))];
};

static ssize_t send_files(int s, const int *fds, size_t n) {
    union control c = {.head = {CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec v = {"f", 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = &c,
                       .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    memcpy(CMSG_DATA(&c.head), fds, n * sizeof(int));
    return sendmsg(s, &m, MSG_DONTWAIT);
}

/* How many came, of up to `room`. */
static int receive_files(int s, int *fds, size_t room, int *flags) {
    union control c;
    struct iovec v = {got, 100};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = &c,
                       .msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0};
    if (recvmsg(s, &m, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    *flags = m.msg_flags;
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (!h)
        return 0;
    CHECK(h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS);
    size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(h), n * sizeof(int));
    return (int)n;
}

static void check_files(int type) {
    int s[2], ends[2], fds[8], flags;
    CHECK(socketpair(AF_UNIX, type, 0, s) == 0 && pipe(ends) == 0);
    CHECK(send_files(s[0], ends, 2) == 1 && close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(write(s[0], "more", 4) == 4);
    CHECK_EQ(receive_files(s[1], fds, 8, &flags), 2);
    CHECK(write(fds[1], "through", 7) == 7 && read(fds[0], got, 9) == 7);
    CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC && !(flags & MSG_CTRUNC));
    CHECK(read(s[1], got, 9) == 4); /* what came later was not mixed with it */
    /* One has no room, and is closed. */
    CHECK(send_files(s[0], fds, 2) == 1 && close(fds[1]) == 0);
    CHECK(receive_files(s[1], fds + 2, 1, &flags) == 1 && (flags & MSG_CTRUNC));
    CHECK(read(fds[0], got, 1) == 0 && close(fds[2]) == 0); /* nobody can write any more */
    int bad = 99;
    CHECK(send_files(s[0], &bad, 1) == -1 && errno == EBADF);
    /* What nobody receives is closed with the socket. */
    CHECK(pipe(ends) == 0 && send_files(s[0], ends + 1, 1) == 1 && close(ends[1]) == 0);
    CHECK(close(s[1]) == 0 && read(ends[0], got, 1) == 0);
    CHECK(close(s[0]) == 0 && close(ends[0]) == 0 && close(fds[0]) == 0);
}

/* A socket that carries sockets is not carried itself. */
static void check_no_circle(void) {
    int s[2], t[2], fds[2], flags;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, t) == 0);
    CHECK(send_files(s[0], s + 1, 1) == -1 && errno == ETOOMANYREFS);
    CHECK(send_files(s[0], s, 1) == 1 && send_files(t[0], s, 1) == 1);
    CHECK(send_files(t[0], s + 1, 1) == -1 && errno == ETOOMANYREFS); /* it carries s[0] */
    CHECK(send_files(s[1], t, 1) == -1 && errno == ETOOMANYREFS);     /* s[0] is on its way */
    CHECK(receive_files(t[1], fds, 2, &flags) == 1 && close(fds[0]) == 0);
    CHECK(receive_files(s[1], fds, 2, &flags) == 1);
    CHECK(send_files(t[0], s + 1, 1) == 1 && send_files(fds[0], t + 1, 1) == -1);
    CHECK(close(t[0]) == 0 && close(t[1]) == 0 && write(fds[0], "x", 1) == 1);
    CHECK(read(s[1], got, 9) == 1 && close(s[0]) == 0 && close(s[1]) == 0 && close(fds[0]) == 0);
    /* Not by way of what waits for accept, either. */
    int listener = bound(SOCK_STREAM, "\0circle"), c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(listen(listener, 5) == 0 && connect_to(c, "\0circle") == 0);
    CHECK(send_files(c, &listener, 1) == -1 && errno == ETOOMANYREFS);
    CHECK(close(c) == 0 && close(listener) == 0);
}

/* Sockets go to who has not accepted yet, who is then not carried itself. */
static void check_not_yet_accepted(void) {
    int listener = bound(SOCK_STREAM, "\0later"), c = socket(AF_UNIX, SOCK_STREAM, 0);
    int s[2], t[2], fd, flags;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && listen(listener, 5) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, t) == 0 && connect_to(c, "\0later") == 0);
    CHECK(send_files(c, s, 1) == 1 && send_files(c, t, 1) == 1 && close(s[0]) == 0);
    CHECK(send_files(t[0], &listener, 1) == -1 && errno == ETOOMANYREFS);
    int a = accept(listener, NULL, NULL);
    CHECK(a >= 0 && send_files(t[0], &a, 1) == -1 && errno == ETOOMANYREFS);
    CHECK(send_files(s[1], &listener, 1) == -1 && errno == ETOOMANYREFS); /* s[0] is on its way */
    CHECK(receive_files(a, &fd, 1, &flags) == 1 && write(fd, "x", 1) == 1);
    CHECK(read(s[1], got, 9) == 1 && send_files(fd, &listener, 1) == 1 && close(fd) == 0);
    CHECK(receive_files(s[1], &fd, 1, &flags) == 1 && close(fd) == 0);
    CHECK(read(a, got, 9) == 1 && close(a) == 0 && close(c) == 0); /* and t[0] is closed */
    /* What nobody accepts is closed with the one that listens. */
    c = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect_to(c, "\0later") == 0 && send_files(c, t, 1) == 1 && close(t[0]) == 0);
    CHECK(send_files(c, &listener, 1) == -1 && errno == ETOOMANYREFS);
    CHECK(close(listener) == 0 && read(t[1], got, 1) == 0 && close(c) == 0);
    CHECK(close(s[1]) == 0 && close(t[1]) == 0);
}

/* So much may go with one message, and no more is looked at. */
static void check_control(void) {
    static char control[20480 + 24];
    struct cmsghdr h = {.cmsg_len = sizeof(h), .cmsg_level = 0};
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};
    int s[2];
    for (size_t i = 0; i + sizeof(h) <= sizeof(control); i += sizeof(h))
        memcpy(control + i, &h, sizeof(h));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
    m.msg_controllen = 20480;
    CHECK(sendmsg(s[0], &m, 0) == 1);
    m.msg_controllen++;
    CHECK(sendmsg(s[0], &m, 0) == -1 && errno == ENOBUFS);
    m.msg_controllen = (size_t)1 << 40;
    CHECK(sendmsg(s[0], &m, 0) == -1 && errno == ENOBUFS);
    CHECK(read(s[1], got, 9) == 1 && close(s[0]) == 0 && close(s[1]) == 0);
}

static void check_sender(void) {
    int s[2], on = 1;
    char room[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec v = {got, 100};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    struct ucred who;
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
    CHECK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
    CHECK(write(s[0], "x", 1) == 1);
    CHECK(recvmsg(s[1], &m, 0) == 1 && CMSG_FIRSTHDR(&m));
    CHECK(CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS);
    memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(who));
    CHECK(who.pid == getpid() && who.uid == 0 && close(s[0]) == 0 && close(s[1]) == 0);
}

int main(void) {
    check_several();
    check_files(SOCK_STREAM);
    check_files(SOCK_SEQPACKET);
    check_no_circle();
    check_not_yet_accepted();
    check_control();
    check_sender();
    return tell_end();
}
