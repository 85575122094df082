/* Sockets of one machine: of paths and names (AF_UNIX), streams, datagrams, and packets in order
 * (SEQPACKET); and TCP and UDP, of IPv4 and of IPv6, from this machine to itself (AF_INET,
 * AF_INET6); and questions to the kernel about the network that is none (AF_NETLINK).
 *
 * A socket is an open file: read, write, dup, fork, poll and close are as of any other. All that is
 * not a call on files is here.
 *
 * `waits` below: the call may wait; else what would wait is -K_EAGAIN. All that waits may say
 * -K_EINTR, a signal. */
#pragma once
#include "socket/message.h"
#include "vfs/file.h"

struct node;
struct socket;

enum socket_type { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_SEQPACKET = 5 };

/* Where a socket is: a path, terminated; or, when the first byte is 0, a name that is in no file
 * system. length: bytes without that terminator; 0: nowhere. Of TCP and UDP an inet_end, of netlink
 * a netlink_end, of that length. */
#define SOCKET_NAME 108
struct netlink_end {
    uint32_t pid; /* the number of the socket; 0: the kernel's, or any */
};
struct socket_address {
    uint8_t length;
    union {
        char bytes[SOCKET_NAME + 1];
        struct inet_end inet;
        struct netlink_end netlink;
    };
};

/* What sort of addresses it has, and what that means: sock.h. */
struct socket_family;
extern const struct socket_family socket_unix, socket_inet, socket_inet6, socket_netlink;

/* At boot. */
void socket_boot_init(void);

/* f, which is new, becomes a socket; TCP and UDP are streams and datagrams. -K_ENOBUFS: it is as it
 * was. */
int socket_create(const struct socket_family *family, enum socket_type type,
                  struct file *f) must_check;
/* Two of AF_UNIX that are connected with each other. -K_ENOBUFS: both are as they were. */
int socket_pair(enum socket_type type, struct file *f[2]) must_check;

/* NULL: f is another sort of file. The file keeps it. */
struct socket *socket_of(const struct file *f) must_check;
enum socket_type socket_type(const struct socket *s);
const struct socket_family *socket_family(const struct socket *s);

/* Gives it an address; of length 0: one that nobody has. A path begins at the directory start, or
 * NULL, at the current one; there a node is made with these permissions, which stays when the
 * socket is closed. Of TCP and UDP: any address of this machine, or the one that stands for all;
 * port 0: one that no other socket has. -K_EINVAL: it has one, or another thread gives it one;
 * -K_EADDRINUSE; -K_EADDRNOTAVAIL: of another machine; -K_ENOBUFS; and what names_create_new says.
 */
int socket_bind(struct socket *s, struct node *start, const struct socket_address *a,
                uint16_t mode) must_check;

/* Up to `backlog` connections, which is at most 4096, wait there for accept, and one. TCP without
 * an address gets one. -K_EINVAL: it has no address, or is connected; -K_EADDRINUSE: another one
 * listens there, since both have SOCKET_REUSES_ADDRESS; -K_ENOTSUP: a datagram socket. */
int socket_listen(struct socket *s, uint32_t backlog) must_check;

/* The next connection that waits; f, which is new, becomes a socket that is its end. -K_EINVAL: it
 * does not listen; -K_ENOTSUP. f is as it was. */
int socket_accept(struct socket *s, bool waits, struct file *f) must_check;

/* A stream's: waits for room among those that the other one has not accepted, for nothing else; TCP
 * that does not wait finds room for 128 more, and is told -K_EINPROGRESS, though it is done: how it
 * ended is told by the next call, or as the error that there is to be told. Datagrams: from now on
 * that is where they go, and from nowhere else do any come; a == NULL: no longer. UDP may go where
 * nobody is. -K_ECONNREFUSED: nobody is there, or does not listen; -K_EPROTOTYPE: one of another
 * type; -K_EISCONN, also of TCP that listens; -K_EINVAL: it listens; -K_EPERM: that one is
 * connected with another; -K_ENETUNREACH: another machine; -K_EADDRNOTAVAIL: no port is left;
 * -K_ENOBUFS; what path_lookup says. After an error it is as it was, but that one of TCP or UDP may
 * have got a port. */
int socket_connect(struct socket *s, struct node *start, const struct socket_address *a,
                   bool waits) must_check;

/* What is to be sent. */
struct socket_sending {
    struct span span;
    size_t bytes;
    struct carried *files;           /* go with the first byte; taken over, also after an error */
    const struct socket_address *to; /* NULL: the one that it is connected with */
    struct node *start;              /* of that path */
    bool waits;
};

/* A stream's bytes go one after the other; *done of them are in the other one's queue, also after
 * an error. All others as a whole, or not at all. UDP waits for nobody: what nobody is there for,
 * or what the receiver has no room for, is gone, and the sender is told nothing (of one that is
 * connected, nobody is the error of its next call). -K_EPIPE: nobody will read them, or this end
 * was shut, or TCP is not connected; -K_ENOTCONN; -K_EDESTADDRREQ: UDP that is not connected;
 * -K_EISCONN: it is, and a != NULL (TCP: a is ignored); -K_EMSGSIZE: more than may ever be on the
 * way; -K_ENOBUFS; -K_EFAULT; -K_ETOOMANYREFS (flight.h); of TCP and UDP, the error that there is
 * to be told; of datagrams the errors of socket_connect. */
int socket_send(struct socket *s, struct socket_sending *what, size_t *done) must_check;

/* What is received. */
struct socket_received {
    struct span span;
    size_t bytes; /* that there is room for */
    bool waits;
    bool peek; /* it stays there; its files are not given */
    bool all;  /* of a stream: waits for so many bytes, but for less where files come, at the end,
                * after an error or a signal, and with peek */
    /* Results. */
    size_t done;
    size_t size;           /* of the whole message; of a stream: done */
    struct carried *files; /* NULL: none; the caller's */
    int32_t pid;           /* of who has sent it */
    struct socket_address from;
};

/* 0 and no bytes: the end, or an empty message. What did not fit of a message is gone. Bytes with
 * files are not mixed with others. -K_ENOTCONN, -K_EINVAL: a stream that is not connected;
 * -K_ECONNRESET: the other end was closed with bytes unread; -K_EFAULT: nothing is taken that was
 * not copied. */
int socket_receive(struct socket *s, struct socket_received *r) must_check;

/* No more is sent, or received, or both: SOCKET_SHUT_... The other end of TCP is told of the first
 * alone. Who listens, and is to receive no more, gets no more connections, and a wait for one ends;
 * TCP listens no longer, and those that nobody has accepted end. -K_ENOTCONN, of TCP and UDP: it is
 * not connected; of UDP it is done still, so that who waits there wakes up. */
#define SOCKET_SHUT_IN 1u
#define SOCKET_SHUT_OUT 2u
int socket_shutdown(struct socket *s, unsigned which) must_check;

/* Of length 0: it has none. */
void socket_name(struct socket *s, struct socket_address *a);
int socket_peer_name(struct socket *s, struct socket_address *a) must_check; /* -K_ENOTCONN */

/* ---- options ---- */

bool socket_listens(struct socket *s);
int socket_take_error(struct socket *s);           /* a negative one, or 0; it is gone then */
void socket_tell_error(struct socket *s, int err); /* it is told once more */
/* Who had the other end when they were connected; 0: nobody. */
int32_t socket_peer_pid(struct socket *s);
/* Bytes of memory that may be on the way from it; sets what is nearest to that. */
uint32_t socket_room(struct socket *s);
void socket_set_room(struct socket *s, uint32_t bytes);
/* Nanoseconds after which what waits is -K_EAGAIN; 0: never. */
uint64_t *socket_patience(struct socket *s, bool sending);
/* Bytes of memory that may wait in a socket of UDP; all others' wait on account of who has sent
 * them. Sets what is nearest to that. */
uint32_t socket_in_room(struct socket *s);
void socket_set_in_room(struct socket *s, uint32_t bytes);
/* What it is to do otherwise than all others, bits of SOCKET_...; all others are kept for who asks.
 * -K_EINVAL: it has an address, and SOCKET_ONLY_V6 is to be set before. */
#define SOCKET_REUSES_ADDRESS 1u /* another may have its address, if neither listens */
#define SOCKET_REUSES_PORT 2u    /* the same, and several may listen: they take turns */
#define SOCKET_ONLY_V6 4u        /* no addresses of IPv4 */
#define SOCKET_KEPT 8u           /* this one, and all above */
uint32_t socket_options(struct socket *s);
int socket_set_option(struct socket *s, uint32_t bit, bool on) must_check;
/* Seconds; negative: not set. 0: closing TCP is an error at the other end. */
int32_t *socket_linger(struct socket *s); /* atomic */
/* Whether who receives is told of who has sent. */
bool socket_tells_sender(struct socket *s);
void socket_set_tells_sender(struct socket *s, bool tells);

/* ---- all that there are ---- */

/* The next one behind `before`, whose reference it takes over, with a reference; NULL: the first
 * one; NULL is the end. */
struct socket *socket_next(struct socket *before) must_check;
/* For who does not go on to the end. */
void socket_put(struct socket *s);

/* What is known of one that nobody keeps from changing. */
enum socket_phase {
    SOCKET_CLOSED, /* or neither connected nor listening */
    SOCKET_LISTENS,
    SOCKET_CONNECTS,
    SOCKET_BOTH_WAYS, /* connected, and so are the next two */
    SOCKET_SENDS,     /* nothing comes any more */
    SOCKET_RECEIVES,  /* nothing is sent any more */
};
struct socket_about {
    enum socket_phase phase;
    uint64_t in_bytes, out_memory; /* that wait in it, and on the way from it */
    uint32_t number;               /* no other one has it now */
    uint32_t refs;
    struct socket_address name, peer; /* of length 0: it has none */
};
void socket_about(struct socket *s, struct socket_about *a);
/* Its number, for who has its file; 0: f is no socket. */
uint32_t socket_number(const struct file *f);
