/* Time: ticks of the xv6 interface, the date, alarms, and the time slice. There is no periodic
 * tick: a hart that idles is interrupted when the next alarm in its list is due, and a hart that
 * runs a thread also at the end of a slice. */
#pragma once
#include "proc/proc.h"

#define SLICES_PER_SECOND 250

extern uint64_t clock_slice; /* how long one is, in cpu_time; set at boot */

void clock_init(uint64_t timebase_hz);
uint64_t clock_ticks(void);                 /* since boot */
uint64_t clock_to_ticks(uint64_t time);     /* a span of cpu_time, rounded down */
uint64_t clock_nanoseconds(void);           /* since boot */
uint64_t clock_microseconds(uint64_t time); /* a span of cpu_time */
uint64_t clock_span(uint64_t microseconds); /* the other way, rounded up */

/* The date, in nanoseconds since the beginning of 1970; set at boot, else it begins there with 0.
 */
void clock_set_date(uint64_t nanoseconds);
uint64_t clock_date(void);
uint64_t clock_of_date(uint64_t date); /* nanoseconds since boot; 0: before that */

/* What the time can be computed from without the kernel: arch/vdso.S, which knows the offsets.
 * While the date changes, `changes` is odd, and afterwards it is another number. */
struct clock_base {
    uint32_t changes;
    uint32_t readable; /* user mode may read the time counter, on all harts */
    uint64_t hz;
    uint64_t boot_time;    /* of the counter */
    uint64_t date_at_boot; /* nanoseconds since the beginning of 1970 */
};

/* Fills it, and keeps it so from then on. Once, at boot. */
void clock_share(struct clock_base *base);
/* Some hart does not let user mode read the time counter. */
void clock_not_readable(void);

/* Sets an alarm, of nobody's yet, on this hart, or takes it back: then it does not ring any more,
 * unless it is set again. Each is set and taken back by one at a time. */
void clock_add(struct alarm *alarm, uint64_t when);
void clock_remove(struct alarm *alarm);
/* When it will ring, also while it rings and is set again; 0: it will not. For who sets it. */
uint64_t clock_alarm_at(const struct alarm *alarm);

/* A limit for a wait of the running thread. Soon after cpu_time has reached `when`, at UINT64_MAX
 * never, the alarm rings:
 * one sleep of the thread ends early, or does not begin, and clock_alarm_rang is true from then on.
 * The loop of the wait asks it. clock_end_alarm takes the alarm back and says whether it has rung.
 * A thread has one at a time. */
void clock_set_alarm(uint64_t when);
bool clock_end_alarm(void);
bool clock_alarm_rang(void);

/* How many nanoseconds are left until cpu_time has reached `when`. */
uint64_t clock_left(uint64_t when);

/* The cpu_time that is so many nanoseconds from now; UINT64_MAX: never. */
uint64_t clock_after(uint64_t nanoseconds);

void clock_arm_idle(void);    /* this hart is going to wait for an interrupt */
void clock_arm_running(void); /* this hart is going to run a thread, and a slice begins */
void clock_arm_again(void);   /* its alarms may have changed; the slice ends when it would have */
void clock_interrupt(void);   /* from the timer interrupt */

/* From here on the first hart calls fn once in a slice, from its timer interrupt, also
 * while it idles: for a device that cannot interrupt. At boot, at most twice. */
void clock_poll(void (*fn)(void));
