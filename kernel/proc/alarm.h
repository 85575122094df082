/* An alarm: something to be done at a time (clock.h). It stands in what it is for. */
#pragma once
#include "lib/list.h"
#include "lib/types.h"

struct alarm {
    struct list link; /* clock.c's, under its lock */
    uint64_t at;      /* cpu_time */
    uint32_t hart;    /* whose list it is in, or was */
    /* From an interrupt handler, under the lock of that list, which it has left. The time of the
     * next ring, or 0: there is none. */
    uint64_t (*ring)(struct alarm *alarm);
};

/* An alarm of a process that rings every so often. */
struct interval {
    struct alarm alarm;
    uint64_t every; /* of cpu_time; 0: once */
};
