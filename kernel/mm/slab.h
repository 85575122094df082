/* Records of one size, cut from frames: for what is too small for a frame of its own. A frame
 * all of whose records have been given back is free again. */
#pragma once
#include "lib/list.h"
#include "lib/types.h"
#include "sync/spinlock.h"

struct slab {
    struct spinlock lock;
    uint32_t size;      /* of a record, a multiple of 8 */
    uint64_t frames;    /* that it has */
    struct list usable; /* frames that have a free record */
};

/* For one with the name `slab`. */
#define SLAB_INIT(slab, bytes) \
    { .lock = SPINLOCK_INIT(RANK_SLAB), .size = (bytes), .usable = LIST_INIT((slab).usable) }

/* A record, its contents undefined. NULL: no memory could be promised for it. May reclaim
 * (frame.h). */
void *slab_take(struct slab *s) must_check;
void slab_give(struct slab *s, void *record);
