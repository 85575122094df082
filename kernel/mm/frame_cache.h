/* The harts' caches: each hart keeps some single frames at hand, so that it takes one and
 * gives one back without a lock that others want; and a few that are zeroed, apart. frame_take and
 * frame_release (frame.h) and the two for zeroed ones are the ways in; this is what other
 * mm/frame*.c need besides.
 *
 * What is in a cache is free: it has no references and is in no block of the pool.
 *
 * A cache's lock guards its frames and is nearly always its own hart's; others take it when
 * memory is short. Order: caches by rising index, then the pool's lock. */
#pragma once
#include "lib/types.h"

/* Boot, before the first frame is taken. */
void frame_cache_init(void);

/* Empties all caches into the pool, where frames merge and everybody finds them; how many
 * that were. */
uint64_t frame_cache_drain(void);

/* Frames in the caches and in the pool, at one moment. */
uint64_t frame_cache_free(void);
