/* Sockets: calls that make them, give them addresses, and connect them. message.c has those that
 * send and receive, sockopt.c the options, address.c families and addresses. */
#include "lib/errno.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "vfs/descriptor.h"

#define SOCK_TYPE 0xfU
#define SOCK_NONBLOCK 0x800U
#define SOCK_CLOEXEC 0x80000U

/* ---- making them ---- */

static int check_kind(const uint64_t arg[6], const struct socket_family **out,
                      enum socket_type *kind) {
    if ((uint32_t)arg[1] & ~(SOCK_TYPE | SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -K_EINVAL;
    return linux_socket_kind(arg[0], (uint32_t)arg[1] & SOCK_TYPE, arg[2], out, kind);
}

/* A reserved descriptor and a file for it. */
struct new_file {
    int fd;
    struct file *file;
};

static int new_file(struct new_file *n, int from) {
    int err = fd_reserve(from, &n->fd);
    if (err)
        return err;
    err = file_alloc(&n->file);
    if (err)
        fd_unreserve(n->fd);
    return err;
}

static void drop_file(struct new_file *n) {
    file_put(n->file);
    fd_unreserve(n->fd);
}

static void open_file(struct new_file *n, uint64_t flags) {
    file_set_flags(n->file, flags & SOCK_NONBLOCK ? ABI_O_NONBLOCK : 0);
    fd_open(n->fd, n->file, (flags & SOCK_CLOEXEC) != 0);
}

int linux_socket(const uint64_t arg[6], uint64_t *result) {
    struct new_file n;
    const struct socket_family *family;
    enum socket_type kind;
    int err = check_kind(arg, &family, &kind);
    if (!err)
        err = new_file(&n, 0);
    if (err)
        return err;
    err = socket_create(family, kind, n.file);
    if (err) {
        drop_file(&n);
        return err;
    }
    open_file(&n, arg[1]);
    *result = (uint64_t)n.fd;
    return 0;
}

/* The numbers are told before they are open: then nothing can fail. */
static int make_pair(struct new_file n[2], const uint64_t arg[6]) {
    struct file *files[2] = {n[0].file, n[1].file};
    const int told[2] = {n[0].fd, n[1].fd};
    int err = copyout(UA(arg[3]), told, sizeof(told));
    return err ? err : socket_pair((enum socket_type)(arg[1] & SOCK_TYPE), files);
}

int linux_socketpair(const uint64_t arg[6], uint64_t *result) {
    struct new_file n[2];
    const struct socket_family *family;
    enum socket_type kind;
    int err = check_kind(arg, &family, &kind);
    if (!err && family != &socket_unix)
        err = -K_ENOTSUP;
    if (!err)
        err = new_file(&n[0], 0);
    if (err)
        return err;
    err = new_file(&n[1], n[0].fd + 1);
    if (!err) {
        err = make_pair(n, arg);
        if (err)
            drop_file(&n[1]);
    }
    if (err) {
        drop_file(&n[0]);
        return err;
    }
    open_file(&n[0], arg[1]);
    open_file(&n[1], arg[1]);
    return 0;
}

/* ---- addresses and connections ---- */

static int bind_it(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    struct socket_address a;
    if (!s)
        return -K_ENOTSOCK;
    int err = linux_address(s, arg[1], arg[2], &a);
    if (err)
        return err;
    return socket_bind(s, NULL, &a, (uint16_t)(0777 & ~proc_self()->umask));
}

static int listen_on(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    int32_t backlog = (int32_t)arg[1];
    return s ? socket_listen(s, (uint32_t)MAX(backlog, 0)) : -K_ENOTSOCK;
}

static int connect_it(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    struct socket_address a;
    uint16_t family;
    if (!s)
        return -K_ENOTSOCK;
    int err = (uint32_t)arg[2] < sizeof(family) ? -K_EINVAL
                                                : copyin(&family, UA(arg[1]), sizeof(family));
    if (!err && family == LINUX_AF_UNSPEC)
        return socket_connect(s, NULL, NULL, false);
    if (!err)
        err = linux_address(s, arg[1], arg[2], &a);
    return err ? err : socket_connect(s, NULL, &a, file_waits(f));
}

static int accept_from(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    struct new_file n;
    struct socket_address a;
    if (!s)
        return -K_ENOTSOCK;
    int err = new_file(&n, 0);
    if (err)
        return err;
    err = socket_accept(s, file_waits(f), n.file);
    if (!err && arg[1]) {
        (void)!socket_peer_name(socket_of(n.file), &a);
        err = linux_tell_address(s, &a, arg[1], arg[2]);
    }
    if (err) {
        drop_file(&n);
        return err;
    }
    open_file(&n, arg[3]);
    *result = (uint64_t)n.fd;
    return 0;
}

static int tell_name(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    struct socket_address a;
    if (!s)
        return -K_ENOTSOCK;
    socket_name(s, &a);
    return linux_tell_address(s, &a, arg[1], arg[2]);
}

static int tell_peer_name(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    struct socket_address a;
    int err = s ? socket_peer_name(s, &a) : -K_ENOTSOCK;
    return err ? err : linux_tell_address(s, &a, arg[1], arg[2]);
}

static int shut(struct file *f, const uint64_t arg[6], uint64_t *result) {
    static const unsigned which[] = {SOCKET_SHUT_IN, SOCKET_SHUT_OUT,
                                     SOCKET_SHUT_IN | SOCKET_SHUT_OUT};
    struct socket *s = socket_of(f);
    if (!s)
        return -K_ENOTSOCK;
    return (uint32_t)arg[1] < ARRAY_LEN(which) ? socket_shutdown(s, which[(uint32_t)arg[1]])
                                               : -K_EINVAL;
}

int linux_bind(const uint64_t arg[6], uint64_t *result) { return fd_call(bind_it, arg, result); }
int linux_listen(const uint64_t arg[6], uint64_t *result) {
    return fd_call(listen_on, arg, result);
}
int linux_connect(const uint64_t arg[6], uint64_t *result) {
    return fd_call(connect_it, arg, result);
}
int linux_accept4(const uint64_t arg[6], uint64_t *result) {
    return arg[3] & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -K_EINVAL
                                                              : fd_call(accept_from, arg, result);
}
int linux_accept(const uint64_t arg[6], uint64_t *result) {
    const uint64_t plain[6] = {arg[0], arg[1], arg[2]};
    return fd_call(accept_from, plain, result);
}
int linux_getsockname(const uint64_t arg[6], uint64_t *result) {
    return fd_call(tell_name, arg, result);
}
int linux_getpeername(const uint64_t arg[6], uint64_t *result) {
    return fd_call(tell_peer_name, arg, result);
}
int linux_shutdown(const uint64_t arg[6], uint64_t *result) { return fd_call(shut, arg, result); }
