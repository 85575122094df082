/* An alarm: something to be done at a time (clock.h). It stands in what it is for. Those of a hart
 * are a heap, in which each is due before, or with, the two below it.
 *
 * It leans to one side: `far` counts the steps down to the nearest free place, and is no smaller
 * at the first one below than at the other. So the way down that always takes the other one has at
 * most log2(n + 1) steps, and whatever is done to the heap follows such ways alone. */
#pragma once
#include "lib/types.h"

struct alarm {
    struct alarm *above, *below[2]; /* clock.c's, under its lock */
    uint32_t far;                   /* 0: in no heap */
    uint32_t hart;                  /* whose heap it is in, or was */
    uint64_t at;                    /* cpu_time */
    /* From an interrupt handler, under the lock of that heap, which it has left. The time of the
     * next ring, or 0: there is none. */
    uint64_t (*ring)(struct alarm *alarm);
};

struct alarms {
    struct alarm *first; /* due the soonest; NULL: there is none */
};

static inline bool alarm_is_set(const struct alarm *a) { return a->far > 0; }

/* One that is in no heap, and has its time. */
void alarms_add(struct alarms *all, struct alarm *a);
/* One that may be in this heap, and is in no other. */
void alarms_remove(struct alarms *all, struct alarm *a);

/* How a timer that a program has runs, in nanoseconds. */
struct timer_setting {
    uint64_t first; /* from now; 0: it does not run */
    uint64_t every; /* from then on; 0: once */
};

/* An alarm of a process that rings every so often. */
struct interval {
    struct alarm alarm;
    uint64_t every; /* of cpu_time; 0: once */
};

/* The same by the time that the process has run: looked at when the clock interrupts it. */
struct run_interval {
    uint64_t at; /* of usage_time; 0: it is not set */
    uint64_t every;
};
