/* What /proc/net says of sockets, and of the one interface. */
#include "lib/string.h"
#include "proc/sched.h"
#include "procfs/contents.h"
#include "socket/loopback.h"
#include "socket/socket.h"

/* The next one of this family and type; NULL: of any type. */
static struct socket *next_of(struct socket *s, const struct socket_family *family,
                              const enum socket_type *type) {
    do {
        s = socket_next(s);
        sched_break(); /* there may be thousands */
    } while (s && (socket_family(s) != family || (type && socket_type(s) != *type)));
    return s;
}

/* ---- TCP and UDP ---- */

/* Words of four bytes in the machine's order, as Linux prints them. */
static void put_end(struct text *t, const struct socket_address *a, bool v6) {
    const uint8_t *ip = a->inet.ip + (v6 ? 0 : INET_V4_AT);
    for (unsigned i = 0; i < (v6 ? 4 : 1); i++, ip += 4)
        text_print(t, "%02X%02X%02X%02X", ip[3], ip[2], ip[1], ip[0]);
    text_print(t, ":%04X ", a->inet.port);
}

/* Numbers of states that a connection has there. */
static unsigned state_of(enum socket_phase phase) {
    switch (phase) {
    case SOCKET_LISTENS: return 10;
    case SOCKET_CONNECTS: return 2;
    case SOCKET_BOTH_WAYS: return 1;
    case SOCKET_SENDS: return 8;
    case SOCKET_RECEIVES: return 5;
    default: return 7;
    }
}

static void put_inet(struct text *t, unsigned i, const struct socket_about *a, bool v6) {
    text_print(t, "%4u: ", i);
    put_end(t, &a->name, v6);
    put_end(t, &a->peer, v6);
    text_print(t, "%02X %08X:%08X 00:00000000 00000000     0        0 %u %u 0\n",
               state_of(a->phase), (unsigned)a->out_memory, (unsigned)a->in_bytes, a->number,
               a->refs);
}

static void put_head(struct text *t, bool v6) {
    text_print(t, v6 ? "  sl  %-37s %-37s" : "  sl  %-13s %-13s", "local_address", "rem_address");
    text_print(t, " st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
}

/* Of TCP, who is connected or listens; of UDP, who has an address. */
static int put_all(struct text *t, const struct socket_family *family, enum socket_type type) {
    bool v6 = family == &socket_inet6;
    struct socket_about a;
    unsigned n = 0;
    put_head(t, v6);
    for (struct socket *s = NULL; (s = next_of(s, family, &type));) {
        socket_about(s, &a);
        if (a.name.length && (type == SOCKET_DATAGRAM || a.phase != SOCKET_CLOSED))
            put_inet(t, n++, &a, v6);
    }
    return 0;
}

static int tcp(struct text *t, int32_t pid, int32_t tid) {
    return put_all(t, &socket_inet, SOCKET_STREAM);
}
static int tcp6(struct text *t, int32_t pid, int32_t tid) {
    return put_all(t, &socket_inet6, SOCKET_STREAM);
}
static int udp(struct text *t, int32_t pid, int32_t tid) {
    return put_all(t, &socket_inet, SOCKET_DATAGRAM);
}
static int udp6(struct text *t, int32_t pid, int32_t tid) {
    return put_all(t, &socket_inet6, SOCKET_DATAGRAM);
}

/* There are none. */
static int raw(struct text *t, int32_t pid, int32_t tid) {
    put_head(t, false);
    return 0;
}
static int raw6(struct text *t, int32_t pid, int32_t tid) {
    put_head(t, true);
    return 0;
}

/* ---- AF_UNIX ---- */

#define ACCEPTS 0x10000u

/* A name in no file system has @ where bytes are 0. */
static void put_name(struct text *t, const struct socket_address *a) {
    if (a->length > 0)
        text_byte(t, ' ');
    for (unsigned i = 0; i < a->length; i++)
        text_byte(t, a->bytes[i] ? a->bytes[i] : '@');
}

static int local(struct text *t, int32_t pid, int32_t tid) {
    struct socket_about a;
    text_print(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    for (struct socket *s = NULL; (s = next_of(s, &socket_unix, NULL));) {
        socket_about(s, &a);
        bool listens = a.phase == SOCKET_LISTENS;
        unsigned state = a.phase >= SOCKET_BOTH_WAYS ? 3 : a.phase == SOCKET_CONNECTS ? 2 : 1;
        text_print(t, "%08x: %08X 00000000 %08X %04X %02X %5u", a.number, a.refs,
                   listens ? ACCEPTS : 0, (unsigned)socket_type(s), state, a.number);
        put_name(t, &a.name);
        text_byte(t, '\n');
    }
    return 0;
}

/* ---- the interface ---- */

/* Nobody counts what goes through it. */
static int dev(struct text *t, int32_t pid, int32_t tid) {
    text_print(t, "Inter-|   Receive                                                |  Transmit\n");
    text_print(t, " face |bytes    packets errs drop fifo frame compressed multicast|"
                  "bytes    packets errs drop fifo colls carrier compressed\n");
    text_print(t, "%6s:", LOOPBACK_NAME);
    for (unsigned i = 0; i < 16; i++)
        text_print(t, " 0");
    text_byte(t, '\n');
    return 0;
}

static int route(struct text *t, int32_t pid, int32_t tid) {
    text_print(t, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t"
                  "Window\tIRTT\n");
    return 0;
}

static int if_inet6(struct text *t, int32_t pid, int32_t tid) {
    text_print(t, "00000000000000000000000000000001 %02x 80 10 80 %8s\n", LOOPBACK_INDEX,
               LOOPBACK_NAME);
    return 0;
}

const struct contents net_contents[] = {
    {"tcp", tcp},   {"tcp6", tcp6},  {"udp", udp}, {"udp6", udp6},   {"raw", raw},
    {"raw6", raw6}, {"unix", local}, {"dev", dev}, {"route", route}, {"if_inet6", if_inet6},
};
const unsigned net_contents_count = ARRAY_LEN(net_contents);
