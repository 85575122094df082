/* Threads that take turns as a test decides: one goes on until it says that another may, so a run
 * is the same whenever the decisions are. They are contexts of one thread of the host; the hart
 * that each is goes with it. */
#pragma once
#include "lib/types.h"

#define FIBERS 4

/* Makes fiber i, which begins with body(i) at its first turn, and is done when that returns. */
void fiber_make(unsigned i, void (*body)(unsigned i));
/* From outside: fiber i has its turn, until it pauses or is done. */
void fiber_go(unsigned i);
/* From a fiber: the turn is over; returns at the next one. */
void fiber_pause(void);
bool fiber_is_done(unsigned i);
/* The one that has its turn; -1: none, the test itself runs. */
int fiber_self(void);
