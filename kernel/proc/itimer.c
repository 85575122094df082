/* Interval timers: see itimer.h. */
#include "proc/itimer.h"
#include "arch/cpu.h"
#include "lib/panic.h"
#include "proc/clock.h"
#include "proc/ptimer.h"
#include "proc/signal.h"

/* Guards all timers' settings; a ring is under the lock of the clock's heap. */
static struct spinlock itimer_lock = SPINLOCK_INIT(RANK_ITIMER);

/* Microseconds from one ring to the next, at least: else interrupts would leave no time to anybody
 * on the hart. */
#define SHORTEST 1000

static uint64_t ring(struct alarm *alarm) {
    static const struct signal_info info = {.code = ABI_SI_KERNEL};
    struct proc *p = CONTAINER_OF(alarm, struct proc, interval.alarm);
    spin_lock(&p->lock);
    signal_post_locked(p, NULL, ABI_SIGALRM, &info);
    spin_unlock(&p->lock);
    uint64_t soonest = cpu_time() + clock_span(SHORTEST);
    return p->interval.every ? MAX(alarm->at + p->interval.every, soonest) : 0;
}

static void read_locked(const struct interval *i, uint64_t *first, uint64_t *every) {
    ASSERT_LOCKED(&itimer_lock);
    uint64_t now = cpu_time(), at = clock_alarm_at(&i->alarm);
    *first = !at ? 0 : at > now ? at - now : 1;
    *every = at ? i->every : 0;
}

/* ---- by the time in which the process ran ---- */

static void set_run_locked(struct proc *p, struct run_interval *i, uint64_t first, uint64_t every) {
    ASSERT_LOCKED(&p->lock);
    *i = (struct run_interval){first ? usage_time_locked(p) + first : 0, every};
    bool timed = p->run_intervals[0].at || p->run_intervals[1].at;
    __atomic_store_n(&p->runs_timed, timed, __ATOMIC_RELAXED);
}

static void read_run_locked(struct proc *p, const struct run_interval *i, uint64_t *first,
                            uint64_t *every) {
    ASSERT_LOCKED(&p->lock);
    uint64_t used = usage_time_locked(p);
    /* One that is set is never told as 0. */
    *first = !i->at ? 0 : MAX(i->at > used ? i->at - used : 0, clock_span(1));
    *every = i->at ? i->every : 0;
}

static void ring_run_locked(struct proc *p, struct run_interval *i, int32_t signal) {
    static const struct signal_info info = {.code = ABI_SI_KERNEL};
    ASSERT_LOCKED(&p->lock);
    uint64_t used = usage_time_locked(p);
    if (!i->at || i->at > used)
        return;
    signal_post_locked(p, NULL, signal, &info);
    if (i->every) /* from when it was due: else a period would be rounded up to slices */
        i->at = MAX(i->at + i->every, used + clock_span(SHORTEST));
    else
        set_run_locked(p, i, 0, 0);
}

void itimer_tick(void) {
    struct proc *p = proc_self();
    if (!p || !(__atomic_load_n(&p->runs_timed, __ATOMIC_RELAXED) ||
                __atomic_load_n(&p->ptimers_run, __ATOMIC_RELAXED)))
        return;
    spin_lock(&p->lock);
    ring_run_locked(p, &p->run_intervals[ABI_ITIMER_VIRTUAL - 1], ABI_SIGVTALRM);
    ring_run_locked(p, &p->run_intervals[ABI_ITIMER_PROF - 1], ABI_SIGPROF);
    ptimers_tick_locked(p);
    spin_unlock(&p->lock);
}

/* ---- both sorts ---- */

static struct run_interval *run_interval(struct proc *p, unsigned which) {
    return &p->run_intervals[which - 1];
}

void itimer_get(unsigned which, uint64_t *first, uint64_t *every) {
    struct proc *p = proc_self();
    struct spinlock *lock = which == ABI_ITIMER_REAL ? &itimer_lock : &p->lock;
    spin_lock(lock);
    if (which == ABI_ITIMER_REAL)
        read_locked(&p->interval, first, every);
    else
        read_run_locked(p, run_interval(p, which), first, every);
    spin_unlock(lock);
}

static void set_run(unsigned which, uint64_t *first, uint64_t *every) {
    struct proc *p = proc_self();
    uint64_t before, every_before;
    spin_lock(&p->lock);
    read_run_locked(p, run_interval(p, which), &before, &every_before);
    set_run_locked(p, run_interval(p, which), *first, *every);
    spin_unlock(&p->lock);
    *first = before;
    *every = every_before;
}

static void set_real(uint64_t *first, uint64_t *every) {
    struct interval *i = &proc_self()->interval;
    uint64_t before, every_before;
    spin_lock(&itimer_lock);
    read_locked(i, &before, &every_before);
    clock_remove(&i->alarm);
    i->every = *every;
    i->alarm.ring = ring;
    if (*first)
        clock_add(&i->alarm, cpu_time() + *first);
    spin_unlock(&itimer_lock);
    clock_arm_again();
    *first = before;
    *every = every_before;
}

void itimer_set(unsigned which, uint64_t *first, uint64_t *every) {
    if (which == ABI_ITIMER_REAL)
        set_real(first, every);
    else
        set_run(which, first, every);
}

void itimer_stop(struct proc *p) {
    spin_lock(&itimer_lock);
    clock_remove(&p->interval.alarm);
    spin_unlock(&itimer_lock);
}
