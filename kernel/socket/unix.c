/* The sockets of paths and names (AF_UNIX). */
#include "lib/errno.h"
#include "lib/string.h"
#include "socket/sock.h"
#include "vfs/names.h"

static int bind_path(struct socket *s, struct node *start, const struct socket_address *a,
                     uint16_t mode) {
    const struct node_kind kind = {.type = NODE_SOCKET, .mode = mode};
    struct node *n;
    int err = names_create_new(start, a->bytes, &kind, &n);
    if (err)
        return err == -K_EEXIST ? -K_EADDRINUSE : err;
    err = name_enter(s, a, n);
    node_put(n);
    return err;
}

static int unix_bind(struct socket *s, struct node *start, const struct socket_address *a,
                     uint16_t mode) {
    if (a->length == 0)
        return name_enter_any(s);
    return a->bytes[0] ? bind_path(s, start, a, mode) : name_enter(s, a, NULL);
}

/* Of one that was accepted it is that of the one that listened. The length comes last, and nothing
 * changes then, so no lock is needed to see all of it, or nothing. */
static void unix_name(struct socket *s, struct socket_address *a) {
    a->length = __atomic_load_n(&s->place.address.length, __ATOMIC_ACQUIRE);
    if (a->length)
        memcpy(a->bytes, s->place.address.bytes, sizeof(a->bytes));
}

static void unix_sender(const struct message *m, struct socket_address *a) {
    unix_name(m->from, a);
}

static int unix_peer_name(struct socket *s, struct socket_address *a) {
    struct socket *peer = socket_peer(s);
    if (!peer)
        return -K_ENOTCONN;
    unix_name(peer, a);
    socket_put(peer);
    return 0;
}

static int unix_have_address(struct socket *s) {
    struct socket_address a;
    unix_name(s, &a);
    return a.length > 0 ? 0 : -K_EINVAL;
}

/* It is found by its name in any case. */
static int unix_listen(struct socket *s) { return 0; }
static void unix_listen_end(struct socket *s) {}

static int unix_find_listener(struct socket *s, struct node *start, const struct socket_address *a,
                              struct socket **out) {
    return name_find(s->type, start, a, out);
}

static void unix_join(struct socket *s, struct socket *c, const struct socket *listener,
                      const struct socket_address *a) {
    name_set(c, &listener->place.address);
}

/* ---- connections of datagrams ---- */

static int set_peer(struct socket *s, struct socket *peer) {
    spin_lock(&s->lock);
    struct socket *before = s->peer;
    s->peer = peer ? socket_get(peer) : NULL;
    s->state = peer ? SOCKET_CONNECTED : SOCKET_IDLE;
    spin_unlock(&s->lock);
    if (before)
        socket_put(before);
    return 0;
}

/* Whether `to` takes datagrams from s. -K_EPROTOTYPE: it is of another type; -K_EPERM: it is
 * connected with another one. */
static int check_receiver(struct socket *s, struct socket *to) {
    if (to->type != s->type)
        return -K_EPROTOTYPE;
    struct socket *its = socket_peer(to);
    if (its)
        socket_put(its);
    return its && its != s ? -K_EPERM : 0;
}

static int unix_find_receiver(struct socket *s, struct node *start, const struct socket_address *a,
                              struct socket **out, struct inet_end *source) {
    if (!a) {
        *out = socket_peer(s);
        return *out ? 0 : -K_ENOTCONN;
    }
    int err = name_find(s->type, start, a, out);
    if (err)
        return err;
    err = check_receiver(s, *out);
    if (err)
        socket_put(*out);
    return err;
}

static int unix_aim(struct socket *s, struct node *start, const struct socket_address *a) {
    struct socket *to = NULL;
    struct inet_end none;
    int err = a ? unix_find_receiver(s, start, a, &to, &none) : 0;
    if (err)
        return err;
    err = set_peer(s, to);
    if (to)
        socket_put(to);
    return err;
}

const struct socket_family socket_unix = {
    .bind = unix_bind,
    .have_address = unix_have_address,
    .listen_locked = unix_listen,
    .listen_end_locked = unix_listen_end,
    .find_listener = unix_find_listener,
    .join = unix_join,
    .find_receiver = unix_find_receiver,
    .aim = unix_aim,
    .name = unix_name,
    .sender = unix_sender,
    .peer_name = unix_peer_name,
    .leave = name_leave,
    .carries = true,
    .idle_read = -K_EINVAL,
    .idle_write = -K_ENOTCONN,
};
