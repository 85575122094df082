/* The record of a socket, for the files of this folder.
 *
 * Each socket has one lock, and nobody holds two of them. What comes to a socket is in its own
 * queue; what it costs is on the account of who has sent it (out), and taken off when it was read:
 * so who sends waits, and is told, at its own socket alone.
 *
 * References: a file has one, each peer's pointer, each message to its sender, and whoever works on
 * a socket that is not its own. Two that are connected refer to each other until they are closed.
 * A socket that is closed takes nothing any more, so a reference to it keeps nothing but the
 * record. */
#pragma once
#include "proc/watch.h"
#include "socket/socket.h"

enum socket_state {
    SOCKET_IDLE,
    SOCKET_CONNECTING, /* somebody is in socket_connect */
    SOCKET_CONNECTED,  /* a stream that has been, or is */
    SOCKET_LISTENING,
};

/* Where it is. socket_names' (name.c) but for the address, which is constant once it has one. */
struct socket_place {
    struct list link;  /* in no list: nowhere */
    struct node *node; /* with a reference; NULL: in no file system */
    bool claimed;      /* somebody is about to give it an address */
    struct socket_address address;
};

struct socket {
    struct spinlock lock; /* guards all below that is not said to be otherwise */
    uint32_t refs;        /* atomic */
    enum socket_type type;
    enum socket_state state;
    bool closed;         /* it has no file any more, and takes nothing */
    bool in_ended;       /* nothing comes any more */
    bool out_ended;      /* nothing can be sent any more */
    bool tells_sender;   /* atomic */
    int32_t error;       /* to be told once, a negative one */
    int32_t pid;         /* who had it when it was connected, or began to listen */
    struct socket *peer; /* with a reference */

    struct list in;       /* of messages */
    uint64_t in_bytes;    /* in these */
    bool reading;         /* somebody copies the first of them */
    uint64_t out, room;   /* memory that is on the way from it; and may be */
    uint64_t patience[2]; /* to receive and to send, nanoseconds; 0: for ever; atomic */

    struct list pending; /* of connections; of one, its link there */
    uint32_t waiting, backlog;

    struct wait_channel readers, writers; /* who wait for messages or connections; for room */
    struct watched watched;

    uint32_t in_flight, carries; /* flight.c's */
    bool accepted;               /* flight.c's: it has a file */
    struct socket_place place;
};

static inline struct socket *socket_get(struct socket *s) {
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}
void socket_put(struct socket *s);

/* NULL: no memory. One reference. */
struct socket *socket_new(enum socket_type type) must_check;
/* f is a socket's now, and takes over the reference. */
void socket_open(struct socket *s, struct file *f);

/* The other one, with a reference; NULL: there is none. */
struct socket *socket_peer(struct socket *s) must_check;

/* All who wait look again. */
void socket_changed_locked(struct socket *s);

/* One wait of a call: its time begins with socket_wait_begin. The lock is held. -K_EINTR,
 * -K_EAGAIN: the time is over, or it does not wait. */
struct socket_wait {
    bool waits, timed;
};
struct socket_wait socket_wait_begin(struct socket *s, bool waits, bool sending);
int socket_wait_locked(struct socket *s, struct wait_channel *c,
                       const struct socket_wait *w) must_check;
void socket_wait_end(const struct socket_wait *w);

/* message was read, or will not be: it is taken off its sender's account, and given back. */
void socket_message_done(struct message *m);

/* transfer.c: the file's read and write. */
int socket_read(struct file *f, uaddr_t dst, size_t n, size_t *done);
int socket_write(struct file *f, uaddr_t src, size_t n, size_t *done);

/* connect.c: closes a connection that nobody has accepted; takes over the reference. */
void socket_close(struct socket *s);
/* Whether `to` takes datagrams from s. -K_EPROTOTYPE: it is of another type; -K_EPERM: it is
 * connected with another one. */
int socket_check_receiver(struct socket *s, struct socket *to) must_check;

/* ---- name.c ---- */

/* The caller alone gives s an address, up to the end of the claim. -K_EINVAL: it has one, or
 * another thread has the claim. */
int name_claim(struct socket *s) must_check;
void name_claim_end(struct socket *s);
/* Gives s the address; the caller has the claim. -K_EADDRINUSE. */
int name_enter(struct socket *s, const struct socket_address *a, struct node *n) must_check;
/* One that nobody has, in no file system; the caller has the claim. */
int name_enter_any(struct socket *s) must_check;
/* Takes it back, if it has one. May sleep. */
void name_leave(struct socket *s);
/* The socket that has the address, with a reference; by a path it may be of another type.
 * -K_ECONNREFUSED: none; what path_lookup says. */
int name_find(enum socket_type type, struct node *start, const struct socket_address *a,
              struct socket **out) must_check;
