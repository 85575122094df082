/* Physical memory: frames of 4 KiB, taken against a promise (frame_account.h), and counted.
 *
 * A reference is to 2^order frames in a row: to a single frame, or to all 512 of a large one,
 * a 2 MiB leaf's. What was taken has one reference; frame_get adds one (copy on write, shared
 * program text), frame_put drops one and frees at zero. Others may split a large frame into
 * single ones meanwhile: a reference to all of it then counts for each of them.
 *
 * Any hart, any context; the allocator's locks are the innermost of all. Frames that are
 * free lie in a hart's cache (frame_cache.h) or in the pool (frame_pool.h). */
#pragma once
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/frame_account.h"
#include "mm/frame_record.h"

#define FRAME_LARGE_ORDER 9 /* 2^9 frames: one 2 MiB leaf */
#define LARGE_FRAMES (1u << FRAME_LARGE_ORDER)

struct frame_ref {
    paddr_t pa;     /* of the first frame; aligned to all of them */
    unsigned order; /* 0 or FRAME_LARGE_ORDER */
};
static inline struct frame_ref frame_single(paddr_t pa) { return (struct frame_ref){pa, 0}; }
/* What a leaf has a reference to. */
static inline struct frame_ref frame_leaf(pte_t e, unsigned level) {
    return (struct frame_ref){pte_pa(e), level * FRAME_LARGE_ORDER};
}

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
/* The same, zeroed: one that was given back so, if there is one, else this zeroes it. */
paddr_t frame_take_zeroed(void);
/* Drops the last reference to a single frame that nobody else knows, and whose bytes are all zero:
 * as page tables are in the end. */
void frame_put_zeroed(paddr_t pa);
/* 512 frames in a row, aligned to 2 MiB, against a commitment of 512. -K_ENOMEM
 * when RAM is in too small pieces: then nothing changed and single frames do it. */
int frame_take_large(paddr_t *pa) must_check;

static inline void frame_get(struct frame_ref ref);
/* True when that was the last reference and all its frames are free now. */
static inline bool frame_put(struct frame_ref ref);
/* No frame of it has another reference than this one: its holder has them alone. */
static inline bool frame_sole(struct frame_ref ref);
/* How many references a single frame has, or a large one that is not split, by its first
 * frame; 0 when it is free. For checks. */
uint32_t frame_refs(paddr_t pa);

/* Turns the 512 frames of a large one into single frames with as many references each as it
 * had; nothing happens when they are single already. They stay so until all are free. */
void frame_split_large(paddr_t pa);

/* For the kernel's own objects: commit one and take it, zeroed; put and uncommit. */
int frame_alloc(paddr_t *pa) must_check; /* -K_ENOMEM: nothing changed */
void frame_free(paddr_t pa);

/* Zeroes 2^order frames in a row. */
void frame_zero(paddr_t pa, unsigned order);

/* Panics when the allocator's own records contradict each other. Slow: a debug kernel asks when it
 * powers off, and tests do more often. */
void frame_check(void);

/* ---- inline, since fork and exit do it for every page ---- */

void frame_get_large(paddr_t pa);
bool frame_put_large(paddr_t pa);
bool frame_sole_large(paddr_t pa);
void frame_release(struct frame *f, paddr_t pa); /* a single frame, of which nobody knows now */

static inline void frame_get_record(struct frame *f, paddr_t pa) {
    if (DEBUG)
        ASSERT(f->order == 0);
    if (__builtin_expect(!__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED), 0))
        frame_misused(pa);
}

/* The users' accesses to the frame come before, and the next owner's after. */
static inline bool frame_put_record(struct frame *f, paddr_t pa) {
    if (DEBUG)
        ASSERT(f->order == 0);
    /* The only reference is ours: nobody else can add one or drop it. */
    if (__atomic_load_n(&f->refs, __ATOMIC_ACQUIRE) != 1) {
        uint32_t refs = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);
        if (__builtin_expect(refs == 0, 0))
            frame_misused(pa);
        if (refs != 1)
            return false;
    }
    frame_release(f, pa);
    return true;
}

static inline void frame_get(struct frame_ref ref) {
    if (ref.order == 0)
        frame_get_record(frame_record(ref.pa), ref.pa);
    else
        frame_get_large(ref.pa);
}

static inline bool frame_put(struct frame_ref ref) {
    return ref.order == 0 ? frame_put_record(frame_record(ref.pa), ref.pa)
                          : frame_put_large(ref.pa);
}

static inline bool frame_sole(struct frame_ref ref) {
    return ref.order == 0 ? frame_refs(ref.pa) == 1 : frame_sole_large(ref.pa);
}

/* The same for many frames of which most are near each other. */
static inline void frame_get_near(struct frame_cursor *near, struct frame_ref ref) {
    if (ref.order == 0)
        frame_get_record(frame_record_near(near, ref.pa), ref.pa);
    else
        frame_get_large(ref.pa);
}

static inline bool frame_put_near(struct frame_cursor *near, struct frame_ref ref) {
    return ref.order == 0 ? frame_put_record(frame_record_near(near, ref.pa), ref.pa)
                          : frame_put_large(ref.pa);
}
