/* Sending and receiving. Bytes are copied without the lock: who sends has a message of its own
 * until it is whole, and one at a time receives (reading), who copies out of the first message
 * while others put theirs behind it. */
#include "lib/errno.h"
#include "proc/sleeplock.h"
#include "socket/flight.h"

#define STREAM_AT_ONCE KIB(16) /* bytes of one message of a stream */

/* ---- sending ---- */

/* Waits until more may be on the way from s. */
static int wait_for_room(struct socket *s, bool waits) {
    struct socket_wait w = socket_wait_begin(s, waits, true);
    int err = 0;
    spin_lock(&s->lock);
    while (!err && !s->out_ended && s->out >= s->room)
        err = socket_wait_locked(s, &s->writers, &w);
    if (!err && s->error && s->family->errors) {
        err = s->error;
        s->error = 0;
    }
    if (!err && s->out_ended)
        err = -K_EPIPE;
    spin_unlock(&s->lock);
    socket_wait_end(&w);
    return err;
}

static void put_on_account(struct socket *s, struct message *m) {
    spin_lock(&s->lock);
    s->out += m->cost;
    spin_unlock(&s->lock);
    m->from = socket_get(s);
}

int socket_enqueue(struct socket *to, struct message *m) {
    spin_lock(&to->lock);
    bool taken = !to->closed && (!socket_drops(to) || to->in_cost < to->in_room);
    if (taken) {
        list_push_back(&to->in, &m->link);
        to->in_bytes += m->bytes;
        to->in_cost += m->cost;
        wakeup(&to->readers);
        watched_changed(&to->watched);
    }
    spin_unlock(&to->lock);
    if (taken)
        return 0;
    return to->type == SOCKET_DATAGRAM ? -K_ECONNREFUSED : -K_EPIPE;
}

/* m is to's, or gone. */
static int deliver(struct socket *s, struct socket *to, struct message *m) {
    int err = m->files ? flight_begin(to, m->files) : 0;
    bool flies = m->files && !err;
    if (!err) {
        put_on_account(s, m);
        err = socket_enqueue(to, m);
    }
    if (err) {
        if (flies)
            flight_end(to, m->files);
        socket_message_done(m);
    }
    if (err == -K_EPIPE && s->family->one_way)
        socket_end(s, false, true, 0); /* it hears of that now */
    return err;
}

/* As sent, also if it is lost since there is no room. m is to's, or gone. */
static void deliver_or_drop(struct socket *to, struct message *m, const struct inet_end *source) {
    m->source = *source;
    if (socket_enqueue(to, m))
        socket_message_done(m);
}

/* One message of the next n bytes. */
static int send_one(struct socket *s, struct socket *to, struct socket_sending *what, size_t n) {
    struct message *m;
    int err = wait_for_room(s, what->waits);
    if (!err)
        err = message_make(&what->span, n, &m);
    if (err)
        return err;
    if (what->files)
        message_carry(m, what->files);
    what->files = NULL;
    return deliver(s, to, m);
}

static int send_stream(struct socket *s, struct socket *to, struct socket_sending *what,
                       size_t *done) {
    int err = 0;
    while (!err && *done < what->bytes) {
        size_t n = MIN(what->bytes - *done, STREAM_AT_ONCE);
        err = send_one(s, to, what, n);
        if (!err)
            *done += n;
    }
    return err;
}

static int send_whole(struct socket *s, struct socket *to, struct socket_sending *what,
                      size_t *done) {
    if (what->bytes > socket_room(s))
        return -K_EMSGSIZE;
    int err = send_one(s, to, what, what->bytes);
    if (!err)
        *done = what->bytes;
    return err;
}

/* To nobody, to == NULL, nothing is copied; who is connected hears of that at the next call. */
static int send_dropping(struct socket *s, struct socket *to, const struct inet_end *source,
                         struct socket_sending *what, size_t *done) {
    struct message *m;
    int err = wait_for_room(s, false);
    if (!err && what->bytes > s->family->longest)
        err = -K_EMSGSIZE;
    if (!err && to)
        err = message_make(&what->span, what->bytes, &m);
    if (err)
        return err;
    if (to)
        deliver_or_drop(to, m, source);
    else if (!what->to)
        socket_tell_error(s, -K_ECONNREFUSED);
    *done = what->bytes;
    return 0;
}

static int find_connected(struct socket *s, const struct socket_sending *what, struct socket **to) {
    bool addressed = what->to && !s->family->errors;
    *to = socket_peer(s);
    if (*to && addressed) {
        socket_put(*to);
        return -K_EISCONN;
    }
    int err = !*to && s->family->errors ? socket_take_error(s) : 0; /* of a connect before */
    return *to ? 0 : err ? err : addressed ? -K_ENOTSUP : s->family->idle_write;
}

static int send_datagram(struct socket *s, struct socket_sending *what, size_t *done) {
    struct socket *to = NULL;
    struct inet_end source;
    int err = s->family->find_receiver(s, what->start, what->to, &to, &source);
    if (err)
        return err;
    err = socket_drops(s) ? send_dropping(s, to, &source, what, done)
                          : send_whole(s, to, what, done);
    if (to)
        socket_put(to);
    return err;
}

static int send_connected(struct socket *s, struct socket_sending *what, size_t *done) {
    struct socket *to;
    int err = find_connected(s, what, &to);
    if (err)
        return err;
    err = s->type == SOCKET_STREAM ? send_stream(s, to, what, done) : send_whole(s, to, what, done);
    socket_put(to);
    return err;
}

static void drop_files(struct socket_sending *what) {
    if (what->files)
        carried_free(what->files);
    what->files = NULL;
}

int socket_send(struct socket *s, struct socket_sending *what, size_t *done) {
    *done = 0;
    if (!s->family->carries)
        drop_files(what);
    int err = s->family->ask               ? s->family->ask(s, what, done)
              : s->type == SOCKET_DATAGRAM ? send_datagram(s, what, done)
                                           : send_connected(s, what, done);
    drop_files(what);
    return err;
}

int socket_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct socket_sending what = {.span = span_of(src, n), .bytes = n, .waits = file_waits(f)};
    return socket_send(f->object, &what, done);
}

/* ---- receiving ---- */

static struct message *first_locked(struct socket *s) {
    ASSERT_LOCKED(&s->lock);
    return list_empty(&s->in) ? NULL : LIST_ENTRY(s->in.next, struct message, link);
}

static int nothing_comes_locked(const struct socket *s) {
    ASSERT_LOCKED(&s->lock);
    if (s->type == SOCKET_DATAGRAM || s->state == SOCKET_CONNECTED)
        return 0;
    return s->type == SOCKET_STREAM ? s->family->idle_read : -K_ENOTCONN;
}

/* Waits for a message, and for the turn to read it; NULL: the end. An error comes before messages,
 * but behind a stream's bytes. some: the caller has got such bytes already, so an error is the next
 * one's, who will be told of it. */
static int begin_reading(struct socket *s, const struct socket_wait *w, bool some,
                         struct message **m) {
    spin_lock(&s->lock);
    int err = nothing_comes_locked(s);
    if (err && s->error && s->family->errors) { /* of a connect before */
        err = s->error;
        s->error = 0;
    }
    while (!err && (s->reading || (list_empty(&s->in) && !s->in_ended && !s->error))) {
        struct socket_wait turn = *w;
        turn.waits |= s->reading;
        err = socket_wait_locked(s, &s->readers, &turn);
    }
    bool behind = s->type == SOCKET_STREAM && (some || !list_empty(&s->in));
    if (!err && !behind) {
        err = s->error;
        s->error = 0;
    }
    *m = err ? NULL : first_locked(s);
    if (*m)
        s->reading = true;
    spin_unlock(&s->lock);
    return err;
}

static void end_reading(struct socket *s) {
    spin_lock(&s->lock);
    s->reading = false;
    wakeup(&s->readers);
    spin_unlock(&s->lock);
}

/* The reader takes the first message, m, out of the queue. */
static void take_out(struct socket *s, struct message *m, struct socket_received *r) {
    spin_lock(&s->lock);
    list_remove(&m->link);
    s->in_bytes -= m->bytes - m->read;
    s->in_cost -= m->cost;
    spin_unlock(&s->lock);
    if (m->files) {
        flight_end(s, m->files);
        r->files = m->files;
        m->files = NULL;
    }
    socket_message_done(m);
}

static void note_sender(struct socket *s, const struct message *m, struct socket_received *r) {
    r->pid = m->pid;
    s->family->sender(m, &r->from);
}

static int receive_whole(struct socket *s, struct message *m, struct socket_received *r) {
    int err = message_copy(m, 0, &r->span, MIN(r->bytes, (size_t)m->bytes), &r->done);
    if (err) {
        r->done = 0; /* it is there still, whole */
        return err;
    }
    r->size = m->bytes;
    note_sender(s, m, r);
    if (!r->peek)
        take_out(s, m, r);
    return 0;
}

/* n bytes of m were copied, which stays there if it has more. */
static void take_part(struct socket *s, struct message *m, size_t n, struct socket_received *r) {
    if (m->files) { /* they go with the first byte */
        flight_end(s, m->files);
        r->files = m->files;
        m->files = NULL;
    }
    if (m->read + n == m->bytes) {
        take_out(s, m, r);
        return;
    }
    spin_lock(&s->lock);
    m->read += (uint32_t)n;
    s->in_bytes -= n;
    spin_unlock(&s->lock);
}

/* What is behind m in the queue, that may be read in one call with it; NULL: nothing. */
static struct message *next_part(struct socket *s, struct message *m, bool peek) {
    spin_lock(&s->lock);
    struct list *link = peek ? m->link.next : s->in.next;
    struct message *next = link == &s->in ? NULL : LIST_ENTRY(link, struct message, link);
    spin_unlock(&s->lock);
    return next && !next->files ? next : NULL;
}

/* From message m on, what there is, up to where files begin. */
static int receive_stream(struct socket *s, struct message *m, struct socket_received *r) {
    note_sender(s, m, r);
    bool alone = m->files; /* nothing that was sent later is mixed with it */
    while (m && r->done < r->bytes) {
        size_t n = MIN(r->bytes - r->done, (size_t)(m->bytes - m->read)), moved;
        int err = message_copy(m, m->read, &r->span, n, &moved);
        struct message *peeked = m;
        r->done += moved;
        bool whole = moved == m->bytes - m->read;
        if (moved > 0 && !r->peek)
            take_part(s, m, moved, r);
        if (err)
            return err;
        m = whole && !alone ? next_part(s, peeked, r->peek) : NULL;
    }
    return 0;
}

static int receive_now(struct socket *s, const struct socket_wait *w, struct socket_received *r) {
    struct message *m;
    sleep_enter(&s->reading, RANK_SOCKET_END);
    int err = begin_reading(s, w, r->done > 0, &m);
    if (m) {
        err = s->type == SOCKET_STREAM ? receive_stream(s, m, r) : receive_whole(s, m, r);
        end_reading(s);
    }
    sleep_leave(&s->reading);
    return err;
}

int socket_receive(struct socket *s, struct socket_received *r) {
    struct socket_wait w = socket_wait_begin(s, r->waits, false);
    size_t before;
    r->done = r->size = 0;
    r->files = NULL;
    r->from.length = 0;
    int err = 0;
    do {
        before = r->done;
        err = receive_now(s, &w, r);
    } while (!err && r->all && !r->peek && s->type == SOCKET_STREAM && !r->files &&
             r->done > before && r->done < r->bytes);
    socket_wait_end(&w);
    if (s->type == SOCKET_STREAM)
        r->size = r->done;
    return r->done > 0 ? 0 : err;
}

int socket_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct socket_received r = {.span = span_of(dst, n), .bytes = n, .waits = file_waits(f)};
    int err = socket_receive(f->object, &r);
    *done = r.done;
    if (r.files)
        carried_free(r.files); /* who reads so asks for no files */
    return err;
}
