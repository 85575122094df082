/* Options of sockets. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "vfs/descriptor.h"

#define SOL_SOCKET 1
#define SO_DEBUG 1
#define SO_REUSEADDR 2
#define SO_TYPE 3
#define SO_ERROR 4
#define SO_BROADCAST 6
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_KEEPALIVE 9
#define SO_PRIORITY 12
#define SO_LINGER 13
#define SO_REUSEPORT 15
#define SO_PASSCRED 16
#define SO_PEERCRED 17
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_ACCEPTCONN 30
#define SO_PROTOCOL 38
#define SO_DOMAIN 39

/* As far as there is room, whose length is told. */
static int tell(const void *value, size_t bytes, const uint64_t arg[6]) {
    int32_t room;
    int err = copyin(&room, UA(arg[4]), sizeof(room));
    if (!err && room < 0)
        err = -K_EINVAL;
    if (err)
        return err;
    uint32_t told = MIN((uint32_t)room, (uint32_t)bytes);
    err = copyout(UA(arg[3]), value, told);
    return err ? err : copyout(UA(arg[4]), &told, sizeof(told));
}

static int tell_number(int32_t n, const uint64_t arg[6]) { return tell(&n, sizeof(n), arg); }

static int tell_patience(struct socket *s, bool sending, const uint64_t arg[6]) {
    uint64_t ns = __atomic_load_n(socket_patience(s, sending), __ATOMIC_RELAXED);
    const int64_t t[2] = {(int64_t)(ns / SECOND), (int64_t)(ns % SECOND / 1000)};
    return tell(t, sizeof(t), arg);
}

static int get(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    if (!s)
        return -K_ENOTSOCK;
    if ((uint32_t)arg[1] != SOL_SOCKET)
        return -K_ENOTSUP;
    switch ((uint32_t)arg[2]) {
    case SO_TYPE: return tell_number((int32_t)socket_type(s), arg);
    case SO_ERROR: return tell_number(-socket_take_error(s), arg);
    case SO_SNDBUF:
    case SO_RCVBUF: return tell_number((int32_t)socket_room(s), arg);
    case SO_ACCEPTCONN: return tell_number(socket_listens(s), arg);
    case SO_DOMAIN: return tell_number(LINUX_AF_UNIX, arg);
    case SO_PASSCRED: return tell_number(socket_tells_sender(s), arg);
    case SO_PEERCRED:
        return tell(&(struct ucred){.pid = socket_peer_pid(s)}, sizeof(struct ucred), arg);
    case SO_RCVTIMEO: return tell_patience(s, false, arg);
    case SO_SNDTIMEO: return tell_patience(s, true, arg);
    case SO_LINGER: return tell(&(uint64_t){0}, sizeof(uint64_t), arg);
    case SO_DEBUG:
    case SO_REUSEADDR:
    case SO_BROADCAST:
    case SO_KEEPALIVE:
    case SO_PRIORITY:
    case SO_REUSEPORT:
    case SO_PROTOCOL: return tell_number(0, arg);
    default: return -K_ENOPROTOOPT;
    }
}

static int set_patience(struct socket *s, bool sending, const uint64_t arg[6]) {
    int64_t t[2];
    uint64_t ns;
    if ((uint32_t)arg[4] < sizeof(t))
        return -K_EINVAL;
    int err = copyin(t, UA(arg[3]), sizeof(t));
    if (!err && (t[1] < 0 || t[1] >= 1000000))
        err = -K_EINVAL;
    if (!err)
        err = linux_nanoseconds(&(struct linux_timespec){t[0], t[1] * 1000}, &ns);
    if (!err)
        __atomic_store_n(socket_patience(s, sending), ns, __ATOMIC_RELAXED);
    return err;
}

/* Those that have no effect are those that have none in Linux, for such sockets. */
static int set_number(struct socket *s, uint32_t what, int32_t n) {
    switch (what) {
    case SO_SNDBUF: socket_set_room(s, MIN((uint32_t)n, (uint32_t)INT32_MAX / 2) * 2); return 0;
    case SO_PASSCRED: socket_set_tells_sender(s, n != 0); return 0;
    case SO_RCVBUF:
    case SO_DEBUG:
    case SO_REUSEADDR:
    case SO_BROADCAST:
    case SO_KEEPALIVE:
    case SO_PRIORITY:
    case SO_REUSEPORT:
    case SO_LINGER: return 0;
    default: return -K_ENOPROTOOPT;
    }
}

static int set(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    uint32_t what = (uint32_t)arg[2];
    int32_t n;
    if (!s)
        return -K_ENOTSOCK;
    if ((uint32_t)arg[1] != SOL_SOCKET)
        return -K_ENOTSUP;
    if (what == SO_RCVTIMEO || what == SO_SNDTIMEO)
        return set_patience(s, what == SO_SNDTIMEO, arg);
    if ((uint32_t)arg[4] < sizeof(n))
        return -K_EINVAL;
    int err = copyin(&n, UA(arg[3]), sizeof(n));
    return err ? err : set_number(s, what, n);
}

int linux_getsockopt(const uint64_t arg[6], uint64_t *result) { return fd_call(get, arg, result); }
int linux_setsockopt(const uint64_t arg[6], uint64_t *result) { return fd_call(set, arg, result); }
