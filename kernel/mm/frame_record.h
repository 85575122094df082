/* The records of frames, and the way to them: inline, since fork and exit go it for every
 * page. For mm/frame*; others see frame.h. */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

struct frame {
    uint32_t refs;
    uint8_t order;       /* of the block whose head this is */
    bool in_pool;        /* head of a free block in the pool */
    bool poisoned;       /* DEBUG: was freed, so that it holds a pattern whenever it is free */
    uint32_t prev, next; /* in the pool's list of its order, by number */
};
_Static_assert(sizeof(struct frame) == 16, "a frame's record is 16 bytes");

/* Records stand in sections, arrays for 32 MiB each, so that RAM may have holes. */
#define SECTION_SHIFT 13 /* frames in a section */
#define SECTION_FRAMES (1u << SECTION_SHIFT)

extern struct frame_sections {
    struct frame **table; /* NULL where there is no RAM */
    uint64_t first, count;
} frame_sections;

/* Panics: somebody refers to a frame that is free, or to what is no frame. */
void frame_misused(paddr_t pa) never_returns;

static inline struct frame *frame_record(paddr_t pa) {
    uint64_t s = (pa.v >> (PAGE_SHIFT + SECTION_SHIFT)) - frame_sections.first;
    if (__builtin_expect(s >= frame_sections.count || !frame_sections.table[s] ||
                             !IS_ALIGNED(pa.v, PAGE_SIZE),
                         0))
        frame_misused(pa);
    return &frame_sections.table[s][(pa.v >> PAGE_SHIFT) % SECTION_FRAMES];
}

/* The way to the records of many frames of which most are near each other. */
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
