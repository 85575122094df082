/* Addresses and connections: from a socket's address to its end.
 *
 * A connection is made by who connects: the other end is a socket that waits in the queue of the
 * one that listens, and can be written to from then on. accept gives it a file. Whoever closes one
 * that listens closes all that wait there. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pieces.h"
#include "socket/flight.h"

/* ---- addresses ---- */

int socket_bind(struct socket *s, struct node *start, const struct socket_address *a,
                uint16_t mode) {
    int err = name_claim(s); /* before a node is made, which would be left */
    if (err)
        return err;
    err = s->family->bind(s, start, a, mode);
    name_claim_end(s);
    return err;
}

void socket_name(struct socket *s, struct socket_address *a) { s->family->name(s, a); }

static bool is_in_state(struct socket *s, enum socket_state state) {
    spin_lock(&s->lock);
    bool is = s->state == state;
    spin_unlock(&s->lock);
    return is;
}

int socket_peer_name(struct socket *s, struct socket_address *a) {
    return is_in_state(s, SOCKET_CONNECTED) ? s->family->peer_name(s, a) : -K_ENOTCONN;
}

/* ---- listen, accept ---- */

/* Each that waits takes memory of the machine's, and nothing of who has connected, and closed. */
#define BACKLOG_MOST 4096u

/* Whether it listens and whether it can be found change together: another thread may shut it. */
static int begin_listening(struct socket *s, uint32_t backlog) {
    spin_lock(&s->lock);
    bool may = s->state == SOCKET_IDLE || s->state == SOCKET_LISTENING;
    int err = may ? s->family->listen_locked(s) : -K_EINVAL;
    if (!err) {
        s->state = SOCKET_LISTENING;
        s->backlog = MIN(backlog, BACKLOG_MOST);
        s->pid = proc_self()->pid;
        socket_changed_locked(s);
    }
    spin_unlock(&s->lock);
    return err;
}

int socket_listen(struct socket *s, uint32_t backlog) {
    if (s->type == SOCKET_DATAGRAM)
        return -K_ENOTSUP;
    if (is_in_state(s, SOCKET_CONNECTED))
        return -K_EINVAL;
    int err = s->family->have_address(s);
    return err ? err : begin_listening(s, backlog);
}

/* The first of those that wait, with their reference. */
static int next_pending(struct socket *s, bool waits, struct socket **out) {
    struct socket_wait w = socket_wait_begin(s, waits, false);
    spin_lock(&s->lock);
    int err = s->state == SOCKET_LISTENING ? 0 : -K_EINVAL;
    while (!err && list_empty(&s->pending)) {
        err = s->in_ended ? -K_EINVAL : socket_wait_locked(s, &s->readers, &w);
        if (!err && s->state != SOCKET_LISTENING) /* it was shut */
            err = -K_EINVAL;
    }
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
    if (to == SOCKET_CONNECTING && !err)
        s->pid = proc_self()->pid; /* who accepts may ask before connect returns */
    spin_unlock(&s->lock);
    return err;
}

/* Puts c, whose reference it takes over, among those that wait at the one that listens. */
static int wait_for_accept(struct socket *listener, struct socket *s, struct socket *c,
                           bool waits) {
    struct socket_wait w = socket_wait_begin(s, waits, true);
    uint32_t more = waits ? 0 : s->family->more_waiting;
    spin_lock(&listener->lock);
    int err = 0;
    while (!err && !listener->closed && !listener->in_ended &&
           listener->waiting > listener->backlog + more)
        err = more ? -K_ECONNREFUSED : socket_wait_locked(listener, &listener->writers, &w);
    if (!err && (listener->closed || listener->in_ended || listener->state != SOCKET_LISTENING))
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

/* The other end of s, as the one that listens there has it. NULL: no memory. */
static struct socket *other_end(struct socket *s, struct socket *listener,
                                const struct socket_address *a) {
    struct socket *c = socket_new(listener->family, s->type);
    if (!c)
        return NULL;
    s->family->join(s, c, listener, a);
    spin_lock(&c->lock); /* it is among all sockets, so there may be who looks at it */
    c->state = SOCKET_CONNECTED;
    c->pid = listener->pid;
    c->peer = socket_get(s);
    spin_unlock(&c->lock);
    flight_wait(c, listener);
    return c;
}

static void connected(struct socket *s, struct socket *c) {
    spin_lock(&s->lock);
    s->state = SOCKET_CONNECTED;
    s->peer = c;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
}

static int connect_to(struct socket *s, struct socket *listener, const struct socket_address *a,
                      bool waits) {
    if (listener->type != s->type)
        return -K_EPROTOTYPE;
    int err = change_state(s, SOCKET_IDLE, SOCKET_CONNECTING);
    if (err)
        return err;
    struct socket *c = other_end(s, listener, a);
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

/* Before anybody is looked for: who asks whether TCP is connected by connecting it once more is
 * told of that, and not of one that does not listen any more. */
static int must_be_idle(struct socket *s) {
    spin_lock(&s->lock);
    int err = s->state == SOCKET_IDLE         ? 0
              : s->state == SOCKET_CONNECTING ? -K_EALREADY
                                              : -K_EISCONN;
    spin_unlock(&s->lock);
    return err;
}

/* How a connect that did not wait has ended, if nobody was told yet. */
static bool take_end(struct socket *s, int *err) {
    spin_lock(&s->lock);
    bool told = s->untold && (s->state == SOCKET_CONNECTED || s->error);
    s->untold = false;
    if (told) {
        *err = s->error;
        s->error = 0;
    }
    spin_unlock(&s->lock);
    return told;
}

/* It has ended, and is said to go on: so does Linux, and its programs wait for the socket. */
static int tell_later(struct socket *s, int err) {
    if (err && err != -K_ECONNREFUSED)
        return err;
    spin_lock(&s->lock);
    s->untold = true;
    if (err)
        s->error = err;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
    return -K_EINPROGRESS;
}

static int connect_now(struct socket *s, struct node *start, const struct socket_address *a,
                       bool waits) {
    struct socket *listener;
    int err = s->family->one_way ? must_be_idle(s) : 0;
    if (!err)
        err = s->family->find_listener(s, start, a, &listener);
    if (err)
        return err;
    err = connect_to(s, listener, a, waits);
    socket_put(listener);
    return err;
}

int socket_connect(struct socket *s, struct node *start, const struct socket_address *a,
                   bool waits) {
    int err;
    if (s->type == SOCKET_DATAGRAM)
        return s->family->aim(s, start, a);
    if (!a)
        return -K_EINVAL;
    if (s->family->later && take_end(s, &err))
        return err;
    err = connect_now(s, start, a, waits);
    return s->family->later && !waits ? tell_later(s, err) : err;
}

/* ---- the end ---- */

void socket_end(struct socket *s, bool in, bool out, int err) {
    spin_lock(&s->lock);
    s->in_ended |= in;
    s->out_ended |= out;
    if (err)
        s->error = err;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
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
    s->in_bytes = s->in_cost = 0;
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
    s->family->leave(s);
    take_all(s, &l);
    if (!list_empty(&l.in) ||
        (s->family->one_way && !__atomic_load_n(&s->linger, __ATOMIC_RELAXED)))
        err = -K_ECONNRESET;
    if (l.peer && s->type != SOCKET_DATAGRAM)
        socket_end(l.peer, true, !s->family->one_way || err, err);
    drop_messages(s, &l.in);
    if (l.peer)
        socket_put(l.peer);
    while (!list_empty(&l.pending))
        list_push_back(pending, list_pop_front(&l.pending));
    socket_put(s);
}

/* What waits for accept listens nowhere, so there is one level of it. */
static void close_pending(struct list *pending) {
    struct list none;
    list_init(&none);
    for (struct list *link; (link = list_pop_front(pending));) {
        struct socket *c = LIST_ENTRY(link, struct socket, pending);
        close_one(c, &none, -K_ECONNRESET);
        piece_done(PIECE_FREED);
    }
}

void socket_close(struct socket *s) {
    struct list pending;
    list_init(&pending);
    close_one(s, &pending, 0);
    close_pending(&pending);
}

/* ---- shutdown ---- */

/* TCP's. */
static void end_listening(struct socket *s) {
    struct list pending;
    spin_lock(&s->lock);
    bool listens = s->state == SOCKET_LISTENING;
    if (listens) {
        s->state = SOCKET_IDLE;
        move_list(&pending, &s->pending);
        s->waiting = 0;
        s->family->listen_end_locked(s);
        socket_changed_locked(s);
    }
    spin_unlock(&s->lock);
    if (listens)
        close_pending(&pending);
}

static void shut(struct socket *s, bool in, bool out) {
    struct socket *peer = socket_peer(s);
    socket_end(s, in, out, 0);
    if (peer && s->type != SOCKET_DATAGRAM)
        socket_end(peer, out, in && !s->family->one_way, 0);
    if (peer)
        socket_put(peer);
}

int socket_shutdown(struct socket *s, unsigned which) {
    bool in = which & SOCKET_SHUT_IN, out = which & SOCKET_SHUT_OUT;
    if (s->family->one_way && is_in_state(s, SOCKET_LISTENING)) {
        if (in)
            end_listening(s);
        return 0;
    }
    bool may = !s->family->one_way || is_in_state(s, SOCKET_CONNECTED);
    if (may || s->type == SOCKET_DATAGRAM)
        shut(s, in, out);
    return may ? 0 : -K_ENOTCONN;
}
