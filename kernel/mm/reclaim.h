/* Caches of what memory has room for: what keeps frames that may go at any moment registers
 * as a reclaimer, and is asked for them when a promise (frame_account.h) is
 * called in.
 *
 * Such frames are outside the account, neither in use nor promised. Promises depend on it
 * that they come back: all that a cache counts as reclaimable it can give back at once,
 * whatever else goes on, but for what others have a reference to: whoever maps a frame of a cache
 * has promised one for it. A frame that is dirty or busy is not reclaimable: its user has
 * committed it.
 *
 * Locks. frame_take calls promises in, so reclaim runs with any lock held under which
 * somebody takes a frame, and on several harts at once. It takes its cache's own spinlock
 * and, inside that, the frames' locks; nothing else. It never sleeps, prints, or waits for
 * somebody who does. So a cache's own lock is inner to every lock under which a frame is
 * taken, and no frame is taken under it; frame_commit and frame_put are fine. One reclaimer
 * is asked after another, with none of their locks held. */
#pragma once
#include "lib/list.h"
#include "lib/types.h"

struct reclaimer {
    /* Gives back up to n frames, or a few more where they go together; returns how many
     * that were, 0 when there are none. */
    uint64_t (*reclaim)(uint64_t n);
    uint64_t frames; /* atomic: that are reclaimable now */
    struct list link;
};

/* Boot, once for each, before frames are taken. Asked in this order: the one that loses least
 * first. */
void reclaim_register(struct reclaimer *r);

/* n frames of r's become reclaimable, or are no more. These are counts and change no
 * promise: the owner calls frame_uncommit after begin, and frame_commit before end; under
 * its own lock, as reclaim calls end too. */
void reclaim_begin(struct reclaimer *r, uint64_t n);
void reclaim_end(struct reclaimer *r, uint64_t n);

/* Asks one after another until n frames were given back; how many they were. */
uint64_t reclaim_frames(uint64_t n);

/* Frames that are reclaimable now, of all together. */
uint64_t reclaim_count(void);
