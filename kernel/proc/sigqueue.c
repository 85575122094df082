/* Signals that wait in a row: see sigqueue.h. */
#include "proc/sigqueue.h"
#include "lib/panic.h"
#include "mm/slab.h"
#include "proc/ptimer.h"

static struct slab records = SLAB_INIT(records, sizeof(struct queued_signal));

struct queued_signal *signal_queued_make(void) {
    struct queued_signal *q = slab_take(&records);
    if (q)
        *q = (struct queued_signal){0};
    return q;
}

void signal_queued_give(struct queued_signal *q) { slab_give(&records, q); }

void queue_add_locked(struct proc *p, struct queued_signal *q) {
    struct signals *s = p->signals;
    ASSERT_LOCKED(&p->lock);
    struct queued_signal **at = &s->queue;
    while (*at)
        at = &(*at)->next;
    q->next = NULL;
    *at = q;
    s->queued++;
}

static void take_out(struct signals *s, struct queued_signal **at) {
    struct queued_signal *q = *at;
    *at = q->next;
    s->queued--;
    if (q->timer)
        ptimer_heard_locked(q->timer, q);
    else
        signal_queued_give(q);
}

static struct queued_signal **find(struct queued_signal **at, const struct thread *only,
                                   int32_t signal) {
    while (*at && ((*at)->only != only || (*at)->signal != signal))
        at = &(*at)->next;
    return at;
}

bool queue_take_locked(struct proc *p, const struct thread *only, int32_t signal,
                       struct signal_info *info, bool *more) {
    struct signals *s = p->signals;
    ASSERT_LOCKED(&p->lock);
    struct queued_signal **at = find(&s->queue, only, signal);
    *more = false;
    if (!*at)
        return false;
    *info = (*at)->info;
    const struct ptimer *timer = (*at)->timer;
    take_out(s, at);
    if (timer)
        info->uid = ptimer_overruns_locked(timer);
    at = find(at, only, signal);
    *more = *at;
    return true;
}

void queue_leave_timer_locked(struct proc *p, const struct ptimer *timer) {
    ASSERT_LOCKED(&p->lock);
    for (struct queued_signal *q = p->signals->queue; q; q = q->next)
        if (q->timer == timer)
            q->timer = NULL;
}

void queue_forget_locked(struct proc *p, uint64_t bits, const struct thread *only) {
    struct signals *s = p->signals;
    ASSERT_LOCKED(&p->lock);
    for (struct queued_signal **at = &s->queue; *at;) {
        if ((signal_bit((*at)->signal) & bits) && (!only || (*at)->only == only))
            take_out(s, at);
        else
            at = &(*at)->next;
    }
}
