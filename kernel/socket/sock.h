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

/* Where it is. The address is constant once it has one; the claim is name.c's, all else is its
 * family's: name.c's lock guards it, or port.c's. */
struct socket_place {
    struct list link;  /* in no list: nowhere */
    struct node *node; /* with a reference; NULL: in no file system */
    bool claimed;      /* somebody is about to give it an address */
    bool listens;      /* TCP's: it can be found by who connects */
    bool aimed;        /* remote is where it is connected, or, of UDP, where it sends to */
    struct socket_address address;
    struct inet_end remote;
};

/* What sockets with one sort of addresses do. */
struct socket_family {
    /* The caller has the claim (name_claim). The rest as socket_bind says. */
    int (*bind)(struct socket *s, struct node *start, const struct socket_address *a,
                uint16_t mode);
    /* A stream that is to listen has an address from now on. */
    int (*have_address)(struct socket *s);
    /* And can be found by it; and no longer. Its lock is held. */
    int (*listen_locked)(struct socket *s);
    void (*listen_end_locked)(struct socket *s);
    /* Who listens where s is to be connected, with a reference. */
    int (*find_listener)(struct socket *s, struct node *start, const struct socket_address *a,
                         struct socket **out);
    /* s is going to be connected by c, which nobody else knows, there. */
    void (*join)(struct socket *s, struct socket *c, const struct socket *listener,
                 const struct socket_address *a);
    /* Datagrams: who receives what s sends there; NULL: where it is connected. *out with a
     * reference; NULL: nobody, and nobody is told. What comes there is from *source. */
    int (*find_receiver)(struct socket *s, struct node *start, const struct socket_address *a,
                         struct socket **out, struct inet_end *source);
    /* And where it is connected from now on; NULL: nowhere. */
    int (*aim)(struct socket *s, struct node *start, const struct socket_address *a);
    /* Instead of both: what s sends is a question to the kernel. NULL: it goes to other sockets. */
    int (*ask)(struct socket *s, struct socket_sending *what, size_t *done);
    void (*name)(struct socket *s, struct socket_address *a);
    void (*sender)(const struct message *m, struct socket_address *a);
    int (*peer_name)(struct socket *s, struct socket_address *a); /* of one that is connected */
    void (*leave)(struct socket *s); /* takes its address back, if it has one; may sleep */

    bool carries;  /* open files go with messages */
    bool one_way;  /* shut or closed, the other end can be written to still, until it is */
    bool drops;    /* datagrams: gone where there is no room, which is the receiver's */
    bool later;    /* who connects and does not wait is told by the next connect, or SO_ERROR */
    bool errors;   /* an error is told to who sends, too, and `to` is nothing to a stream */
    int idle_read; /* the error of a stream that was never connected; and of a write */
    int idle_write;
    uint32_t more_waiting; /* behind the backlog, of who does not wait */
    size_t longest;        /* of a datagram; 0: what may be on the way */
    uint8_t any[INET_BYTES];
};

struct socket {
    struct spinlock lock; /* guards all below that is not said to be otherwise */
    uint32_t refs;        /* atomic */
    struct list all;      /* among all sockets: list.c's lock */
    const struct socket_family *family;
    enum socket_type type;
    enum socket_state state;
    bool closed;         /* it has no file any more, and takes nothing */
    bool in_ended;       /* nothing comes any more */
    bool out_ended;      /* nothing can be sent any more */
    bool tells_sender;   /* atomic */
    int32_t error;       /* to be told once, a negative one */
    bool untold;         /* nobody was told how a connect has ended that did not wait */
    int32_t pid;         /* who had it when it was connected, or began to listen */
    struct socket *peer; /* with a reference */

    struct list in;            /* of messages */
    uint64_t in_bytes;         /* in these */
    uint64_t in_cost, in_room; /* memory of these; and that these may have, of UDP */
    bool reading;              /* somebody copies the first of them */
    uint64_t out, room;        /* memory that is on the way from it; and may be */
    uint64_t patience[2];      /* to receive and to send, nanoseconds; 0: for ever; atomic */
    uint32_t options;          /* SOCKET_...; atomic */
    int32_t linger;            /* seconds; negative: not set; atomic */

    struct list pending; /* of connections; of one, its link there */
    uint32_t waiting, backlog;

    struct wait_channel readers, writers; /* who wait for messages or connections; for room */
    struct watched watched;

    uint32_t in_flight, carries; /* flight.c's */
    struct socket *part_of; /* flight.c's, with a reference: who listens; NULL: it has a file */
    struct socket_place place;
};

static inline struct socket *socket_get(struct socket *s) {
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}
/* list.c: s, which is new, is among all; and no longer, when its last reference has gone. */
void socket_list_boot_init(void);
void socket_list_enter(struct socket *s);
void socket_list_leave(struct socket *s);

/* NULL: no memory. One reference. */
struct socket *socket_new(const struct socket_family *family, enum socket_type type) must_check;
/* f is a socket's now, and takes over the reference. */
void socket_open(struct socket *s, struct file *f);

/* Whether what it has no room for is gone, and what waits in it is on no sender's account. */
static inline bool socket_drops(const struct socket *s) {
    return s->type == SOCKET_DATAGRAM && s->family->drops;
}

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

/* Into the queue of `to`; its family may say that there is no room. -K_ECONNREFUSED, -K_EPIPE: it
 * takes nothing; m is the caller's. */
int socket_enqueue(struct socket *to, struct message *m) must_check;

/* message was read, or will not be: it is taken off its sender's account, and given back. */
void socket_message_done(struct message *m);

/* transfer.c: the file's read and write. */
int socket_read(struct file *f, uaddr_t dst, size_t n, size_t *done);
int socket_write(struct file *f, uaddr_t src, size_t n, size_t *done);

/* connect.c: closes it; takes over the reference. */
void socket_close(struct socket *s);
/* One end is shut: what that means for this one. */
void socket_end(struct socket *s, bool in, bool out, int err);

/* ---- name.c ---- */

void name_boot_init(void); /* at boot, once */

/* The caller alone gives s an address, up to the end of the claim. -K_EINVAL: it has one, or
 * another thread has the claim. */
int name_claim(struct socket *s) must_check;
void name_claim_end(struct socket *s);
/* s, which has none, has this address for who looks at it, without being found by it. Anybody may
 * look meanwhile, and sees all of it, or nothing. */
void name_set(struct socket *s, const struct socket_address *a);
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
