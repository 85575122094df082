/* The account of what was promised of memory.
 *
 * Whoever may need frames later promises them first: frame_commit(n) fails when the machine
 * could not keep the promise, and after it n frames can be taken without failing. So
 * frame_take never fails for its caller; only commitments do, and they fail in calls that
 * can return an error.
 *     invariant: frames in use and promised <= frames that exist
 * Frames that are only a cache (reclaim.h) are outside the account; they are given back when
 * a promise is called in.
 *
 * From any hart, in any context. Only frame_stats takes locks: all of the frames', one by one. */
#pragma once
#include "lib/types.h"

/* Frames that exist, but for what boot took. Constant after frame_init. */
extern uint64_t frame_total;

/* Promises n frames more. -K_ENOMEM: nothing changed. */
int frame_commit(uint64_t n) must_check;
/* Takes back a promise of n frames that are not (or no longer) in use for it. */
void frame_uncommit(uint64_t n);

/* Keeps the last frames for those for whom granted(n, false) is true when they ask for n of
 * them; granted(n, true) says that they have them now. frame_stats counts the reserve as
 * promised. Once, after frame_init. */
void frame_keep_reserve(uint64_t frames, bool (*granted)(uint64_t n, bool taken));

struct frame_stats {
    uint64_t total;     /* frame_total */
    uint64_t free;      /* of them, in no use at all, wherever the allocator keeps them */
    uint64_t cached;    /* of them, reclaimable (reclaim.h): not in free */
    uint64_t committed; /* in use for good, or promised: at most total */
};
/* free is exact at one moment. */
void frame_stats(struct frame_stats *out);

/* Tests of failure, in DEBUG builds: when n > 0, the n-th frame_commit from now
 * fails with -K_ENOMEM (frame_alloc commits too); it then counts no further. */
extern int64_t frame_fail_countdown;
/* When it is not 0, one in so many of the calls of frame_commit fails, at irregular distances
 * (boot argument fail_commit=). */
extern uint64_t frame_fail_period;
