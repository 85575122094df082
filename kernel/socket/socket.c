/* The record of a socket: how it begins and ends, waits and is watched, and its options. */
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/clock.h"
#include "socket/flight.h"
#include "socket/port.h"

/* Bytes of memory on the way from one: as much as Linux permits, at first and at most. */
#define ROOM_FIRST 212992u
#define ROOM_LEAST 4608u
#define ROOM_MOST (2 * ROOM_FIRST)

void socket_boot_init(void) {
    name_boot_init();
    port_boot_init();
    socket_list_boot_init();
}

static struct slab records = SLAB_INIT(records, sizeof(struct socket));

static const struct file_ops socket_ops;

/* Nobody knows it yet; and when the last reference goes, nobody is left who waits there. */
struct socket *socket_new(const struct socket_family *family, enum socket_type type) {
    struct socket *s = slab_take(&records);
    if (!s)
        return NULL;
    *s = (struct socket){.refs = 1,
                         .family = family,
                         .type = type,
                         .room = ROOM_FIRST,
                         .in_room = ROOM_FIRST,
                         .linger = -1,
                         .pid = proc_self()->pid};
    spin_init(&s->lock, RANK_SOCKET);
    list_init(&s->in);
    list_init(&s->pending);
    list_init(&s->place.link);
    wait_channel_init(&s->readers);
    wait_channel_init(&s->writers);
    socket_list_enter(s);
    return s;
}

void socket_put(struct socket *s) {
    uint32_t before = __atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before > 1)
        return;
    socket_list_leave(s);
    ASSERT(list_empty(&s->in));
    ASSERT(s->out == 0);
    ASSERT(s->carries == 0);
    if (s->peer)
        socket_put(s->peer);
    if (s->part_of)
        socket_put(s->part_of);
    slab_give(&records, s);
}

struct socket *socket_peer(struct socket *s) {
    spin_lock(&s->lock);
    struct socket *peer = s->peer ? socket_get(s->peer) : NULL;
    spin_unlock(&s->lock);
    return peer;
}

/* ---- waiting ---- */

void socket_changed_locked(struct socket *s) {
    ASSERT_LOCKED(&s->lock);
    wakeup(&s->readers);
    wakeup(&s->writers);
    watched_changed(&s->watched);
}

struct socket_wait socket_wait_begin(struct socket *s, bool waits, bool sending) {
    uint64_t patience = __atomic_load_n(&s->patience[sending], __ATOMIC_RELAXED);
    struct socket_wait w = {.waits = waits, .timed = waits && patience > 0};
    if (w.timed)
        clock_set_alarm(clock_after(patience));
    return w;
}

int socket_wait_locked(struct socket *s, struct wait_channel *c, const struct socket_wait *w) {
    ASSERT_LOCKED(&s->lock);
    if (!w->waits || (w->timed && clock_alarm_rang()))
        return -K_EAGAIN;
    if (proc_interrupted())
        return -K_EINTR;
    sleep_on(c, &s->lock);
    return 0;
}

void socket_wait_end(const struct socket_wait *w) {
    if (w->timed)
        clock_end_alarm();
}

/* ---- what is on the way ---- */

void socket_message_done(struct message *m) {
    struct socket *from = m->from;
    if (from) {
        spin_lock(&from->lock);
        from->out -= m->cost;
        if (from->out <= from->room / 2) {
            wakeup(&from->writers);
            watched_changed(&from->watched);
        }
        spin_unlock(&from->lock);
        socket_put(from);
    }
    message_free(m);
}

static unsigned ready_locked(const struct socket *s) {
    ASSERT_LOCKED(&s->lock);
    unsigned end = (s->in_ended ? READY_LAST : 0) |
                   (s->in_ended && s->out_ended ? READY_HANGUP : 0);
    if (s->state == SOCKET_LISTENING)
        return end | (list_empty(&s->pending) && !s->in_ended ? 0 : READY_READABLE);
    bool in = !list_empty(&s->in) || s->in_ended || s->error;
    bool out = s->out <= s->room / 2 || s->out_ended;
    bool never = s->type != SOCKET_DATAGRAM && s->state != SOCKET_CONNECTED;
    return end | (in ? READY_READABLE : 0) | (out ? READY_WRITABLE : 0) |
           (never ? READY_HANGUP : 0) | (s->error ? READY_ERROR : 0);
}

static unsigned ready(struct file *f, struct watch *w) {
    struct socket *s = f->object;
    spin_lock(&s->lock);
    if (w)
        watch_begin(w, &s->watched, &s->lock);
    unsigned found = ready_locked(s);
    spin_unlock(&s->lock);
    return found;
}

/* Of datagrams, that of the next one. */
static uint64_t waiting(struct file *f) {
    struct socket *s = f->object;
    spin_lock(&s->lock);
    uint64_t n = s->in_bytes;
    if (s->type == SOCKET_DATAGRAM)
        n = list_empty(&s->in) ? 0 : LIST_ENTRY(s->in.next, struct message, link)->bytes;
    spin_unlock(&s->lock);
    return n;
}

/* ---- the file ---- */

static void close_file(struct file *f) { socket_close(f->object); }

static const struct file_ops socket_ops = {
    .read = socket_read,
    .write = socket_write,
    .ready = ready,
    .waiting = waiting,
    .close = close_file,
};

void socket_open(struct socket *s, struct file *f) {
    flight_accepted(s);
    f->ops = &socket_ops;
    f->object = s;
    f->readable = f->writable = true;
}

struct socket *socket_of(const struct file *f) {
    return f->ops == &socket_ops ? f->object : NULL;
}

enum socket_type socket_type(const struct socket *s) { return s->type; }
const struct socket_family *socket_family(const struct socket *s) { return s->family; }

int socket_create(const struct socket_family *family, enum socket_type type, struct file *f) {
    struct socket *s = socket_new(family, type);
    if (!s)
        return -K_ENOBUFS;
    socket_open(s, f);
    return 0;
}

static void join(struct socket *s, struct socket *peer) {
    s->state = SOCKET_CONNECTED;
    s->peer = socket_get(peer);
}

int socket_pair(enum socket_type type, struct file *f[2]) {
    struct socket *s[2] = {socket_new(&socket_unix, type), socket_new(&socket_unix, type)};
    if (!s[0] || !s[1]) {
        for (unsigned i = 0; i < 2; i++)
            if (s[i])
                socket_put(s[i]);
        return -K_ENOBUFS;
    }
    join(s[0], s[1]);
    join(s[1], s[0]);
    socket_open(s[0], f[0]);
    socket_open(s[1], f[1]);
    return 0;
}

/* ---- options ---- */

bool socket_listens(struct socket *s) {
    spin_lock(&s->lock);
    bool listens = s->state == SOCKET_LISTENING;
    spin_unlock(&s->lock);
    return listens;
}

int socket_take_error(struct socket *s) {
    spin_lock(&s->lock);
    int err = s->error;
    s->error = 0;
    spin_unlock(&s->lock);
    return err;
}

void socket_tell_error(struct socket *s, int err) {
    spin_lock(&s->lock);
    s->error = err;
    socket_changed_locked(s);
    spin_unlock(&s->lock);
}

int32_t socket_peer_pid(struct socket *s) {
    struct socket *peer = socket_peer(s);
    int32_t pid = peer ? peer->pid : 0;
    if (peer)
        socket_put(peer);
    return pid;
}

uint32_t socket_room(struct socket *s) {
    spin_lock(&s->lock);
    uint32_t room = (uint32_t)s->room;
    spin_unlock(&s->lock);
    return room;
}

void socket_set_room(struct socket *s, uint32_t bytes) {
    spin_lock(&s->lock);
    s->room = MAX(ROOM_LEAST, MIN(bytes, ROOM_MOST));
    socket_changed_locked(s);
    spin_unlock(&s->lock);
}

uint32_t socket_in_room(struct socket *s) {
    spin_lock(&s->lock);
    uint32_t room = (uint32_t)s->in_room;
    spin_unlock(&s->lock);
    return room;
}

void socket_set_in_room(struct socket *s, uint32_t bytes) {
    spin_lock(&s->lock);
    s->in_room = MAX(ROOM_LEAST, MIN(bytes, ROOM_MOST));
    spin_unlock(&s->lock);
}

uint32_t socket_options(struct socket *s) { return __atomic_load_n(&s->options, __ATOMIC_RELAXED); }

/* What it may be for is decided when it gets an address. */
int socket_set_option(struct socket *s, uint32_t bit, bool on) {
    struct inet_end end;
    if (bit == SOCKET_ONLY_V6 && port_has(s, &end))
        return -K_EINVAL;
    if (on)
        __atomic_or_fetch(&s->options, bit, __ATOMIC_RELAXED);
    else
        __atomic_and_fetch(&s->options, ~bit, __ATOMIC_RELAXED);
    return 0;
}

int32_t *socket_linger(struct socket *s) { return &s->linger; }

uint64_t *socket_patience(struct socket *s, bool sending) { return &s->patience[sending]; }

bool socket_tells_sender(struct socket *s) {
    return __atomic_load_n(&s->tells_sender, __ATOMIC_RELAXED);
}

void socket_set_tells_sender(struct socket *s, bool tells) {
    __atomic_store_n(&s->tells_sender, tells, __ATOMIC_RELAXED);
}
