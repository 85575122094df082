/* Trellis. */
#include "machine/profiles/profiles.h"

const char profile_trellis[] = //
    "# Of kernel/mm/frame*.h: frame_put and frame_free end in frame_release when that was the\n"
    "# last reference.\n"
    "alloc frame_take -> a0\n"
    "alloc frame_take_zeroed -> a0\n"
    "alloc frame_take_large -> *a0 512 pages if zero\n"
    "alloc frame_alloc -> *a0 if zero\n"
    "free frame_release a1\n"
    "free frame_put_zeroed a0\n"
    "free pool_give_large a0 512 pages\n"
    "# A spinlock's holder, of whom each hart asks whether it is itself.\n"
    "racy spinlock.h\n"
    "# Counts that are only shown.\n"
    "racy sched_idle_time\n";
