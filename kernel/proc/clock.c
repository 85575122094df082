/* Ticks, sleepers, slices: see clock.h. */
#include "proc/clock.h"
#include "arch/cpu.h"
#include "arch/timer.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/sched.h"

#define NANOSECONDS 1000000000ULL

static uint64_t hz, tick_length, slice_length, boot_time;
static uint64_t date_at_boot; /* in nanoseconds */

/* Those that sleep until a time, on the hart where the sleep began; soonest first. */
static struct hart_sleepers {
    struct spinlock lock;
    struct list due; /* thread.alarm_link */
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
    slice_length = timebase_hz / SLICES_PER_SECOND;
    boot_time = cpu_time();
    for (unsigned i = 0; i < NHART; i++) {
        spin_init(&sleepers[i].lock, RANK_SLEEPERS);
        list_init(&sleepers[i].due);
    }
}

uint64_t clock_ticks(void) { return (cpu_time() - boot_time) / tick_length; }

uint64_t clock_after(uint64_t ns) {
    uint64_t seconds = ns / NANOSECONDS;
    if (seconds > UINT32_MAX)
        return UINT64_MAX;
    uint64_t rest = ns % NANOSECONDS * hz;
    return cpu_time() + seconds * hz + (rest + NANOSECONDS - 1) / NANOSECONDS;
}

uint64_t clock_to_ticks(uint64_t time) { return time / tick_length; }

/* In two steps, so that nothing overflows. */
uint64_t clock_nanoseconds(void) {
    uint64_t time = cpu_time() - boot_time;
    return time / hz * NANOSECONDS + time % hz * NANOSECONDS / hz;
}

void clock_set_date(uint64_t nanoseconds) { date_at_boot = nanoseconds - clock_nanoseconds(); }

uint64_t clock_date(void) { return date_at_boot + clock_nanoseconds(); }

static struct thread *sleeper(struct list *link) {
    return LIST_ENTRY(link, struct thread, alarm_link);
}

static uint64_t next_due(struct hart_sleepers *s) {
    spin_lock(&s->lock);
    uint64_t when = list_empty(&s->due) ? UINT64_MAX : sleeper(s->due.next)->alarm_at;
    spin_unlock(&s->lock);
    return hart_self()->index ? when : MIN(when, poll_at);
}

void clock_arm_idle(void) { timer_set(next_due(&sleepers[hart_self()->index])); }

void clock_arm_running(void) {
    uint64_t slice_end = cpu_time() + slice_length;
    timer_set(MIN(slice_end, next_due(&sleepers[hart_self()->index])));
}

/* Its sleep ends, or the next one does not begin: one alone, since others may wait for a disk. */
static void ring(struct thread *t) {
    spin_lock(&t->lock);
    __atomic_store_n(&t->alarm_rang, true, __ATOMIC_RELAXED);
    t->alarm_untold = t->state != T_SLEEPING;
    if (t->alarm_untold)
        spin_unlock(&t->lock);
    else
        sched_ready(t);
}

void clock_interrupt(void) {
    struct hart_sleepers *s = &sleepers[hart_self()->index];
    uint64_t now = cpu_time();
    spin_lock(&s->lock);
    while (!list_empty(&s->due) && sleeper(s->due.next)->alarm_at <= now) {
        struct thread *t = sleeper(s->due.next);
        list_remove(&t->alarm_link);
        ring(t);
    }
    spin_unlock(&s->lock);
    if (!hart_self()->index && poll_at <= now) {
        poll_at = now + slice_length;
        for (unsigned i = 0; i < poll_count; i++)
            polls[i]();
    }
    sched_tick();
    clock_arm_running();
}

static void insert_sorted(struct list *due, struct thread *t) {
    struct list *at = due->next;
    while (at != due && sleeper(at)->alarm_at <= t->alarm_at)
        at = at->next;
    list_insert(&t->alarm_link, at->prev, at);
}

void clock_set_alarm(uint64_t when) {
    struct thread *t = thread_self();
    struct hart_sleepers *s = &sleepers[hart_self()->index];
    t->alarm_at = when;
    t->alarm_hart = hart_self()->index;
    spin_lock(&s->lock);
    insert_sorted(&s->due, t);
    spin_unlock(&s->lock);
}

bool clock_end_alarm(void) {
    struct thread *t = thread_self();
    struct hart_sleepers *s = &sleepers[t->alarm_hart];
    spin_lock(&s->lock);
    list_remove(&t->alarm_link);
    spin_unlock(&s->lock);
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

int proc_sleep_ticks(uint64_t ticks) {
    clock_set_alarm(boot_time + (clock_ticks() + ticks) * tick_length);
    spin_lock(&nap_lock);
    while (!clock_alarm_rang() && !proc_killed())
        sleep_on(&napping, &nap_lock);
    spin_unlock(&nap_lock);
    clock_end_alarm();
    return proc_killed() ? -K_EINTR : 0;
}
