/* TCP and UDP from this machine to itself: the ends are 127.0.0.0/8 and ::1, and there are no
 * others. Bytes and datagrams go from socket to socket as all do; nothing is lost on the way, so
 * there are no packets, windows or times. */
#include "lib/errno.h"
#include "lib/string.h"
#include "socket/port.h"

#define V4_PREFIX 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
static const uint8_t here_v4[INET_BYTES] = {V4_PREFIX, 127, 0, 0, 1};
static const uint8_t here_v6[INET_BYTES] = {[INET_BYTES - 1] = 1};

static const uint8_t *here(bool v4) { return v4 ? here_v4 : here_v6; }

static bool only_v6(const struct socket *s) {
    return __atomic_load_n(&s->options, __ATOMIC_RELAXED) & SOCKET_ONLY_V6;
}

static int inet_bind(struct socket *s, struct node *start, const struct socket_address *a,
                     uint16_t mode) {
    const struct inet_end *end = &a->inet;
    if (!inet_is_any(end->ip) && !inet_is_here(end->ip))
        return -K_EADDRNOTAVAIL;
    if (only_v6(s) && inet_is_v4(end->ip))
        return -K_EINVAL;
    if (end->port)
        return port_enter(s, end);
    int err = port_enter_any(s, end->ip);
    return err ? -K_EADDRINUSE : 0;
}

/* One that has no address gets one, there. */
static int have_port(struct socket *s, const uint8_t ip[INET_BYTES]) {
    struct inet_end end;
    if (port_has(s, &end))
        return 0;
    int err = name_claim(s);
    if (err) /* another thread is faster */
        return port_has(s, &end) ? 0 : -K_EALREADY;
    err = port_enter_any(s, ip);
    name_claim_end(s);
    return err;
}

/* What s has as its end, seen from there: an address in place of all. */
static void end_of(struct socket *s, const uint8_t there[INET_BYTES], struct inet_end *end) {
    if (port_has(s, end) && inet_is_any(end->ip))
        memcpy(end->ip, here(inet_is_v4(there)), INET_BYTES);
}

/* Where something goes that s sends to a; s has an end then. */
static int route(struct socket *s, const struct inet_end *a, struct inet_end *to) {
    struct inet_end mine;
    *to = *a;
    bool v4 = inet_is_v4(a->ip);
    if (inet_is_any(a->ip))
        memcpy(to->ip, here(v4), INET_BYTES);
    if (!inet_is_here(to->ip) || (v4 && only_v6(s)))
        return -K_ENETUNREACH;
    int err = have_port(s, here(v4));
    if (err)
        return err;
    end_of(s, to->ip, &mine);
    return inet_is_v4(mine.ip) == v4 ? 0 : -K_ENETUNREACH;
}

/* ---- TCP ---- */

static int inet_have_address(struct socket *s) { return have_port(s, s->family->any); }

static int inet_find_listener(struct socket *s, struct node *start, const struct socket_address *a,
                              struct socket **out) {
    struct inet_end to, from;
    int err = route(s, &a->inet, &to);
    if (err)
        return err;
    end_of(s, to.ip, &from);
    *out = port_find(SOCKET_STREAM, &to, &from);
    return *out ? 0 : -K_ECONNREFUSED;
}

/* What was set of the one that listens is so of those that it accepts. */
static void inherit(struct socket *c, const struct socket *listener) {
    c->options = __atomic_load_n(&listener->options, __ATOMIC_RELAXED);
    c->linger = __atomic_load_n(&listener->linger, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < ARRAY_LEN(c->patience); i++)
        c->patience[i] = __atomic_load_n(&listener->patience[i], __ATOMIC_RELAXED);
    c->room = __atomic_load_n(&listener->room, __ATOMIC_RELAXED);
    c->in_room = __atomic_load_n(&listener->in_room, __ATOMIC_RELAXED);
}

/* The way there was found before. */
static void inet_join(struct socket *s, struct socket *c, const struct socket *listener,
                      const struct socket_address *a) {
    inherit(c, listener);
    struct inet_end to, from;
    (void)!route(s, &a->inet, &to);
    end_of(s, to.ip, &from);
    port_connected(c, &to, &from);
    port_aim(s, &to);
}

/* ---- UDP ---- */

static int inet_find_receiver(struct socket *s, struct node *start, const struct socket_address *a,
                              struct socket **out, struct inet_end *source) {
    struct inet_end remote, to;
    if (!a && !port_remote(s, &remote))
        return -K_EDESTADDRREQ;
    int err = route(s, a ? &a->inet : &remote, &to);
    if (err)
        return err;
    if (to.port == 0)
        return -K_EINVAL;
    end_of(s, to.ip, source);
    *out = port_find(SOCKET_DATAGRAM, &to, source);
    return 0;
}

static int inet_aim(struct socket *s, struct node *start, const struct socket_address *a) {
    struct inet_end to;
    int err = a ? route(s, &a->inet, &to) : 0;
    if (err)
        return err;
    port_aim(s, a ? &to : NULL);
    spin_lock(&s->lock);
    s->state = a ? SOCKET_CONNECTED : SOCKET_IDLE;
    s->error = 0;
    spin_unlock(&s->lock);
    return 0;
}

/* ---- names ---- */

/* One that is at any address, and connected, is at the one that it has for the other end. */
static void inet_name(struct socket *s, struct socket_address *a) {
    struct inet_end remote;
    *a = (struct socket_address){.length = 0};
    if (!port_has(s, &a->inet))
        return;
    a->length = sizeof(a->inet);
    if (port_remote(s, &remote))
        end_of(s, remote.ip, &a->inet);
}

static int inet_peer_name(struct socket *s, struct socket_address *a) {
    *a = (struct socket_address){.length = sizeof(a->inet)};
    return port_remote(s, &a->inet) ? 0 : -K_ENOTCONN;
}

/* Of TCP there is no source. */
static void inet_sender(const struct message *m, struct socket_address *a) {
    *a = (struct socket_address){.length = m->source.port ? sizeof(a->inet) : 0};
    a->inet = m->source;
}

/* Those of both versions differ in the address that is all of them. */
#define INET_FAMILY(...) \
    { \
        .bind = inet_bind, .have_address = inet_have_address, .listen_locked = port_listen, \
        .listen_end_locked = port_listen_end, .find_listener = inet_find_listener, \
        .join = inet_join, .find_receiver = inet_find_receiver, .aim = inet_aim, \
        .name = inet_name, .sender = inet_sender, .peer_name = inet_peer_name, \
        .leave = port_leave, .one_way = true, .drops = true, .errors = true, \
        .idle_read = -K_ENOTCONN, .idle_write = -K_EPIPE, .more_waiting = 128, .later = true, \
        .longest = 65507, .any = {__VA_ARGS__}, \
    }
const struct socket_family socket_inet = INET_FAMILY(V4_PREFIX);
const struct socket_family socket_inet6 = INET_FAMILY(0);
