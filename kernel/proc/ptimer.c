/* Timers by number: see ptimer.h.
 *
 * Locks: `setting`, under which timers come, go and are set, and the process's lock. A ring comes
 * under the clock's and takes the process's; so a timer is taken out of the clock before the
 * process's lock is taken, and put there afterwards. */
#include "proc/ptimer.h"
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/slab.h"
#include "proc/clock.h"
#include "proc/sigaction.h"
#include "proc/sigqueue.h"

struct ptimer {
    struct proc *proc;
    int32_t id;
    struct ptimer_wish wish;
    struct alarm alarm; /* under `setting` */

    struct ptimer *next; /* this under both locks, what follows under the process's */
    bool runs;
    uint64_t at, every;           /* nanoseconds by its clock, or since boot; every 0: once */
    uint64_t overruns;            /* since the ring whose signal is pending */
    uint32_t told;                /* the same of the last one that was taken */
    unsigned unheard;             /* rings since then, up to UNHEARD_MOST */
    struct queued_signal *record; /* NULL: it is in the queue */
};

static struct spinlock setting = SPINLOCK_INIT(RANK_ITIMER);
static struct slab timers = SLAB_INIT(timers, sizeof(struct ptimer));

/* Microseconds from one ring to the next, at least; twice as many for each that nobody has heard.
 */
#define SHORTEST 1000
#define UNHEARD_MOST 4U

static uint64_t sum(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

static bool by_run(const struct ptimer *t) { return t->wish.clock >= PTIMER_OF_PROCESS; }

/* By its clock. That of a thread which has ended stands still. */
static uint64_t now_locked(const struct ptimer *t) {
    uint64_t time = 0;
    ASSERT_LOCKED(&t->proc->lock);
    if (!by_run(t))
        return clock_nanoseconds();
    if (t->wish.clock == PTIMER_OF_PROCESS)
        time = usage_time_locked(t->proc);
    else if (usage_thread_time_locked(t->proc, t->wish.clock_tid, &time))
        return 0;
    return clock_microseconds(time) * 1000;
}

/* ---- ringing ---- */

/* How often it has rung by now, since `at`, which is the next time from then on. */
static uint64_t pass_locked(struct ptimer *t, uint64_t now) {
    ASSERT_LOCKED(&t->proc->lock);
    if (!t->runs || now < t->at)
        return 0;
    uint64_t n = t->every ? 1 + (now - t->at) / t->every : 1;
    t->runs = t->every > 0;
    t->at = sum(t->at, n * t->every);
    return n;
}

static struct thread *thread_of_locked(struct proc *p, int32_t tid) {
    ASSERT_LOCKED(&p->lock);
    LIST_EACH(link, &p->threads) {
        struct thread *t = LIST_ENTRY(link, struct thread, in_process);
        if (t->tid == tid && t->state != T_DEAD)
            return t;
    }
    return NULL;
}

/* What would do nothing is forgotten, and the record is there still. */
static void post_locked(struct ptimer *t) {
    ASSERT_LOCKED(&t->proc->lock);
    struct thread *only = t->wish.tid ? thread_of_locked(t->proc, t->wish.tid) : NULL;
    struct signal_info info = {
        .code = ABI_SI_TIMER,
        .pid = t->id,
        .value = t->wish.tells_number ? (uint64_t)t->id : t->wish.value,
    };
    if (only || !t->wish.tid)
        (void)signal_queue_locked(t->proc, only, t->wish.signal, &info, &t->record);
}

static void ring_locked(struct ptimer *t) {
    ASSERT_LOCKED(&t->proc->lock);
    uint64_t n = pass_locked(t, now_locked(t));
    if (n == 0 || !t->wish.signal)
        return;
    if (t->record) {
        t->overruns = n - 1;
        post_locked(t);
    } else {
        t->overruns = sum(t->overruns, n);
    }
}

/* When the clock has to look at it; 0: it has not. */
static uint64_t due_locked(const struct ptimer *t) {
    ASSERT_LOCKED(&t->proc->lock);
    if (!t->runs || by_run(t) || !t->wish.signal)
        return 0;
    uint64_t now = clock_nanoseconds();
    return clock_after(t->at - MIN(t->at, now));
}

static uint64_t ring(struct alarm *alarm) {
    struct ptimer *t = CONTAINER_OF(alarm, struct ptimer, alarm);
    spin_lock(&t->proc->lock);
    ring_locked(t);
    uint64_t due = due_locked(t);
    uint64_t soonest = cpu_time() + (clock_span(SHORTEST) << t->unheard);
    t->unheard = MIN(t->unheard + 1, UNHEARD_MOST);
    spin_unlock(&t->proc->lock);
    return due ? MAX(due, soonest) : 0;
}

void ptimers_tick_locked(struct proc *p) {
    ASSERT_LOCKED(&p->lock);
    for (struct ptimer *t = p->ptimers; t; t = t->next)
        if (by_run(t))
            ring_locked(t);
}

void ptimer_heard_locked(struct ptimer *t, struct queued_signal *record) {
    ASSERT_LOCKED(&t->proc->lock);
    uint64_t all = sum(t->overruns, pass_locked(t, now_locked(t)));
    t->record = record;
    t->told = (uint32_t)MIN(all, (uint64_t)INT32_MAX);
    t->unheard = 0;
}

uint32_t ptimer_overruns_locked(const struct ptimer *t) {
    ASSERT_LOCKED(&t->proc->lock);
    return t->told;
}

/* ---- coming and going ---- */

/* Where it is, or would be; a number below that of the one there is free if it is `id`. */
static struct ptimer **place_of(struct ptimer **at, int32_t id) {
    while (*at && (*at)->id < id)
        at = &(*at)->next;
    return at;
}

/* For who holds one of the locks. NULL: there is none. */
static struct ptimer *find(struct proc *p, int32_t id) {
    struct ptimer *t = *place_of(&p->ptimers, id);
    return t && t->id == id ? t : NULL;
}

/* Gets the lowest number that is free. -K_EAGAIN: there is none. */
static int come_locked(struct ptimer *t) {
    struct proc *p = t->proc;
    struct ptimer **at = &p->ptimers;
    ASSERT_LOCKED(&p->lock);
    for (t->id = 0; *at && (*at)->id == t->id; t->id++)
        at = &(*at)->next;
    if (t->id == PTIMERS_MOST)
        return -K_EAGAIN;
    t->next = *at;
    *at = t;
    if (by_run(t))
        __atomic_store_n(&p->ptimers_run, true, __ATOMIC_RELAXED);
    return 0;
}

static int check_locked(struct proc *p, const struct ptimer_wish *w) {
    ASSERT_LOCKED(&p->lock);
    bool gone = (w->tid && !thread_of_locked(p, w->tid)) ||
                (w->clock == PTIMER_OF_THREAD && !thread_of_locked(p, w->clock_tid));
    return gone ? -K_EINVAL : 0;
}

static void give(struct ptimer *t) {
    if (t->record)
        signal_queued_give(t->record);
    slab_give(&timers, t);
}

int ptimer_make(const struct ptimer_wish *w, int32_t *id) {
    struct proc *p = proc_self();
    struct ptimer *t = signal_need_record() ? NULL : slab_take(&timers);
    if (!t)
        return -K_EAGAIN;
    *t = (struct ptimer){.proc = p, .wish = *w, .alarm = {.ring = ring}};
    int err = 0;
    if (w->signal) {
        t->record = signal_queued_make();
        if (t->record)
            t->record->timer = t;
        else
            err = -K_EAGAIN;
    }
    spin_lock(&setting);
    spin_lock(&p->lock);
    if (!err)
        err = check_locked(p, w);
    if (!err)
        err = come_locked(t);
    *id = t->id;
    spin_unlock(&p->lock);
    spin_unlock(&setting);
    if (err)
        give(t);
    return err;
}

/* The one at this place is nobody's afterwards. `setting` is held, the process's lock is not. */
static void leave_locked(struct ptimer **at) {
    ASSERT_LOCKED(&setting);
    struct ptimer *t = *at;
    clock_remove(&t->alarm);
    spin_lock(&t->proc->lock);
    *at = t->next;
    if (!t->record && t->wish.signal)
        queue_leave_timer_locked(t->proc, t);
    spin_unlock(&t->proc->lock);
    give(t);
}

int ptimer_delete(int32_t id) {
    struct proc *p = proc_self();
    spin_lock(&setting);
    struct ptimer **at = place_of(&p->ptimers, id);
    bool found = *at && (*at)->id == id;
    if (found)
        leave_locked(at);
    spin_unlock(&setting);
    return found ? 0 : -K_EINVAL;
}

void ptimers_end(struct proc *p) {
    spin_lock(&setting);
    while (p->ptimers)
        leave_locked(&p->ptimers);
    __atomic_store_n(&p->ptimers_run, false, __ATOMIC_RELAXED);
    spin_unlock(&setting);
}

/* ---- setting and looking ---- */

static struct timer_setting look_locked(const struct ptimer *t) {
    ASSERT_LOCKED(&t->proc->lock);
    struct timer_setting s = {.every = t->every};
    struct ptimer later = *t;
    uint64_t now = now_locked(t);
    if (t->every || !t->wish.signal)
        (void)pass_locked(&later, now);
    if (later.runs) /* 1: it rings now */
        s.first = MAX(later.at - MIN(later.at, now), 1UL);
    return s;
}

static void set_locked(struct ptimer *t, const struct timer_setting *s, bool absolute) {
    ASSERT_LOCKED(&t->proc->lock);
    t->runs = s->first > 0;
    t->every = t->runs ? s->every : 0;
    t->at = !absolute                         ? sum(now_locked(t), s->first)
            : t->wish.clock == PTIMER_BY_DATE ? clock_of_date(s->first)
                                              : s->first;
    t->overruns = t->told = t->unheard = 0;
}

int ptimer_set(int32_t id, const struct timer_setting *s, bool absolute,
               struct timer_setting *before) {
    struct proc *p = proc_self();
    spin_lock(&setting);
    struct ptimer *t = find(p, id);
    if (t) {
        clock_remove(&t->alarm);
        spin_lock(&p->lock);
        *before = look_locked(t);
        set_locked(t, s, absolute);
        if (by_run(t))
            ring_locked(t); /* its time may be over already, and who sets it may not run on */
        uint64_t due = due_locked(t);
        spin_unlock(&p->lock);
        if (due && due != UINT64_MAX)
            clock_add(&t->alarm, due);
    }
    spin_unlock(&setting);
    clock_arm_again();
    return t ? 0 : -K_EINVAL;
}

int ptimer_get(int32_t id, struct timer_setting *now) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    const struct ptimer *t = find(p, id);
    if (t)
        *now = look_locked(t);
    spin_unlock(&p->lock);
    return t ? 0 : -K_EINVAL;
}

int ptimer_overruns(int32_t id, uint32_t *n) {
    struct proc *p = proc_self();
    spin_lock(&p->lock);
    const struct ptimer *t = find(p, id);
    if (t)
        *n = t->told;
    spin_unlock(&p->lock);
    return t ? 0 : -K_EINVAL;
}
