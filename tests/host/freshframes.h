/* The frame allocator, as part of the file that includes this: so a test looks at what the
 * allocator keeps to itself, and begins anew. */
#pragma once
#include "mm/frame.c"
#include "mm/frame_account.c"
#include "mm/frame_boot.c"
#include "mm/frame_cache.c"
#include "mm/frame_pool.c"
#include "mm/reclaim.c"

static inline void forget_frames(void) {
    memset(ranges, 0, sizeof ranges);
    memset(&sections, 0, sizeof sections);
    memset(caches, 0, sizeof caches);
    memset(&pool, 0, sizeof pool);
    spin_init(&pool.lock, "frames");
    spin_init(&large_lock, "large frames");
    range_count = 0;
    list_init(&reclaimers);
    frame_total = committed = 0;
    frame_fail_countdown = 0;
    frame_fail_period = 0;
}
