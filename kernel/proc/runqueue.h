/* The threads that could run, of one hart, in the order in which they will.
 *
 * What was woken in the session of the first process goes first, so that its shell and the commands
 * that it runs get on among a hundred that always run. After a few of these in a row it is the
 * others' turn. */
#pragma once
#include "lib/list.h"
#include "sync/spinlock.h"

struct proc;
struct thread;

struct run_queue {
    struct spinlock lock;
    struct list threads; /* thread.run_link */
    uint32_t length;
    uint32_t jumped;           /* went to the front, in a row */
    const struct proc *jumper; /* whose the last of these was; it may be another's by now */
};

/* At boot. */
void run_queue_init(struct run_queue *q);

/* t, which is in no queue; woken: it has waited for something, and does not come from a hart.
 * True: it is the first in the queue. */
bool run_queue_add(struct run_queue *q, struct thread *t, bool woken);

/* Takes the first one out; NULL: there is none. */
struct thread *run_queue_take(struct run_queue *q) must_check;

/* How many there are, without the lock: another hart may change it at once. In order with all other
 * accesses that are sequentially consistent. */
static inline uint32_t run_queue_length(const struct run_queue *q) {
    return __atomic_load_n(&q->length, __ATOMIC_SEQ_CST);
}
