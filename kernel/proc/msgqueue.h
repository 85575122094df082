/* Queues of messages of System V, which have a number and stay without a process (ipc.h). A message
 * has a type, a positive number, by which it can be asked for.
 *
 * Lock: the table's, a spinlock, guards all queues and who waits at them. What is copied from and
 * to programs is in no queue meanwhile. A queue that is removed stays in memory until those who
 * wait have left. */
#pragma once
#include "proc/ipc.h"

#define MSGQUEUE_BYTES 16384U  /* of a queue's messages, unless somebody sets less */
#define MSGQUEUE_LETTERS 1024U /* messages in a queue; who sends more waits */
#define MSGQUEUE_LONGEST 8192U /* bytes of one */

struct msgqueue_about {
    struct ipc_thing common;
    uint64_t bytes, letters, most; /* most: bytes */
    int32_t sender, receiver;      /* the last ones */
    int64_t sent_at, received_at;
};

/* -K_ENOENT, -K_EEXIST; -K_ENOSPC: there are as many as there can be; -K_ENOMEM. */
int msgqueue_get(const struct ipc_wish *w, int32_t *id) must_check;

/* n bytes of the caller's. Waits for room. -K_EINVAL: no such queue, no type, or too long;
 * -K_EAGAIN: there is none, and it is not to wait; -K_ENOMEM: those that nobody has received take
 * as much as all together may; -K_EIDRM: it was removed meanwhile; -K_EINTR; -K_EFAULT. */
int msgqueue_send(int32_t id, int64_t type, uaddr_t from, size_t n, bool waits) must_check;

/* Which one: 0: the first; of this type; but: the first of another one; negative: one of the lowest
 * type up to the same without the sign. */
struct msgqueue_choice {
    int64_t type;
    bool but;
    bool waits;
    bool cut; /* a longer one is cut; else it stays there, and it is -K_E2BIG */
};

/* Takes it out; n: how much room there is, and then how much of it was told. Waits for one.
 * -K_ENOMSG: there is none, and it is not to wait; -K_EFAULT: it is lost; and as above. */
int msgqueue_receive(int32_t id, const struct msgqueue_choice *c, uaddr_t to, size_t *n,
                     int64_t *type) must_check;

/* -K_EINVAL: there is no such queue. To set more room than MSGQUEUE_BYTES is -K_EPERM. */
int msgqueue_look(int32_t id, bool by_place, struct msgqueue_about *out) must_check;
int msgqueue_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode, uint64_t most) must_check;
int msgqueue_remove(int32_t id) must_check;
/* What there is: queues, messages, bytes; and the highest place in use. */
struct msgqueue_sums {
    uint32_t used, letters, bytes, places;
};
struct msgqueue_sums msgqueue_sums(void);
