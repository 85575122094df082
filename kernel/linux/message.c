/* Sending and receiving by sockets. */
#include "lib/errno.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/sched.h"
#include "syscall/syscall.h"
#include "vfs/descriptor.h"

#define MSG_PEEK 0x2U
#define MSG_CTRUNC 0x8U
#define MSG_TRUNC 0x20U
#define MSG_DONTWAIT 0x40U
#define MSG_WAITALL 0x100U
#define MSG_NOSIGNAL 0x4000U
#define MSG_WAITFORONE 0x10000U
#define MSG_OOB 0x1U
#define MSG_ERRQUEUE 0x2000U
#define MSG_CMSG_CLOEXEC 0x40000000U

#define VECTORS 1024

struct msghdr {
    uint64_t name;
    uint32_t name_bytes, pad;
    uint64_t vector, entries;
    uint64_t control, control_bytes;
    uint32_t flags, pad2;
};
_Static_assert(sizeof(struct msghdr) == 56, "struct msghdr");

/* One of several. */
struct mmsghdr {
    struct msghdr message;
    uint32_t bytes, pad; /* that were sent or received */
};

static bool waits(const struct file *f, uint64_t flags) {
    return file_waits(f) && !(flags & MSG_DONTWAIT);
}

/* ---- sending ---- */

/* The rest of what is to be sent is set. a: room for an address; NULL: there is no name. */
static int send_it(struct file *f, struct socket_sending *what, struct socket_address *a,
                   uint64_t name, uint64_t name_bytes, uint64_t flags, uint64_t *result) {
    struct socket *s = socket_of(f);
    size_t done = 0;
    int err = flags & MSG_OOB ? -K_ENOTSUP : 0;
    if (!err && a && name && (uint32_t)name_bytes > 0) {
        err = linux_address(s, name, name_bytes, a);
        what->to = a;
    }
    what->waits = waits(f, flags);
    if (err) {
        if (what->files)
            carried_free(what->files);
        return err;
    }
    err = socket_send(s, what, &done);
    *result = done;
    if (done > 0)
        return 0;
    bool signal = socket_type(s) == SOCKET_STREAM && !(flags & MSG_NOSIGNAL);
    return signal ? syscall_tell_pipe(err) : err;
}

static int send_buffer(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket_sending what = {.span = span_of(UA(arg[1]), arg[2]), .bytes = arg[2]};
    struct socket_address a;
    return socket_of(f) ? send_it(f, &what, &a, arg[4], arg[5], arg[3], result) : -K_ENOTSOCK;
}

static int send_message(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct msghdr h;
    struct socket_address a;
    if (!socket_of(f))
        return -K_ENOTSOCK;
    int err = copyin(&h, UA(arg[1]), sizeof(h));
    if (err)
        return err;
    if (h.entries > VECTORS)
        return -K_EMSGSIZE;
    struct socket_sending what = {.span = {.vector = h.vector, .entries = h.entries}};
    err = span_bytes(&what.span, &what.bytes);
    if (!err)
        err = linux_read_control(h.control, h.control ? h.control_bytes : 0, &what.files);
    return err ? err : send_it(f, &what, &a, h.name, h.name_bytes, arg[2], result);
}

int linux_send_vector(struct file *f, uint64_t vector, uint64_t n, uint64_t *result) {
    struct socket_sending what = {.span = {.vector = vector, .entries = n}};
    int err = span_bytes(&what.span, &what.bytes);
    /* The signal is the caller's to send. */
    return err ? err : send_it(f, &what, NULL, 0, 0, MSG_NOSIGNAL, result);
}

int linux_sendto(const uint64_t arg[6], uint64_t *result) {
    return fd_call(send_buffer, arg, result);
}

int linux_sendmsg(const uint64_t arg[6], uint64_t *result) {
    return fd_call(send_message, arg, result);
}

/* ---- receiving ---- */

static int receive_it(struct file *f, struct socket_received *r, uint64_t flags, uint64_t *result) {
    r->waits = waits(f, flags);
    r->peek = flags & MSG_PEEK;
    r->all = flags & MSG_WAITALL;
    if (flags & MSG_OOB)
        return -K_EINVAL;
    if (flags & MSG_ERRQUEUE) /* where nothing ever is */
        return -K_EAGAIN;
    int err = socket_receive(socket_of(f), r);
    *result = flags & MSG_TRUNC ? r->size : r->done;
    return err;
}

static int receive_buffer(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket_received r = {.span = span_of(UA(arg[1]), arg[2]), .bytes = arg[2]};
    if (!socket_of(f))
        return -K_ENOTSOCK;
    int err = receive_it(f, &r, arg[3], result);
    if (err)
        return err;
    if (r.files)
        carried_free(r.files);
    return arg[4] ? linux_tell_sender(socket_of(f), &r.from, arg[4], arg[5]) : 0;
}

/* Tells all that is known of a message, at a header in user memory. */
static int tell_message(struct file *f, struct socket_received *r, const struct msghdr *h,
                        uint64_t at, uint64_t flags) {
    bool cut = false, sender = socket_tells_sender(socket_of(f));
    uint64_t control_bytes = h->control ? h->control_bytes : 0;
    int err = linux_tell_control(r, sender, (flags & MSG_CMSG_CLOEXEC) != 0, h->control,
                                 &control_bytes, &cut);
    uint32_t told = (r->size > r->done ? MSG_TRUNC : 0) | (cut ? MSG_CTRUNC : 0) |
                    ((uint32_t)flags & MSG_CMSG_CLOEXEC);
    if (!err)
        err = copyout(UA(at + offsetof(struct msghdr, control_bytes)), &control_bytes,
                      sizeof(control_bytes));
    if (!err)
        err = copyout(UA(at + offsetof(struct msghdr, flags)), &told, sizeof(told));
    if (!err && h->name)
        err = linux_tell_sender(socket_of(f), &r->from, h->name,
                                at + offsetof(struct msghdr, name_bytes));
    return err;
}

static int receive_message(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct msghdr h;
    if (!socket_of(f))
        return -K_ENOTSOCK;
    int err = copyin(&h, UA(arg[1]), sizeof(h));
    if (err)
        return err;
    if (h.entries > VECTORS)
        return -K_EMSGSIZE;
    struct socket_received r = {.span = {.vector = h.vector, .entries = h.entries}};
    err = span_bytes(&r.span, &r.bytes);
    if (!err)
        err = receive_it(f, &r, arg[2], result);
    return err ? err : tell_message(f, &r, &h, arg[1], arg[2]);
}

/* ---- several in one call ---- */

static int tell_bytes(uint64_t at, uint64_t n) {
    uint32_t bytes = (uint32_t)n;
    return copyout(UA(at + offsetof(struct mmsghdr, bytes)), &bytes, sizeof(bytes));
}

static uint64_t how_many(uint64_t n) { return MIN((uint32_t)n, (uint32_t)VECTORS); }

/* Messages up to the first that cannot be sent; its error is told if it is the first of all. */
static int send_several(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint64_t done = 0;
    int err = socket_of(f) ? 0 : -K_ENOTSOCK;
    while (!err && done < how_many(arg[2])) {
        const uint64_t one[6] = {arg[0], arg[1] + done * sizeof(struct mmsghdr), arg[3]};
        uint64_t bytes = 0;
        err = send_message(f, one, &bytes);
        if (!err)
            err = tell_bytes(one[1], bytes);
        done += !err;
        sched_break();
    }
    *result = done;
    return done > 0 ? 0 : err;
}

/* The time is looked at when a message has come, as Linux does: one that never comes is waited
 * for. */
static int receive_until(struct file *f, const uint64_t arg[6], uint64_t until, uint64_t *done) {
    uint32_t flags = (uint32_t)arg[3];
    int err = 0;
    while (!err && *done < how_many(arg[2]) && (*done == 0 || clock_left(until) > 0)) {
        uint64_t at = arg[1] + *done * sizeof(struct mmsghdr), bytes = 0;
        bool waits = *done == 0 || !(flags & MSG_WAITFORONE);
        const uint64_t one[6] = {arg[0], at, flags | (waits ? 0 : MSG_DONTWAIT)};
        err = receive_message(f, one, &bytes);
        if (!err)
            err = tell_bytes(at, bytes);
        *done += !err;
        sched_break();
    }
    return err;
}

/* The error behind some messages is the next call's, where it is one that is told once. */
static int receive_several(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint64_t until = UINT64_MAX;
    *result = 0;
    int err = socket_of(f) ? linux_time_limit(arg[4], &until) : -K_ENOTSOCK;
    if (err)
        return err;
    err = receive_until(f, arg, until, result);
    if (*result == 0)
        return err;
    if (err == -K_ECONNRESET || err == -K_ECONNREFUSED)
        socket_tell_error(socket_of(f), err);
    return arg[4] ? linux_tell_time(arg[4], clock_left(until)) : 0;
}

int linux_sendmmsg(const uint64_t arg[6], uint64_t *result) {
    return fd_call(send_several, arg, result);
}

int linux_recvmmsg(const uint64_t arg[6], uint64_t *result) {
    return fd_call(receive_several, arg, result);
}

/* ---- by read and write ---- */

int linux_receive_vector(struct file *f, uint64_t vector, uint64_t n, uint64_t *result) {
    struct socket_received r = {.span = {.vector = vector, .entries = n}};
    int err = span_bytes(&r.span, &r.bytes);
    if (!err)
        err = receive_it(f, &r, 0, result);
    if (!err && r.files)
        carried_free(r.files);
    return err;
}

int linux_recvfrom(const uint64_t arg[6], uint64_t *result) {
    return fd_call(receive_buffer, arg, result);
}

int linux_recvmsg(const uint64_t arg[6], uint64_t *result) {
    return fd_call(receive_message, arg, result);
}
