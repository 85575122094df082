/* What is on its way from one socket to another: bytes, and open files. A datagram is one message;
 * what is written to a stream is cut into several. */
#pragma once
#include "lib/list.h"
#include "socket/inet.h"
#include "socket/span.h"

struct file;
struct socket;

#define FILES_MAX 253 /* files that one message may have */

/* Open files, each with a reference. */
struct carried {
    uint32_t n, room;
    struct file *file[];
};

struct piece;

struct message {
    struct list link;
    struct socket *from; /* with a reference; what the message costs is on its account. NULL: UDP's,
                            netlink's */
    struct carried *files; /* NULL: none */
    struct piece *first;
    uint32_t bytes, read;   /* of the first are read: a stream's */
    uint32_t cost;          /* bytes of memory */
    int32_t pid;            /* who has sent it */
    struct inet_end source; /* UDP's: from where */
};

/* A message of the next n bytes. -K_ENOBUFS: no memory; -K_EFAULT. Then there is none. */
int message_make(struct span *from, size_t n, struct message **out) must_check;

/* The same of the kernel's own bytes, from nobody. -K_ENOBUFS. */
int message_of(const void *from, size_t n, struct message **out) must_check;

/* Files go with it, whose record costs memory, too. */
void message_carry(struct message *m, struct carried *files);

/* Copies up to n bytes, from byte `at` of it on; *done before an error. */
int message_copy(const struct message *m, size_t at, struct span *to, size_t n,
                 size_t *done) must_check;

/* Gives all of it back but `from`: the files are closed. May sleep. */
void message_free(struct message *m);

/* Room for n files. NULL: no memory. */
struct carried *carried_make(uint32_t n) must_check;
/* Closes them, and gives the record back. May sleep. */
void carried_free(struct carried *c);
