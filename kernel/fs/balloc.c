/* Free blocks: first fit over the bitmap, sixty-four bits at a time. */
#include "fs/balloc.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/sleeplock.h"

#define WORD_BITS 64

/* Invariant: no block below lowest is free. */
static struct {
    struct sleeplock lock;
    uint32_t lowest;
    uint64_t free;
} alloc;

static uint64_t *words_of(struct buf *bitmap) { return (uint64_t *)(void *)bitmap->data; }

/* The data blocks among those that bitmap block i is about, as bits [*from, *to). */
static void data_bits(uint32_t i, uint32_t *from, uint32_t *to) {
    uint64_t first = (uint64_t)i * BITS_PER_BLOCK;
    uint64_t start = MAX(first, (uint64_t)super.data_start);
    uint64_t end = MIN(first + BITS_PER_BLOCK, (uint64_t)super.size);
    *from = (uint32_t)(start - first);
    *to = end > start ? (uint32_t)(end - first) : *from;
}

/* The clear bits of a word that lie in [from, to), bit numbers of the block. */
static uint64_t clear_bits(const uint64_t *words, uint32_t w, uint32_t from, uint32_t to) {
    uint64_t clear = ~words[w];
    uint32_t first = w * WORD_BITS;
    if (from > first)
        clear &= ~0ULL << (from - first);
    if (to < first + WORD_BITS)
        clear &= ~(~0ULL << (to - first));
    return clear;
}

/* The first clear bit in [from, to), or to. */
static uint32_t find_clear(const uint64_t *words, uint32_t from, uint32_t to) {
    for (uint32_t w = from / WORD_BITS; w * WORD_BITS < to; w++) {
        uint64_t clear = clear_bits(words, w, from, to);
        if (clear != 0)
            return w * WORD_BITS + bit_lowest(clear);
    }
    return to;
}

static uint32_t count_clear(const uint64_t *words, uint32_t from, uint32_t to) {
    uint32_t count = 0;
    for (uint32_t w = from / WORD_BITS; w * WORD_BITS < to; w++) {
        uint64_t clear = clear_bits(words, w, from, to);
        if (clear == ~0ULL)
            count += WORD_BITS;
        else
            for (; clear != 0; clear &= clear - 1)
                count++;
    }
    return count;
}

static void prefetch_bitmap(uint32_t i) {
    uint32_t blocks[CACHE_PREFETCH_MAX], n = 0;
    for (; n < CACHE_PREFETCH_MAX && i + n < super.bitmap_blocks; n++)
        blocks[n] = super.bitmap_start + i + n;
    cache_prefetch(blocks, n);
}

int balloc_mount(void) {
    sleeplock_init(&alloc.lock, RANK_BALLOC);
    alloc.lowest = super.data_start;
    alloc.free = 0;
    for (uint32_t i = 0; i < super.bitmap_blocks; i++) {
        struct buf *bitmap;
        uint32_t from, to;
        if (i % CACHE_PREFETCH_MAX == 0)
            prefetch_bitmap(i);
        int err = cache_get(super.bitmap_start + i, &bitmap);
        if (err)
            return err;
        data_bits(i, &from, &to);
        if (to > from)
            alloc.free += count_clear(words_of(bitmap), from, to);
        cache_put(bitmap);
    }
    return 0;
}

uint32_t balloc_cost(uint32_t n) { return MIN(n, super.bitmap_blocks); }

/* Finds a free block from lowest on and marks it. */
static int take_lowest(struct log_op *op, uint32_t *block) {
    for (uint32_t i = alloc.lowest / BITS_PER_BLOCK; i < super.bitmap_blocks; i++) {
        struct buf *bitmap;
        uint32_t from, to;
        int err = cache_get(super.bitmap_start + i, &bitmap);
        if (err)
            return err;
        data_bits(i, &from, &to);
        if (i == alloc.lowest / BITS_PER_BLOCK)
            from = MAX(from, alloc.lowest % BITS_PER_BLOCK);
        uint32_t bit = from < to ? find_clear(words_of(bitmap), from, to) : to;
        if (bit < to) {
            words_of(bitmap)[bit / WORD_BITS] |= 1ULL << bit % WORD_BITS;
            log_write(op, bitmap);
            cache_put(bitmap);
            *block = i * BITS_PER_BLOCK + bit;
            return 0;
        }
        cache_put(bitmap);
    }
    return -K_ENOSPC;
}

int block_alloc(struct log_op *op, uint32_t *block) {
    int err = -K_ENOSPC;
    sleeplock_acquire(&alloc.lock);
    if (alloc.free > 0)
        err = take_lowest(op, block);
    if (!err) {
        alloc.free--;
        alloc.lowest = *block + 1;
    }
    sleeplock_release(&alloc.lock);
    return err;
}

/* Clears the block's bit. False: it was clear. */
static bool release(struct log_op *op, struct buf *bitmap, uint32_t block) {
    uint32_t bit = block % BITS_PER_BLOCK;
    uint64_t *word = &words_of(bitmap)[bit / WORD_BITS], mask = 1ULL << bit % WORD_BITS;
    if ((*word & mask) == 0)
        return false;
    *word &= ~mask;
    log_write(op, bitmap);
    alloc.free++;
    alloc.lowest = MIN(alloc.lowest, block);
    return true;
}

void block_unalloc(struct log_op *op, uint32_t block) {
    struct buf *bitmap = cache_peek(super.bitmap_start + block / BITS_PER_BLOCK);
    ASSERT(bitmap && log_holds(op, bitmap)); /* block_alloc pinned it */
    sleeplock_acquire(&alloc.lock);
    /* Clear already: an image gave the block to another file too, which was freed. */
    (void)release(op, bitmap, block);
    sleeplock_release(&alloc.lock);
    cache_put(bitmap);
}

/* Makes *bitmap the buffer of the block's bitmap block, unless it is already.
 * -K_EAGAIN: the operation has no room to change it. */
static int bitmap_for(struct log_op *op, uint32_t block, struct buf **bitmap) {
    uint32_t home = super.bitmap_start + block / BITS_PER_BLOCK;
    if (*bitmap && (*bitmap)->block == home)
        return 0;
    if (*bitmap)
        cache_put(*bitmap);
    *bitmap = NULL;
    int err = cache_get(home, bitmap);
    if (err)
        return err;
    return log_holds(op, *bitmap) || op->room > 0 ? 0 : -K_EAGAIN;
}

int block_free_list(struct log_op *op, uint32_t *list, uint32_t n, uint32_t *left) {
    struct buf *bitmap = NULL;
    int err = 0;
    sleeplock_acquire(&alloc.lock);
    for (; n > 0; n--) {
        uint32_t block = list[n - 1];
        if (block == 0)
            continue;
        if (!super_is_data(block)) {
            err = -K_EIO;
            break;
        }
        err = bitmap_for(op, block, &bitmap);
        if (!err && !release(op, bitmap, block))
            err = -K_EIO;
        if (err)
            break;
        list[n - 1] = 0;
    }
    if (bitmap)
        cache_put(bitmap);
    sleeplock_release(&alloc.lock);
    *left = n;
    return err == -K_EAGAIN ? 0 : err;
}

uint64_t balloc_free_count(void) { return __atomic_load_n(&alloc.free, __ATOMIC_RELAXED); }
