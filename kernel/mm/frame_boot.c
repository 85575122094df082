/* Physical memory before there is an allocator: see frame_boot.h. */
#include "mm/frame_boot.h"
#include "arch/layout.h"
#include "lib/string.h"
#include "mm/frame.h"

#define RANGE_MAX 32

/* [start, end) in bytes, of which whole pages become frames. */
struct range {
    uint64_t start, end;
};

static struct range ranges[RANGE_MAX];
static unsigned range_count;

struct frame_sections frame_sections;
#define sections frame_sections

void frame_add_range(paddr_t start, paddr_t end) {
    start.v = MIN(ROUND_UP(start.v, PAGE_SIZE), DIRECT_SIZE);
    end.v = MIN(ROUND_DOWN(end.v, PAGE_SIZE), DIRECT_SIZE);
    for (unsigned i = 0; i < range_count; i++) {
        struct range r = ranges[i];
        if (start.v < r.end && r.start < end.v) {
            frame_add_range(start, PA(r.start));
            frame_add_range(PA(r.end), end);
            return;
        }
    }
    if (start.v < end.v && range_count < RANGE_MAX)
        ranges[range_count++] = (struct range){start.v, end.v};
}

/* Cuts the memory off the low end of the largest range. */
static void *boot_alloc(size_t bytes, size_t align) {
    struct range *best = NULL;
    uint64_t best_room = 0;
    for (struct range *r = ranges; r < ranges + range_count; r++) {
        uint64_t start = ROUND_UP(r->start, align);
        uint64_t room = start < r->end ? r->end - start : 0;
        if (room > best_room) {
            best = r;
            best_room = room;
        }
    }
    if (bytes > best_room || bytes == 0)
        return NULL;
    uint64_t start = ROUND_UP(best->start, align);
    best->start = start + bytes;
    return pa_ptr(PA(start));
}

void *frame_boot_alloc(size_t bytes, size_t align) {
    void *p = boot_alloc(bytes, align);
    if (p)
        memset(p, 0, bytes);
    return p;
}

static uint64_t section_of(uint64_t pa) { return pa >> (PAGE_SHIFT + SECTION_SHIFT); }

/* Arrays of records for all sections that any range reaches. A section that gets
 * none, and its RAM, stay out of use. */
static void make_sections(void) {
    uint64_t low = UINT64_MAX, high = 0;
    for (struct range *r = ranges; r < ranges + range_count; r++) {
        low = MIN(low, section_of(r->start));
        high = MAX(high, section_of(r->end - 1) + 1);
    }
    if (high > 0)
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): a table of pointers */
        sections.table = frame_boot_alloc((high - low) * sizeof(sections.table[0]), 64);
    if (!sections.table)
        return;
    sections.first = low;
    sections.count = high - low;
    for (struct range *r = ranges; r < ranges + range_count; r++) {
        uint64_t last = section_of(r->end - 1);
        for (uint64_t s = section_of(r->start); s <= last; s++)
            if (!sections.table[s - low])
                sections.table[s - low] = boot_alloc(SECTION_FRAMES * sizeof(struct frame), 64);
    }
}

/* Only where some frame of a section is not free may records be read that the
 * pool has not written: those are zeroed. */
static bool wholly_free(uint64_t section) {
    uint64_t start = section << (PAGE_SHIFT + SECTION_SHIFT);
    for (struct range *r = ranges; r < ranges + range_count; r++)
        if (r->start <= start && start + SECTION_FRAMES * PAGE_SIZE <= r->end)
            return true;
    return false;
}

void frame_boot_records(void) {
    make_sections();
    for (uint64_t s = 0; s < sections.count; s++)
        if (sections.table[s] && (DEBUG || !wholly_free(sections.first + s)))
            memset(sections.table[s], 0, SECTION_FRAMES * sizeof(struct frame));
}

static void blocks_of(uint32_t number, uint32_t end, void (*fn)(uint32_t, unsigned)) {
    while (number < end) {
        unsigned order = 0;
        while (order < FRAME_LARGE_ORDER && IS_ALIGNED(number, 2u << order) &&
               (2u << order) <= end - number)
            order++;
        if (sections.table[(number >> SECTION_SHIFT) - sections.first])
            fn(number, order);
        number += 1u << order;
    }
}

void frame_boot_blocks(void (*fn)(uint32_t number, unsigned order)) {
    for (struct range *r = ranges; sections.count && r < ranges + range_count; r++)
        blocks_of((uint32_t)(ROUND_UP(r->start, PAGE_SIZE) >> PAGE_SHIFT),
                  (uint32_t)(r->end >> PAGE_SHIFT), fn);
}
