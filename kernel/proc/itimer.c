/* Interval timers: see itimer.h. */
#include "proc/itimer.h"
#include "arch/cpu.h"
#include "lib/panic.h"
#include "proc/clock.h"
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

void itimer_get(uint64_t *first, uint64_t *every) {
    spin_lock(&itimer_lock);
    read_locked(&proc_self()->interval, first, every);
    spin_unlock(&itimer_lock);
}

void itimer_set(uint64_t *first, uint64_t *every) {
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

void itimer_stop(struct proc *p) {
    spin_lock(&itimer_lock);
    clock_remove(&p->interval.alarm);
    spin_unlock(&itimer_lock);
}
