/* Addresses and connections: from a socket's address to its end.
 *
 * A connection is made by who connects: the other end is a socket that waits in the queue of the
 * one that listens, and can be written to from then on. accept gives it a file. Whoever closes one
 * that listens closes all that wait there. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pieces.h"
#include "socket/flight.h"
#include "vfs/names.h"

/* ---- addresses ---- */

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

static bool has_address(struct socket *s) {
    struct socket_address a;
    socket_name(s, &a);
    return a.length > 0;
}

int socket_bind(struct socket *s, struct node *start, const struct socket_address *a,
                uint16_t mode) {
    int err = name_claim(s); /* before a node is made, which would be left */
    if (err)
        return err;
    if (a->length == 0)
        err = name_enter_any(s);
    else
        err = a->bytes[0] ? bind_path(s, start, a, mode) : name_enter(s, a, NULL);
    name_claim_end(s);
    return err;
}

/* Of one that was accepted it is that of the one that listened. */
void socket_name(struct socket *s, struct socket_address *a) { *a = s->place.address; }

int socket_peer_name(struct socket *s, struct socket_address *a) {
    struct socket *peer = socket_peer(s);
    if (!peer)
        return -K_ENOTCONN;
    socket_name(peer, a);
    socket_put(peer);
    return 0;
}

/* ---- listen, accept ---- */

int socket_listen(struct socket *s, uint32_t backlog) {
    if (s->type == SOCKET_DATAGRAM)
        return -K_ENOTSUP;
    bool has = has_address(s);
    spin_lock(&s->lock);
    bool may = has && (s->state == SOCKET_IDLE || s->state == SOCKET_LISTENING);
    if (may) {
        s->state = SOCKET_LISTENING;
        s->backlog = backlog;
        s->pid = proc_self()->pid;
        socket_changed_locked(s);
    }
    spin_unlock(&s->lock);
    return may ? 0 : -K_EINVAL;
}

/* The first of those that wait, with their reference. */
static int next_pending(struct socket *s, bool waits, struct socket **out) {
    struct socket_wait w = socket_wait_begin(s, waits, false);
    spin_lock(&s->lock);
    int err = s->state == SOCKET_LISTENING ? 0 : -K_EINVAL;
    while (!err && list_empty(&s->pending))
        err = socket_wait_locked(s, &s->readers, &w);
    if (!err) {
        *out = LIST_ENTRY(list_pop_front(&s->pending), struct socket, pending);
        s->waiting--;
        wakeup(&s->writers);
    }
    spin_unlock(&s->lock);
    socket_wait_end(&w);
    return err;
}

int socket_accept(struct socket *s, bool waits, struct file *f) {
    struct socket *c = NULL;
    if (s->type == SOCKET_DATAGRAM)
        return -K_ENOTSUP;
    int err = next_pending(s, waits, &c);
    if (!err)
        socket_open(c, f);
    return err;
}

/* ---- connect ---- */

/* From this state to that one. The error is that of a connect which finds another. */
static int change_state(struct socket *s, enum socket_state from, enum socket_state to) {
    spin_lock(&s->lock);
    int err = s->state == from                ? 0
              : s->state == SOCKET_CONNECTED  ? -K_EISCONN
              : s->state == SOCKET_CONNECTING ? -K_EALREADY
                                              : -K_EINVAL;
    if (!err)
        s->state = to;
    spin_unlock(&s->lock);
    return err;
}

/* Puts c, whose reference it takes over, among those that wait at the one that listens. */
static int wait_for_accept(struct socket *listener, struct socket *s, struct socket *c,
                           bool waits) {
    struct socket_wait w = socket_wait_begin(s, waits, true);
    spin_lock(&listener->lock);
    int err = 0;
    while (!err && !listener->closed && listener->waiting > listener->backlog)
        err = socket_wait_locked(listener, &listener->writers, &w);
    if (!err && (listener->closed || listener->state != SOCKET_LISTENING))
        err = -K_ECONNREFUSED;
    if (!err) {
        list_push_back(&listener->pending, &c->pending);
        listener->waiting++;
        wakeup(&listener->readers);
        watched_changed(&listener->watched);
    }
    spin_unlock(&listener->lock);
    socket_wait_end(&w);
    return err;
}

/* The other end of s, as the one that listens has it. NULL: no memory. */
static struct socket *other_end(struct socket *s, struct socket *listener) {
    struct socket *c = socket_new(s->type);
    if (!c)
        return NULL;
    c->state = SOCKET_CONNECTED;
    c->pid = listener->pid;
    c->place.address = listener->place.address;
    c->peer = socket_get(s);
    return c;
}

static void connected(struct socket *s, struct socket *c) {
    spin_lock(&s->lock);
    s->state = SOCKET_CONNECTED;
    s->peer = c;
    s->pid = proc_self()->pid;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
}

static int connect_to(struct socket *s, struct socket *listener, bool waits) {
    if (listener->type != s->type)
        return -K_EPROTOTYPE;
    int err = change_state(s, SOCKET_IDLE, SOCKET_CONNECTING);
    if (err)
        return err;
    struct socket *c = other_end(s, listener);
    err = c ? wait_for_accept(listener, s, socket_get(c), waits) : -K_ENOBUFS;
    if (!err) {
        connected(s, c);
        return 0;
    }
    (void)!change_state(s, SOCKET_CONNECTING, SOCKET_IDLE);
    if (c) {
        socket_put(c);
        socket_put(c);
    }
    return err;
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

int socket_check_receiver(struct socket *s, struct socket *to) {
    if (to->type != s->type)
        return -K_EPROTOTYPE;
    struct socket *its = socket_peer(to);
    if (its)
        socket_put(its);
    return its && its != s ? -K_EPERM : 0;
}

static int aim_at(struct socket *s, struct socket *peer) {
    int err = socket_check_receiver(s, peer);
    return err ? err : set_peer(s, peer);
}

int socket_connect(struct socket *s, struct node *start, const struct socket_address *a,
                   bool waits) {
    struct socket *other;
    bool stream = s->type != SOCKET_DATAGRAM;
    if (!a)
        return stream ? -K_EINVAL : set_peer(s, NULL);
    int err = name_find(s->type, start, a, &other);
    if (err)
        return err;
    err = stream ? connect_to(s, other, waits) : aim_at(s, other);
    socket_put(other);
    return err;
}

/* ---- the end ---- */

/* One end is shut: what that means for this one. */
static void end(struct socket *s, bool in, bool out, int err) {
    spin_lock(&s->lock);
    s->in_ended |= in;
    s->out_ended |= out;
    if (err)
        s->error = err;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
}

int socket_shutdown(struct socket *s, unsigned which) {
    bool in = which & SOCKET_SHUT_IN, out = which & SOCKET_SHUT_OUT;
    struct socket *peer = socket_peer(s);
    if (!peer)
        return -K_ENOTCONN;
    end(s, in, out, 0);
    if (s->type != SOCKET_DATAGRAM)
        end(peer, out, in, 0);
    socket_put(peer);
    return 0;
}

/* What is left in a socket that was closed. */
struct leftovers {
    struct list in, pending;
    struct socket *peer;
};

static void move_list(struct list *to, struct list *from) {
    list_init(to);
    if (list_empty(from))
        return;
    list_insert(to, from->prev, from->next);
    list_init(from);
}

static void take_all(struct socket *s, struct leftovers *l) {
    spin_lock(&s->lock);
    s->closed = s->in_ended = s->out_ended = true;
    move_list(&l->in, &s->in);
    move_list(&l->pending, &s->pending);
    s->in_bytes = 0;
    s->waiting = 0;
    l->peer = s->peer;
    s->peer = NULL;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
}

static void drop_messages(struct socket *s, struct list *in) {
    for (struct list *link; (link = list_pop_front(in));) {
        struct message *m = LIST_ENTRY(link, struct message, link);
        if (m->files)
            flight_drop(s, m->files);
        m->files = NULL;
        socket_message_done(m);
        piece_done(PIECE_FREED); /* there may be thousands */
    }
}

/* The other end of a stream sees the end, and the error, if there is one: there is also if
 * something was not read here. */
static void close_one(struct socket *s, struct list *pending, int err) {
    struct leftovers l;
    name_leave(s);
    take_all(s, &l);
    if (l.peer && s->type != SOCKET_DATAGRAM)
        end(l.peer, true, true, list_empty(&l.in) ? err : -K_ECONNRESET);
    drop_messages(s, &l.in);
    if (l.peer)
        socket_put(l.peer);
    while (!list_empty(&l.pending))
        list_push_back(pending, list_pop_front(&l.pending));
    socket_put(s);
}

/* What waits for accept listens nowhere, so there is one level of it. */
void socket_close(struct socket *s) {
    struct list pending, none;
    list_init(&pending);
    list_init(&none);
    close_one(s, &pending, 0);
    for (struct list *link; (link = list_pop_front(&pending));) {
        struct socket *c = LIST_ENTRY(link, struct socket, pending);
        close_one(c, &none, -K_ECONNRESET);
        piece_done(PIECE_FREED);
    }
}
