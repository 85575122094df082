/* Physical memory: frames of 4 KiB, taken against a promise (frame_account.h), and counted.
 *
 * References. A taken frame has one reference; frame_get adds one (copy on
 * write, shared program text), frame_put drops one and frees at zero.
 *
 * Any hart, any context; the allocator's locks are the innermost of all. Frames that are
 * free lie in a hart's cache (frame_cache.h) or in the pool (frame_pool.h). */
#pragma once
#include "mm/frame_account.h"
#include "mm/frame_record.h"

#define FRAME_LARGE_ORDER 9 /* 2^9 frames: one 2 MiB leaf */

/* Boot. Ranges of RAM that are free, in any order, before any other call;
 * parts of pages at the borders, what was added before, what the direct map does
 * not reach and what exceeds 32 ranges are left out. */
void frame_add_range(paddr_t start, paddr_t end);
/* Memory that stays for ever (tables sized at boot), zeroed; align is a power of
 * two. NULL when no range has room. Before frame_init only. */
void *frame_boot_alloc(size_t bytes, size_t align);
void frame_init(void);

/* A frame against an earlier commitment, contents undefined, one reference. May
 * ask the reclaimers, so the caller holds no lock of a cache's (reclaim.h). */
paddr_t frame_take(void);
/* 512 frames in a row, aligned to 2 MiB, against a commitment of 512. -K_ENOMEM
 * when RAM is in too small pieces: then nothing changed and single frames do it. */
int frame_take_large(paddr_t *pa) must_check;

/* pa is a single frame, or the first of 512 that were taken as one and not split. */
static inline void frame_get(paddr_t pa);
/* True when that was the last reference and the frame is free now. */
static inline bool frame_put(paddr_t pa);
/* 0 for a free frame. Who sees 1 and holds that reference has the frame alone. */
uint32_t frame_refs(paddr_t pa);

/* Turns 512 frames taken as one into 512 single frames with as many references
 * each as the large one had; nothing happens when they are single already. */
void frame_split_large(paddr_t pa);
/* For a 2 MiB leaf that others may share, and have split meanwhile: get and put
 * count one reference to all 512 frames, whichever they are now; put is true
 * when all of them are free now. Sole: no frame has another reference than one. */
void frame_get_large(paddr_t pa);
bool frame_put_large(paddr_t pa);
bool frame_large_sole(paddr_t pa);

/* For the kernel's own objects: commit one and take it, zeroed; put and uncommit. */
int frame_alloc(paddr_t *pa) must_check; /* -K_ENOMEM: nothing changed */
void frame_free(paddr_t pa);

/* Zeroes 2^order frames in a row. */
void frame_zero(paddr_t pa, unsigned order);

/* Panics when the allocator's own records contradict each other. For tests; slow. */
void frame_check(void);

/* ---- inline, since fork and exit do it for every page ---- */

bool frame_put_slowly(paddr_t pa); /* whatever pa is */
void frame_release(paddr_t pa);    /* a single frame whose last reference is gone */

static inline void frame_get_record(struct frame *f, paddr_t pa) {
    if (__builtin_expect(!__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED), 0))
        frame_misused(pa);
}

static inline bool frame_put_record(struct frame *f, paddr_t pa) {
    if (__atomic_load_n(&f->refs, __ATOMIC_ACQUIRE) <= 1 || f->order != 0)
        return frame_put_slowly(pa);
    /* Others share it; but they may all have dropped it by now. */
    if (__atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return false;
    frame_release(pa);
    return true;
}

static inline void frame_get(paddr_t pa) { frame_get_record(frame_record(pa), pa); }
static inline bool frame_put(paddr_t pa) { return frame_put_record(frame_record(pa), pa); }

static inline void frame_get_near(struct frame_cursor *near, paddr_t pa) {
    frame_get_record(frame_record_near(near, pa), pa);
}

static inline bool frame_put_near(struct frame_cursor *near, paddr_t pa) {
    return frame_put_record(frame_record_near(near, pa), pa);
}
