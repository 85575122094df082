/* Options of sockets. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "socket/loopback.h"
#include "vfs/descriptor.h"

/* Levels: of all sockets; of IPv4, which those of IPv6 have, too; TCP's; of IPv6; netlink's. */
enum { SOL_IP = 0, SOL_SOCKET = 1, SOL_TCP = 6, SOL_IPV6 = 41, SOL_NETLINK = 270 };

#define SO_TYPE 3
#define SO_ERROR 4
#define SO_SNDBUF 7
#define SO_RCVBUF 8
#define SO_LINGER 13
#define SO_PASSCRED 16
#define SO_PEERCRED 17
#define SO_RCVTIMEO 20
#define SO_SNDTIMEO 21
#define SO_BINDTODEVICE 25
#define SO_ACCEPTCONN 30
#define SO_SNDBUFFORCE 32
#define SO_RCVBUFFORCE 33
#define SO_PROTOCOL 38
#define SO_DOMAIN 39

/* Those that are on or off. The three that are not SOCKET_KEPT do something. All others are told as
 * they were set, and change nothing here: there is no debugging, routing or broadcasting, the other
 * end of TCP never goes without a word (SO_KEEPALIVE), nothing is sent out of turn (SO_OOBINLINE),
 * what is sent is there at once, whether more follows or not (TCP_NODELAY, TCP_CORK), and errors on
 * the way are none (IP_RECVERR, which glibc sets to ask for names). */
static const struct {
    uint16_t level, name;
    uint32_t bit;
} switches[] = {
    {SOL_SOCKET, 2 /* SO_REUSEADDR */, SOCKET_REUSES_ADDRESS},
    {SOL_SOCKET, 15 /* SO_REUSEPORT */, SOCKET_REUSES_PORT},
    {SOL_IPV6, 26 /* IPV6_V6ONLY */, SOCKET_ONLY_V6},
    {SOL_SOCKET, 1 /* SO_DEBUG */, SOCKET_KEPT << 0},
    {SOL_SOCKET, 5 /* SO_DONTROUTE */, SOCKET_KEPT << 1},
    {SOL_SOCKET, 6 /* SO_BROADCAST */, SOCKET_KEPT << 2},
    {SOL_SOCKET, 9 /* SO_KEEPALIVE */, SOCKET_KEPT << 3},
    {SOL_SOCKET, 10 /* SO_OOBINLINE */, SOCKET_KEPT << 4},
    {SOL_TCP, 1 /* TCP_NODELAY */, SOCKET_KEPT << 5},
    {SOL_TCP, 3 /* TCP_CORK */, SOCKET_KEPT << 6},
    {SOL_TCP, 12 /* TCP_QUICKACK */, SOCKET_KEPT << 7},
    {SOL_IP, 15 /* IP_FREEBIND */, SOCKET_KEPT << 8},
    {SOL_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, SOCKET_KEPT << 9},
    {SOL_IP, 11 /* IP_RECVERR */, SOCKET_KEPT << 10},
    {SOL_IPV6, 25 /* IPV6_RECVERR */, SOCKET_KEPT << 11},
};

/* Those that are numbers, and that nothing here depends on: they may be set, and what is told stays
 * as it is at first in Linux. */
static const struct {
    uint16_t level, name;
    int32_t told;
} numbers[] = {
    {SOL_SOCKET, 12 /* SO_PRIORITY */, 0},
    {SOL_SOCKET, 18 /* SO_RCVLOWAT */, 1},
    {SOL_SOCKET, 36 /* SO_MARK */, 0},
    {SOL_TCP, 2 /* TCP_MAXSEG */, 65483},
    {SOL_TCP, 4 /* TCP_KEEPIDLE */, 7200},
    {SOL_TCP, 5 /* TCP_KEEPINTVL */, 75},
    {SOL_TCP, 6 /* TCP_KEEPCNT */, 9},
    {SOL_TCP, 7 /* TCP_SYNCNT */, 6},
    {SOL_TCP, 8 /* TCP_LINGER2 */, 60},
    {SOL_TCP, 9 /* TCP_DEFER_ACCEPT */, 0},
    {SOL_TCP, 18 /* TCP_USER_TIMEOUT */, 0},
    {SOL_TCP, 23 /* TCP_FASTOPEN */, 0},
    {SOL_IP, 1 /* IP_TOS */, 0},
    {SOL_IP, 2 /* IP_TTL */, 64},
    {SOL_IP, 10 /* IP_MTU_DISCOVER */, 1},
    {SOL_IPV6, 16 /* IPV6_UNICAST_HOPS */, 64},
    {SOL_IPV6, 23 /* IPV6_MTU_DISCOVER */, 1},
    {SOL_IPV6, 67 /* IPV6_TCLASS */, 0},
    {SOL_NETLINK, 1 /* NETLINK_ADD_MEMBERSHIP */, 0},
    {SOL_NETLINK, 2 /* NETLINK_DROP_MEMBERSHIP */, 0},
    {SOL_NETLINK, 11 /* NETLINK_EXT_ACK */, 0},
    {SOL_NETLINK, 12 /* NETLINK_GET_STRICT_CHK */, 0},
};

/* Where they are in these; beyond the last: there is none. */
static unsigned find_switch(uint32_t level, uint32_t name) {
    unsigned i = 0;
    while (i < ARRAY_LEN(switches) && (switches[i].level != level || switches[i].name != name))
        i++;
    return i;
}

static unsigned find_number(uint32_t level, uint32_t name) {
    unsigned i = 0;
    while (i < ARRAY_LEN(numbers) && (numbers[i].level != level || numbers[i].name != name))
        i++;
    return i;
}

/* -K_ENOTSUP, -K_ENOPROTOOPT: it has no options of that level. */
static int check_level(const struct socket *s, uint32_t level) {
    const struct socket_family *f = socket_family(s);
    if (level == SOL_SOCKET)
        return 0;
    if (f == &socket_unix)
        return -K_ENOTSUP;
    if (f == &socket_netlink)
        return level == SOL_NETLINK ? 0 : -K_ENOPROTOOPT;
    bool has = level == SOL_TCP    ? socket_type(s) == SOCKET_STREAM
               : level == SOL_IPV6 ? f == &socket_inet6
                                   : level == SOL_IP;
    return has ? 0 : -K_ENOPROTOOPT;
}

/* ---- told ---- */

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

static int tell_linger(struct socket *s, const uint64_t arg[6]) {
    int32_t seconds = __atomic_load_n(socket_linger(s), __ATOMIC_RELAXED);
    const int32_t told[2] = {seconds >= 0, MAX(seconds, 0)};
    return tell(told, sizeof(told), arg);
}

/* Of TCP nobody is known. */
static int tell_peer(struct socket *s, const uint64_t arg[6]) {
    struct ucred who = {.uid = UINT32_MAX, .gid = UINT32_MAX};
    if (socket_family(s) == &socket_unix)
        who = (struct ucred){.pid = socket_peer_pid(s)};
    return tell(&who, sizeof(who), arg);
}

static int tell_other(struct socket *s, uint32_t level, const uint64_t arg[6]) {
    unsigned i = find_switch(level, (uint32_t)arg[2]);
    if (i < ARRAY_LEN(switches))
        return tell_number((socket_options(s) & switches[i].bit) != 0, arg);
    i = find_number(level, (uint32_t)arg[2]);
    return i < ARRAY_LEN(numbers) ? tell_number(numbers[i].told, arg) : -K_ENOPROTOOPT;
}

static int tell_socket(struct socket *s, const uint64_t arg[6]) {
    switch ((uint32_t)arg[2]) {
    case SO_TYPE: return tell_number((int32_t)socket_type(s), arg);
    case SO_ERROR: return tell_number(-socket_take_error(s), arg);
    case SO_SNDBUF: return tell_number((int32_t)socket_room(s), arg);
    case SO_RCVBUF: return tell_number((int32_t)socket_in_room(s), arg);
    case SO_ACCEPTCONN: return tell_number(socket_listens(s), arg);
    case SO_DOMAIN: return tell_number(linux_socket_domain(s), arg);
    case SO_PROTOCOL: return tell_number(linux_socket_protocol(s), arg);
    case SO_PASSCRED: return tell_number(socket_tells_sender(s), arg);
    case SO_PEERCRED: return tell_peer(s, arg);
    case SO_RCVTIMEO: return tell_patience(s, false, arg);
    case SO_SNDTIMEO: return tell_patience(s, true, arg);
    case SO_LINGER: return tell_linger(s, arg);
    default: return tell_other(s, SOL_SOCKET, arg);
    }
}

static int get(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    uint32_t level = (uint32_t)arg[1];
    if (!s)
        return -K_ENOTSOCK;
    int err = check_level(s, level);
    if (err)
        return err;
    return level == SOL_SOCKET ? tell_socket(s, arg) : tell_other(s, level, arg);
}

/* ---- set ---- */

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

static int set_linger(struct socket *s, const uint64_t arg[6]) {
    int32_t on_seconds[2];
    if ((uint32_t)arg[4] < sizeof(on_seconds))
        return -K_EINVAL;
    int err = copyin(on_seconds, UA(arg[3]), sizeof(on_seconds));
    if (!err)
        __atomic_store_n(socket_linger(s), on_seconds[0] ? MAX(on_seconds[1], 0) : -1,
                         __ATOMIC_RELAXED);
    return err;
}

/* To an interface, of which there is one; no name: to any. */
static int bind_to_device(const uint64_t arg[6]) {
    char name[sizeof(LOOPBACK_NAME)] = {0};
    int err = copyin(name, UA(arg[3]), MIN((uint32_t)arg[4], sizeof(name)));
    return err ? err : !name[0] || !memcmp(name, LOOPBACK_NAME, sizeof(name)) ? 0 : -K_ENODEV;
}

/* Memory: Linux counts what it needs besides the bytes as much again. */
static uint32_t twice(int32_t n) { return MIN((uint32_t)n, (uint32_t)INT32_MAX / 2) * 2; }

static int set_other(struct socket *s, uint32_t level, uint32_t what, int32_t n) {
    unsigned i = find_switch(level, what);
    if (i < ARRAY_LEN(switches))
        return socket_set_option(s, switches[i].bit, n != 0);
    i = find_number(level, what);
    return i < ARRAY_LEN(numbers) ? 0 : -K_ENOPROTOOPT;
}

static int set_number(struct socket *s, uint32_t level, uint32_t what, int32_t n) {
    if (level != SOL_SOCKET)
        return set_other(s, level, what, n);
    switch (what) {
    case SO_SNDBUFFORCE: /* the limit is the machine's */
    case SO_SNDBUF: socket_set_room(s, twice(n)); return 0;
    case SO_RCVBUFFORCE:
    case SO_RCVBUF: socket_set_in_room(s, twice(n)); return 0;
    case SO_PASSCRED: socket_set_tells_sender(s, n != 0); return 0;
    default: return set_other(s, level, what, n);
    }
}

static int set(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct socket *s = socket_of(f);
    uint32_t level = (uint32_t)arg[1], what = (uint32_t)arg[2];
    int32_t n;
    if (!s)
        return -K_ENOTSOCK;
    int err = check_level(s, level);
    if (err)
        return err;
    if (level == SOL_SOCKET && (what == SO_RCVTIMEO || what == SO_SNDTIMEO))
        return set_patience(s, what == SO_SNDTIMEO, arg);
    if (level == SOL_SOCKET && what == SO_LINGER)
        return set_linger(s, arg);
    if (level == SOL_SOCKET && what == SO_BINDTODEVICE)
        return bind_to_device(arg);
    if ((uint32_t)arg[4] < sizeof(n))
        return -K_EINVAL;
    err = copyin(&n, UA(arg[3]), sizeof(n));
    return err ? err : set_number(s, level, what, n);
}

int linux_getsockopt(const uint64_t arg[6], uint64_t *result) { return fd_call(get, arg, result); }
int linux_setsockopt(const uint64_t arg[6], uint64_t *result) { return fd_call(set, arg, result); }
