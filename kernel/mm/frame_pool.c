/* Free RAM in blocks: see frame_pool.h. A frame is named here by its number, its physical
 * address / 4096. */
#include "mm/frame_pool.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/frame_boot.h"
#include "sync/spinlock.h"

#define ORDERS (FRAME_LARGE_ORDER + 1)
#define NONE UINT32_MAX
#define POISON 0xdbdbdbdbdbdbdbdbULL

static struct {
    struct spinlock lock;
    uint64_t frames;
    uint32_t first[ORDERS];
} pool = {.lock = SPINLOCK_INIT(RANK_FRAMES)};

static inline paddr_t frame_pa(uint32_t number) { return PA((uint64_t)number << PAGE_SHIFT); }
static inline uint32_t frame_number(paddr_t pa) { return (uint32_t)(pa.v >> PAGE_SHIFT); }
static struct frame *record(uint32_t number) { return frame_record(frame_pa(number)); }

/* ---- blocks: all under pool.lock ----------------------------------------- */

static void insert_block(uint32_t number, unsigned order) {
    struct frame *f = record(number);
    uint32_t next = pool.first[order];
    *f = (struct frame){.order = (uint8_t)order,
                        .in_pool = true,
                        .poisoned = DEBUG && f->poisoned,
                        .prev = NONE,
                        .next = next};
    if (next != NONE)
        record(next)->prev = number;
    pool.first[order] = number;
    pool.frames += 1u << order;
}

static void remove_block(uint32_t number) {
    struct frame *f = record(number);
    if (f->prev == NONE)
        pool.first[f->order] = f->next;
    else
        record(f->prev)->next = f->next;
    if (f->next != NONE)
        record(f->next)->prev = f->prev;
    f->in_pool = false;
    pool.frames -= 1u << f->order;
}

/* Puts a block in, merged with its buddy as often as that is free. */
static void merge(uint32_t number, unsigned order) {
    for (; order < FRAME_LARGE_ORDER; order++) {
        uint32_t buddy = number ^ (1u << order);
        struct frame *b = record(buddy);
        if (!b->in_pool || b->order != order)
            break;
        remove_block(buddy);
        number &= ~(1u << order);
    }
    insert_block(number, order);
}

/* Takes 1 to max frames in a row, from the smallest block that there is, and
 * sets *order to how many. NONE when the pool is empty. */
static uint32_t take(uint32_t max, unsigned *order) {
    unsigned o = 0;
    while (o < ORDERS && pool.first[o] == NONE)
        o++;
    if (o == ORDERS)
        return NONE;
    uint32_t number = pool.first[o];
    remove_block(number);
    while (1u << o > max) {
        o--;
        insert_block(number + (1u << o), o);
    }
    *order = o;
    return number;
}

/* ---- single and large frames --------------------------------------------- */

uint32_t pool_take(struct free_frame *out, uint32_t max) {
    uint32_t count = 0;
    spin_lock(&pool.lock);
    while (count < max) {
        unsigned order;
        uint32_t number = take(max - count, &order);
        if (number == NONE)
            break;
        for (uint32_t i = 1u << order; i-- > 0;) {
            struct frame *f = record(number + i);
            f->refs = 0;
            f->order = 0;
            f->in_pool = false;
            out[count++] = (struct free_frame){f, frame_pa(number + i)};
        }
    }
    spin_unlock(&pool.lock);
    return count;
}

void pool_give(const struct free_frame *frames, uint32_t n) {
    spin_lock(&pool.lock);
    for (uint32_t i = 0; i < n; i++)
        merge(frame_number(frames[i].pa), 0);
    spin_unlock(&pool.lock);
}

bool pool_take_large(paddr_t *pa) {
    spin_lock(&pool.lock);
    uint32_t number = pool.first[FRAME_LARGE_ORDER];
    if (number != NONE)
        remove_block(number);
    spin_unlock(&pool.lock);
    *pa = frame_pa(number);
    return number != NONE;
}

void pool_give_large(paddr_t pa) {
    spin_lock(&pool.lock);
    insert_block(frame_number(pa), FRAME_LARGE_ORDER);
    spin_unlock(&pool.lock);
}

uint64_t pool_frames(void) {
    spin_lock(&pool.lock);
    uint64_t frames = pool.frames;
    spin_unlock(&pool.lock);
    return frames;
}

/* ---- checks -------------------------------------------------------------- */

void frame_poison(paddr_t pa, uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++, pa.v += PAGE_SIZE) {
        memset(pa_ptr(pa), (int)(POISON & 0xff), PAGE_SIZE);
        frame_record(pa)->poisoned = true;
    }
}

void frame_check_poison(paddr_t pa, uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++, pa.v += PAGE_SIZE) {
        const struct frame *f = frame_record(pa);
        const uint64_t *word = pa_ptr(pa);
        for (uint32_t w = 0; f->poisoned && w < PAGE_SIZE / sizeof(*word); w++)
            if (word[w] != POISON)
                panic("frame %#lx: written after it was freed, at offset %#lx", (unsigned long)pa.v,
                      (unsigned long)(w * sizeof(*word)));
    }
}

static uint64_t check_list(unsigned order) {
    uint64_t frames = 0;
    uint32_t prev = NONE;
    for (uint32_t number = pool.first[order]; number != NONE; number = record(number)->next) {
        struct frame *f = record(number);
        struct frame *buddy = record(number ^ (1u << order) % LARGE_FRAMES);
        ASSERT(f->in_pool);
        ASSERT(f->order == order);
        ASSERT(f->refs == 0);
        ASSERT(f->prev == prev);
        ASSERT(IS_ALIGNED(number, 1u << order));
        ASSERT(buddy == f || !buddy->in_pool || buddy->order != order);
        frames += 1u << order;
        prev = number;
    }
    return frames;
}

uint64_t pool_check(void) {
    uint64_t frames = 0;
    spin_lock(&pool.lock);
    for (unsigned order = 0; order < ORDERS; order++)
        frames += check_list(order);
    ASSERT(frames == pool.frames);
    spin_unlock(&pool.lock);
    return frames;
}

/* ---- boot ---------------------------------------------------------------- */

uint64_t pool_init(void) {
    for (unsigned order = 0; order < ORDERS; order++)
        pool.first[order] = NONE;
    frame_boot_blocks(insert_block);
    return pool.frames;
}
