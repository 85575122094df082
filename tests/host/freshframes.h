/* A frame allocator that begins anew. For files of which mm/frame.c is part: what it
 * keeps is its own. */
#pragma once
#include "mm/frame.h"

static inline void forget_frames(void) {
    memset(ranges, 0, sizeof ranges);
    memset(&sections, 0, sizeof sections);
    memset(caches, 0, sizeof caches);
    memset(&pool, 0, sizeof pool);
    pool.lock.name = "frames";
    range_count = 0;
    list_init(&reclaimers);
    total = committed = 0;
    frame_fail_countdown = 0;
    frame_fail_period = 0;
}
