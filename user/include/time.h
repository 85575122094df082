/* Time since boot: the machine has no calendar. Resolution is one tick, 0.1 s;
 * trellis.h has the fine counters. */
#pragma once
#include <sys/types.h>

#define CLOCKS_PER_SEC 1000000L

time_t time(time_t *out); /* seconds */
clock_t clock(void);      /* elapsed, not processor time */
