/* Ticks, sleepers, slices: see clock.h. */
#include "proc/clock.h"
#include "arch/cpu.h"
#include "arch/timer.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/sched.h"
#include "proc/signal.h"

#define NANOSECONDS 1000000000ULL

uint64_t clock_slice;
static uint64_t hz, tick_length, boot_time;
static uint64_t date_at_boot; /* in nanoseconds */

/* Alarms, on the hart where they were set. */
static struct hart_sleepers {
    struct spinlock lock;
    struct alarms due;
    uint64_t slice_end; /* the hart's own */
} sleepers[NHART];

static void (*polls[2])(void);
static unsigned poll_count;
static uint64_t poll_at = UINT64_MAX;

void clock_poll(void (*fn)(void)) {
    ASSERT(poll_count < ARRAY_LEN(polls));
    polls[poll_count++] = fn;
    poll_at = cpu_time();
}

void clock_init(uint64_t timebase_hz) {
    hz = timebase_hz;
    tick_length = timebase_hz / ABI_TICKS_PER_SECOND;
    clock_slice = timebase_hz / SLICES_PER_SECOND;
    boot_time = cpu_time();
    for (unsigned i = 0; i < NHART; i++)
        spin_init(&sleepers[i].lock, RANK_SLEEPERS);
}

uint64_t clock_ticks(void) { return (cpu_time() - boot_time) / tick_length; }

uint64_t clock_after(uint64_t ns) {
    uint64_t seconds = ns / NANOSECONDS;
    if (seconds > UINT32_MAX)
        return UINT64_MAX;
    uint64_t rest = ns % NANOSECONDS * hz;
    return cpu_time() + seconds * hz + (rest + NANOSECONDS - 1) / NANOSECONDS;
}

uint64_t clock_left(uint64_t when) {
    uint64_t now = cpu_time(), left = when > now ? when - now : 0;
    return left / hz * NANOSECONDS + left % hz * NANOSECONDS / hz;
}

uint64_t clock_microseconds(uint64_t time) {
    return time / hz * 1000000 + time % hz * 1000000 / hz;
}

uint64_t clock_span(uint64_t us) {
    return us / 1000000 * hz + (us % 1000000 * hz + 999999) / 1000000;
}

uint64_t clock_to_ticks(uint64_t time) { return time / tick_length; }

/* In two steps, so that nothing overflows. */
uint64_t clock_nanoseconds(void) {
    uint64_t time = cpu_time() - boot_time;
    return time / hz * NANOSECONDS + time % hz * NANOSECONDS / hz;
}

uint64_t clock_date(void) { return date_at_boot + clock_nanoseconds(); }

uint64_t clock_of_date(uint64_t date) { return date > date_at_boot ? date - date_at_boot : 0; }

/* ---- for user mode ---- */

static struct clock_base *shared;
static bool not_readable; /* atomic */

static void tell_readable(void) {
    bool no = __atomic_load_n(&not_readable, __ATOMIC_SEQ_CST);
    __atomic_store_n(&shared->readable, !no, __ATOMIC_SEQ_CST);
}

/* Who reads meanwhile sees that it changes, before it and after it. */
static void tell_date(void) {
    __atomic_store_n(&shared->changes, shared->changes + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&shared->date_at_boot, date_at_boot, __ATOMIC_RELAXED);
    __atomic_store_n(&shared->changes, shared->changes + 1, __ATOMIC_RELEASE);
}

void clock_share(struct clock_base *base) {
    base->hz = hz;
    base->boot_time = boot_time;
    __atomic_store_n(&shared, base, __ATOMIC_RELEASE);
    tell_date();
    tell_readable();
}

void clock_not_readable(void) {
    __atomic_store_n(&not_readable, true, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&shared, __ATOMIC_ACQUIRE))
        tell_readable();
}

void clock_set_date(uint64_t nanoseconds) {
    date_at_boot = nanoseconds - clock_nanoseconds();
    if (shared)
        tell_date();
}

static uint64_t next_due(struct hart_sleepers *s) {
    spin_lock(&s->lock);
    uint64_t when = s->due.first ? s->due.first->at : UINT64_MAX;
    spin_unlock(&s->lock);
    return hart_self()->index ? when : MIN(when, poll_at);
}

void clock_arm_idle(void) { timer_set(next_due(&sleepers[hart_self()->index])); }

void clock_arm_running(void) {
    sleepers[hart_self()->index].slice_end = cpu_time() + clock_slice;
    clock_arm_again();
}

void clock_arm_again(void) {
    struct hart_sleepers *s = &sleepers[hart_self()->index];
    timer_set(MIN(s->slice_end, next_due(s)));
}

/* Its sleep ends, or the next one does not begin: one alone, since others may wait for a disk. */
static uint64_t ring_sleeper(struct alarm *alarm) {
    struct thread *t = CONTAINER_OF(alarm, struct thread, alarm);
    spin_lock(&t->lock);
    __atomic_store_n(&t->alarm_rang, true, __ATOMIC_RELAXED);
    t->alarm_untold = t->state != T_SLEEPING;
    if (t->alarm_untold)
        spin_unlock(&t->lock);
    else
        sched_ready(t);
    return 0;
}

/* So many with the lock; for more the timer interrupts again at once. */
#define RINGS_AT_ONCE 64

/* One that wants to ring again in the past rings now, and once. */
static void ring_due(struct alarms *due, uint64_t now) {
    for (int n = 0; n < RINGS_AT_ONCE && due->first && due->first->at <= now; n++) {
        struct alarm *alarm = due->first;
        alarms_remove(due, alarm);
        uint64_t again = alarm->ring(alarm);
        if (again) {
            alarm->at = MAX(again, now + 1);
            alarms_add(due, alarm);
        }
    }
}

void clock_interrupt(void) {
    struct hart_sleepers *s = &sleepers[hart_self()->index];
    uint64_t now = cpu_time();
    spin_lock(&s->lock);
    ring_due(&s->due, now);
    spin_unlock(&s->lock);
    if (!hart_self()->index && poll_at <= now) {
        poll_at = now + clock_slice;
        for (unsigned i = 0; i < poll_count; i++)
            polls[i]();
    }
    sched_tick();
    clock_arm_running();
}

void clock_add(struct alarm *alarm, uint64_t when) {
    struct hart_sleepers *s = &sleepers[hart_self()->index];
    alarm->at = when;
    alarm->hart = hart_self()->index;
    spin_lock(&s->lock);
    alarms_add(&s->due, alarm);
    spin_unlock(&s->lock);
}

void clock_remove(struct alarm *alarm) {
    struct hart_sleepers *s = &sleepers[alarm->hart];
    spin_lock(&s->lock);
    alarms_remove(&s->due, alarm);
    spin_unlock(&s->lock);
}

uint64_t clock_alarm_at(const struct alarm *alarm) {
    struct hart_sleepers *s = &sleepers[alarm->hart];
    spin_lock(&s->lock);
    uint64_t when = alarm_is_set(alarm) ? alarm->at : 0;
    spin_unlock(&s->lock);
    return when;
}

void clock_set_alarm(uint64_t when) {
    struct thread *t = thread_self();
    t->alarm.ring = ring_sleeper;
    t->alarm.at = when; /* also of one that never rings: a wait that goes on has that end */
    if (when != UINT64_MAX)
        clock_add(&t->alarm, when);
}

bool clock_end_alarm(void) {
    struct thread *t = thread_self();
    if (t->alarm.at == UINT64_MAX)
        return false;
    clock_remove(&t->alarm);
    bool rang = clock_alarm_rang();
    spin_lock(&t->lock);
    t->alarm_rang = t->alarm_untold = false;
    spin_unlock(&t->lock);
    return rang;
}

bool clock_alarm_rang(void) {
    return __atomic_load_n(&thread_self()->alarm_rang, __ATOMIC_RELAXED);
}

/* Nobody wakes those who wait for the time alone. */
static struct spinlock nap_lock = SPINLOCK_INIT(RANK_NAP);
static struct wait_channel napping = {LIST_INIT(napping.sleepers)};

static void nap(void) {
    spin_lock(&nap_lock);
    while (!clock_alarm_rang() && !proc_interrupted())
        sleep_on(&napping, &nap_lock);
    spin_unlock(&nap_lock);
}

int proc_sleep_until(uint64_t when) {
    clock_set_alarm(when);
    nap();
    return clock_end_alarm() ? 0 : -K_EINTR;
}

int proc_sleep_ticks(uint64_t ticks) {
    return proc_sleep_until(signal_resume_until(boot_time + (clock_ticks() + ticks) * tick_length));
}

int proc_pause(void) {
    nap();
    return -K_EINTR;
}
