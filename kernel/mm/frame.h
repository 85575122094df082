/* Physical memory: frames of 4 KiB and the account of what was promised.
 *
 * Commitment. Whoever may need frames later promises them first: frame_commit(n)
 * fails when the machine could not keep the promise, and after it n frames can
 * be taken without failing. So frame_take never fails for its caller; only
 * commitments do, and they fail in calls that can return an error.
 *     invariant: frames in use and promised <= frames that exist
 * Frames that are only a cache (reclaim.h) are outside the account; they are given
 * back when a promise is called in.
 *
 * References. A taken frame has one reference; frame_get adds one (copy on
 * write, shared program text), frame_put drops one and frees at zero.
 *
 * Any hart, any context; the allocator's locks are the innermost of all. */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

#define FRAME_LARGE_ORDER 9 /* 2^9 frames: one 2 MiB leaf */

/* Boot. Ranges of RAM that are free, in any order, before any other call;
 * parts of pages at the borders, what was added before, what the direct map does
 * not reach and what exceeds 32 ranges are left out. */
void frame_add_range(paddr_t start, paddr_t end);
/* Memory that stays for ever (tables sized at boot), zeroed; align is a power of
 * two. NULL when no range has room. Before frame_init only. */
void *frame_boot_alloc(size_t bytes, size_t align);
void frame_init(void);

/* Promises n frames more. -K_ENOMEM: nothing changed. */
int frame_commit(uint64_t n) must_check;
/* Keeps the last frames for those for whom granted(n, false) is true when they ask for n of
 * them; granted(n, true) says that they have them now. frame_stats counts the reserve as
 * promised. Once, after frame_init. */
void frame_keep_reserve(uint64_t frames, bool (*granted)(uint64_t n, bool taken));
/* Takes back a promise of n frames that are not (or no longer) in use for it. */
void frame_uncommit(uint64_t n);

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

struct frame_stats {
    uint64_t total;     /* frames that exist, but for what boot took */
    uint64_t free;      /* of them, in no use at all, wherever the allocator keeps them */
    uint64_t cached;    /* of them, reclaimable (reclaim.h): not in free */
    uint64_t committed; /* in use for good, or promised: at most total */
};
/* free is exact at one moment. */
void frame_stats(struct frame_stats *out);

/* Panics when the allocator's own records contradict each other. For tests; slow. */
void frame_check(void);

/* Tests of failure, in DEBUG builds: when n > 0, the n-th frame_commit from now
 * fails with -K_ENOMEM (frame_alloc commits too); it then counts no further. */
extern int64_t frame_fail_countdown;
/* When it is not 0, every so-manyth frame_commit fails (boot argument fail_commit=). */
extern uint64_t frame_fail_period;

/* ---- inline, since fork and exit do it for every page: the records of frames ---- */

struct frame {
    uint32_t refs;
    uint8_t order;       /* of the block whose head this is */
    bool in_pool;        /* head of a free block in the pool */
    bool poisoned;       /* DEBUG: was freed, so that it holds a pattern whenever it is free */
    uint32_t prev, next; /* in the pool's list of its order, by number */
};
_Static_assert(sizeof(struct frame) == 16, "a frame's record is 16 bytes");

#define SECTION_SHIFT 13 /* frames in a section: 32 MiB */
#define SECTION_FRAMES (1u << SECTION_SHIFT)

extern struct frame_sections {
    struct frame **table; /* NULL where there is no RAM */
    uint64_t first, count;
} frame_sections;

void frame_misused(paddr_t pa) never_returns; /* the panic */
bool frame_put_slowly(paddr_t pa);            /* whatever pa is */
void frame_release(paddr_t pa);               /* a single frame whose last reference is gone */

static inline struct frame *frame_record(paddr_t pa) {
    uint64_t s = (pa.v >> (PAGE_SHIFT + SECTION_SHIFT)) - frame_sections.first;
    if (__builtin_expect(s >= frame_sections.count || !frame_sections.table[s] ||
                             !IS_ALIGNED(pa.v, PAGE_SIZE),
                         0))
        frame_misused(pa);
    return &frame_sections.table[s][(pa.v >> PAGE_SHIFT) % SECTION_FRAMES];
}

/* The way to the records of many frames of which most are near each other: fork and exit
 * count every page. */
struct frame_cursor {
    uint64_t section;
    struct frame *records;
};
#define FRAME_CURSOR \
    { .section = UINT64_MAX }

static inline struct frame *frame_record_near(struct frame_cursor *c, paddr_t pa) {
    uint64_t s = pa.v >> (PAGE_SHIFT + SECTION_SHIFT);
    if (__builtin_expect(s != c->section, 0)) {
        c->records = frame_record(PA(s << (PAGE_SHIFT + SECTION_SHIFT)));
        c->section = s;
    }
    return &c->records[(pa.v >> PAGE_SHIFT) % SECTION_FRAMES];
}

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
