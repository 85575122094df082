/* A pair, and what its parts do for each other. */
#pragma once
#include "pty/pty.h"
#include "tty/tty.h"
#include "vfs/node.h"

struct pty {
    struct node node; /* of the slave */
    uint32_t refs;    /* atomic: the master's, of each open slave, and of the node */
    uint32_t number;  /* constant */
    bool named;       /* the master is open; the table's lock */
    uint16_t mode;    /* what the node says of it: atomic */
    uint32_t uid, gid;
    uint64_t accessed, modified, changed;

    struct tty tty; /* whose lock guards what follows */
    bool locked;
    bool was_open;              /* a slave was, once */
    uint32_t slaves;            /* that are open */
    uint32_t head, tail;        /* [head, tail) of the queue waits for the master */
    char *queue;                /* PTY_QUEUE bytes; constant */
    struct wait_channel output; /* who reads the master: for that, or the last slave's end */
    struct wait_channel room;   /* who writes a slave: for room there, or the master's end */
    struct wait_channel unheld; /* who writes the master: for room in the terminal's input */
    struct watched watched;     /* of what the master waits for */
};

/* pty.c */
int pty_create(struct pty **out) must_check; /* -K_ENOSPC: there are PTY_MOST; -K_ENOMEM */
void pty_get(struct pty *p);
void pty_put(struct pty *p);
/* The slave with the lowest number that is not below *number, with a reference; NULL: there is
 * none. */
struct pty *pty_next(uint32_t *number);
void pty_end(struct pty *p); /* the master closes */

static inline uint32_t pty_queued(const struct pty *p) { return p->tail - p->head; }
/* Up to n bytes of the queue, which are at the master now. The lock is held. */
size_t pty_take_locked(struct pty *p, char *to, size_t n);
/* No slave is open any more. The lock is held. */
static inline bool pty_is_left(const struct pty *p) { return p->was_open && p->slaves == 0; }

/* slave.c: a new one's node. */
void pty_node_init(struct pty *p);
