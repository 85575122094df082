/* A frame allocator that begins anew. For files of which mm/frame*.c and mm/reclaim.c are
 * part: what they keep is their own. */
#pragma once
#include "mm/frame.h"

static inline void forget_frames(void) {
    memset(ranges, 0, sizeof ranges);
    memset(&sections, 0, sizeof sections);
    memset(caches, 0, sizeof caches);
    memset(&pool, 0, sizeof pool);
    spin_init(&pool.lock, RANK_FRAMES);
    spin_init(&large_lock, RANK_FRAMES_LARGE);
    range_count = 0;
    list_init(&reclaimers);
    frame_total = committed = 0;
    frame_fail_countdown = 0;
    frame_fail_period = 0;
}
