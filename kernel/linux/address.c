/* Addresses of sockets as Linux's programs have them: one structure for each family. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/socket.h"
#include "mm/uaccess.h"

#define SOCKADDR_MOST 128 /* bytes of any family's */
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

/* The family, and what follows it. */
struct sockaddr_un {
    uint16_t family;
    char path[SOCKET_NAME];
};
#define FAMILY_BYTES offsetof(struct sockaddr_un, path)

/* Ports, and addresses of IPv4, are in the network's order of bytes. */
struct sockaddr_in {
    uint16_t family;
    uint8_t port[2], ip[4], pad[8];
};
_Static_assert(sizeof(struct sockaddr_in) == 16, "struct sockaddr_in");

/* As old as RFC 2133 it has no scope. */
struct sockaddr_in6 {
    uint16_t family;
    uint8_t port[2];
    uint32_t flow;
    uint8_t ip[INET_BYTES];
    uint32_t scope; /* one machine has one */
};
#define IN6_LEAST offsetof(struct sockaddr_in6, scope)

/* groups: whose messages it wants; nobody sends any. */
struct sockaddr_nl {
    uint16_t family, pad;
    uint32_t pid, groups;
};

union sockaddr {
    uint16_t family;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_nl nl;
};

/* ---- to and from the kernel's ---- */

static int read_un(const union sockaddr *raw, size_t bytes, struct socket_address *a) {
    size_t length = bytes - FAMILY_BYTES;
    if (bytes > sizeof(raw->un))
        return -K_EINVAL;
    memcpy(a->bytes, raw->un.path, length);
    a->length = (uint8_t)(length > 0 && a->bytes[0] ? strnlen(a->bytes, length) : length);
    return 0;
}

/* A path is told with its terminator. */
static uint32_t tell_un(union sockaddr *raw, const struct socket_address *a) {
    uint32_t bytes = (uint32_t)(FAMILY_BYTES + a->length);
    memcpy(raw->un.path, a->bytes, a->length);
    return bytes + (a->length > 0 && a->bytes[0] && a->length < SOCKET_NAME);
}

static uint16_t read_port(const uint8_t port[2]) { return (uint16_t)(port[0] << 8 | port[1]); }

static void tell_port(uint8_t told[2], uint16_t port) {
    told[0] = (uint8_t)(port >> 8);
    told[1] = (uint8_t)port;
}

static int read_in(const union sockaddr *raw, size_t bytes, struct socket_address *a) {
    if (bytes < sizeof(raw->in))
        return -K_EINVAL;
    a->length = sizeof(a->inet);
    a->inet.port = read_port(raw->in.port);
    a->inet.ip[INET_V4_AT - 2] = a->inet.ip[INET_V4_AT - 1] = 0xff;
    memcpy(a->inet.ip + INET_V4_AT, raw->in.ip, sizeof(raw->in.ip));
    return 0;
}

static uint32_t tell_in(union sockaddr *raw, const struct socket_address *a) {
    tell_port(raw->in.port, a->inet.port);
    memcpy(raw->in.ip, a->inet.ip + INET_V4_AT, sizeof(raw->in.ip));
    return sizeof(raw->in);
}

static int read_in6(const union sockaddr *raw, size_t bytes, struct socket_address *a) {
    if (bytes < IN6_LEAST)
        return -K_EINVAL;
    a->length = sizeof(a->inet);
    a->inet.port = read_port(raw->in6.port);
    memcpy(a->inet.ip, raw->in6.ip, INET_BYTES);
    return 0;
}

static uint32_t tell_in6(union sockaddr *raw, const struct socket_address *a) {
    tell_port(raw->in6.port, a->inet.port);
    memcpy(raw->in6.ip, a->inet.ip, INET_BYTES);
    return sizeof(raw->in6);
}

static int read_nl(const union sockaddr *raw, size_t bytes, struct socket_address *a) {
    if (bytes < sizeof(raw->nl))
        return -K_EINVAL;
    a->length = sizeof(a->netlink);
    a->netlink.pid = raw->nl.pid;
    return 0;
}

static uint32_t tell_nl(union sockaddr *raw, const struct socket_address *a) {
    raw->nl.pid = a->netlink.pid;
    return sizeof(raw->nl);
}

/* ---- families ---- */

#define SOCK_RAW 3 /* netlink's: its datagrams are what others call raw */

static const struct linux_family {
    const struct socket_family *family;
    uint16_t number;
    /* a is all zeros; raw has so many bytes, and zeros behind them. */
    int (*read)(const union sockaddr *raw, size_t bytes, struct socket_address *a);
    /* raw is all zeros; how many bytes it has. */
    uint32_t (*tell)(union sockaddr *raw, const struct socket_address *a);
    uint32_t types;            /* a bit for each */
    uint32_t stream, datagram; /* the protocol of these, beside 0 */
} families[] = {
    {&socket_unix, AF_UNIX, read_un, tell_un,
     1u << SOCKET_STREAM | 1u << SOCKET_DATAGRAM | 1u << SOCKET_SEQPACKET, AF_UNIX, AF_UNIX},
    {&socket_inet, AF_INET, read_in, tell_in, 1u << SOCKET_STREAM | 1u << SOCKET_DATAGRAM,
     IPPROTO_TCP, IPPROTO_UDP},
    {&socket_inet6, AF_INET6, read_in6, tell_in6, 1u << SOCKET_STREAM | 1u << SOCKET_DATAGRAM,
     IPPROTO_TCP, IPPROTO_UDP},
    {&socket_netlink, AF_NETLINK, read_nl, tell_nl, 1u << SOCKET_DATAGRAM | 1u << SOCK_RAW, 0, 0},
};

static const struct linux_family *linux_family_of(const struct socket *s) {
    const struct linux_family *f = families;
    while (f->family != socket_family(s))
        f++;
    return f;
}

int linux_socket_kind(uint64_t number, uint32_t type, uint64_t protocol,
                      const struct socket_family **out, enum socket_type *kind) {
    const struct linux_family *f = families;
    while (f < families + ARRAY_LEN(families) && f->number != (uint32_t)number)
        f++;
    if (f == families + ARRAY_LEN(families))
        return -K_EAFNOSUPPORT;
    if (!(f->types >> type & 1))
        return -K_ESOCKTNOSUPPORT;
    if ((uint32_t)protocol &&
        (uint32_t)protocol != (type == SOCKET_STREAM ? f->stream : f->datagram))
        return -K_EPROTONOSUPPORT;
    *out = f->family;
    *kind = type == SOCK_RAW ? SOCKET_DATAGRAM : (enum socket_type)type;
    return 0;
}

int32_t linux_socket_domain(const struct socket *s) { return linux_family_of(s)->number; }

int32_t linux_socket_protocol(const struct socket *s) {
    if (socket_family(s) == &socket_unix)
        return 0;
    const struct linux_family *f = linux_family_of(s);
    return (int32_t)(socket_type(s) == SOCKET_STREAM ? f->stream : f->datagram);
}

/* ---- in user memory ---- */

int linux_address(const struct socket *s, uint64_t at, uint64_t bytes, struct socket_address *a) {
    const struct linux_family *f = linux_family_of(s);
    union sockaddr raw;
    memset(&raw, 0, sizeof(raw));
    memset(a, 0, sizeof(*a));
    if ((uint32_t)bytes < sizeof(raw.family) || (uint32_t)bytes > SOCKADDR_MOST)
        return -K_EINVAL;
    size_t taken = MIN((uint32_t)bytes, sizeof(raw));
    int err = copyin(&raw, UA(at), taken);
    if (err)
        return err;
    if (raw.family != f->number)
        return raw.family == LINUX_AF_UNSPEC ? -K_EINVAL : -K_EAFNOSUPPORT;
    return f->read(&raw, (uint32_t)bytes, a);
}

int linux_tell_address(const struct socket *s, const struct socket_address *a, uint64_t at,
                       uint64_t bytes_at) {
    const struct linux_family *f = linux_family_of(s);
    union sockaddr raw;
    uint32_t room;
    memset(&raw, 0, sizeof(raw));
    raw.family = f->number;
    uint32_t bytes = f->tell(&raw, a);
    int err = copyin(&room, UA(bytes_at), sizeof(room));
    if (!err && (int32_t)room < 0)
        err = -K_EINVAL;
    if (!err)
        err = copyout(UA(at), &raw, MIN(room, bytes));
    return err ? err : copyout(UA(bytes_at), &bytes, sizeof(bytes));
}

int linux_tell_sender(const struct socket *s, const struct socket_address *a, uint64_t at,
                      uint64_t bytes_at) {
    static const uint32_t none = 0;
    return a->length ? linux_tell_address(s, a, at, bytes_at)
                     : copyout(UA(bytes_at), &none, sizeof(none));
}
