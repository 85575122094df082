/* Run queues: see runqueue.h. */
#include "proc/runqueue.h"
#include "proc/group.h"
#include "proc/thread.h"

#define JUMPS 4

void run_queue_init(struct run_queue *q) {
    spin_init(&q->lock, RANK_RUN_QUEUE);
    list_init(&q->threads);
}

/* How many may be in a row with one of p's. The last one is the session's, and the one before for
 * another command than the one that has jumped last: else a command of many threads that wake each
 * other would use up all of them, and the shell stand behind all its threads. */
static uint32_t jumps_for(const struct run_queue *q, const struct proc *p) {
    if (!proc_in_reserve(p))
        return 0;
    return p->depth <= 1 ? JUMPS : p != q->jumper ? JUMPS - 1 : JUMPS - 2;
}

static void queue_up_locked(struct run_queue *q, struct thread *t, bool woken) {
    ASSERT_LOCKED(&q->lock);
    t->jumps = woken && q->jumped < jumps_for(q, t->proc);
    if (t->jumps) {
        q->jumped++;
        q->jumper = t->proc;
        list_push_front(&q->threads, &t->run_link);
    } else {
        list_push_back(&q->threads, &t->run_link);
    }
}

bool run_queue_add(struct run_queue *q, struct thread *t, bool woken) {
    spin_lock(&q->lock);
    queue_up_locked(q, t, woken);
    bool first = t->jumps || !q->length;
    __atomic_store_n(&q->length, q->length + 1, __ATOMIC_RELAXED);
    spin_unlock(&q->lock);
    return first;
}

struct thread *run_queue_take(struct run_queue *q) {
    if (!__atomic_load_n(&q->length, __ATOMIC_RELAXED))
        return NULL;
    spin_lock(&q->lock);
    struct list *link = list_pop_front(&q->threads);
    struct thread *t = link ? LIST_ENTRY(link, struct thread, run_link) : NULL;
    if (t)
        __atomic_store_n(&q->length, q->length - 1, __ATOMIC_RELAXED);
    if (!t || !t->jumps)
        q->jumped = 0;
    spin_unlock(&q->lock);
    return t;
}
