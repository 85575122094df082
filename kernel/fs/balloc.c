/* Free blocks: first fit over the bitmap, sixty-four bits at a time. */
#include "fs/balloc.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "proc/sleeplock.h"

#define WORD_BITS 64

/* Invariant: no block below lowest is free. */
static struct {
    struct sleeplock lock;
    uint32_t lowest;
    uint64_t free;
    uint64_t transaction; /* the last that took a fresh block */
    uint32_t fresh_from;  /* it goes on from here */
    bool passed;          /* there may be a free block between lowest and here */
    /* No block from fresh_from to here was taken back lately; and the bitmap block that the last
     * fresh one was found in, which the transaction has pinned, is about all of them. */
    uint32_t fresh_until;
    struct buf *bitmap;
} alloc;

/* What each of the last two transactions has taken back: ranges, or, when they are too many,
 * any block. Until the transaction is durable a file on the disk has them still. */
#define RANGES 32
static struct freed {
    uint64_t transaction;
    bool any;
    uint32_t n;
    struct {
        uint32_t start, end;
    } range[RANGES];
} freed[2];

static void note_freed(const struct log_op *op, uint32_t block) {
    struct freed *f = &freed[op->transaction % 2];
    if (f->transaction != op->transaction)
        *f = (struct freed){.transaction = op->transaction};
    for (uint32_t i = 0; i < f->n; i++) {
        if (block + 1 < f->range[i].start || block > f->range[i].end)
            continue;
        f->range[i].start = MIN(f->range[i].start, block);
        f->range[i].end = MAX(f->range[i].end, block + 1);
        return;
    }
    f->any |= f->n == RANGES;
    if (!f->any) {
        f->range[f->n].start = block;
        f->range[f->n++].end = block + 1;
    }
}

/* The first block from one on that it has not taken back; UINT32_MAX: nobody knows of one. */
static uint32_t behind_freed(const struct freed *f, uint32_t block) {
    if (f->n == 0 || log_durable(f->transaction))
        return block;
    if (f->any)
        return UINT32_MAX;
    for (uint32_t i = 0; i < f->n; i++)
        if (block >= f->range[i].start && block < f->range[i].end)
            block = f->range[i].end;
    return block;
}

/* The same for both. */
static uint32_t not_freed(uint32_t block) {
    uint32_t at = behind_freed(&freed[1], behind_freed(&freed[0], block));
    return at == UINT32_MAX ? at : behind_freed(&freed[0], at);
}

/* Where the next range behind a block begins that it has taken back. */
static uint32_t next_freed(const struct freed *f, uint32_t block) {
    uint32_t next = UINT32_MAX;
    for (uint32_t i = 0; i < f->n; i++)
        if (f->range[i].start > block)
            next = MIN(next, f->range[i].start);
    return next;
}

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
    alloc.transaction = 0;
    alloc.free = 0;
    memset(freed, 0, sizeof(freed));
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

/* The first free bit of a bitmap block from one on that was not taken back lately, or to. */
static uint32_t find_fresh(const uint64_t *words, uint32_t i, uint32_t from, uint32_t to) {
    uint32_t base = i * (uint32_t)BITS_PER_BLOCK;
    while (from < to) {
        uint32_t bit = find_clear(words, from, to);
        if (bit == to || base + bit < alloc.fresh_until)
            return bit;
        uint32_t at = not_freed(base + bit);
        if (at == base + bit) {
            alloc.fresh_until = MIN(next_freed(&freed[0], at), next_freed(&freed[1], at));
            return bit;
        }
        alloc.passed = true;
        from = at == UINT32_MAX ? to : at - base;
    }
    return to;
}

/* Finds a free block from one on, a fresh one or any, and marks it. */
static int take_from(struct log_op *op, uint32_t start, bool fresh, uint32_t *block) {
    for (uint32_t i = start / BITS_PER_BLOCK; i < super.bitmap_blocks; i++) {
        struct buf *bitmap;
        uint32_t from, to;
        int err = cache_get(super.bitmap_start + i, &bitmap);
        if (err)
            return err;
        data_bits(i, &from, &to);
        if (i == start / BITS_PER_BLOCK)
            from = MAX(from, start % BITS_PER_BLOCK);
        uint64_t *words = words_of(bitmap);
        uint32_t bit = from >= to ? to
                       : fresh    ? find_fresh(words, i, from, to)
                                  : find_clear(words, from, to);
        if (bit < to) {
            words[bit / WORD_BITS] |= 1ULL << bit % WORD_BITS;
            log_write(op, bitmap);
            cache_put(bitmap);
            if (fresh) {
                alloc.bitmap = bitmap;
                alloc.fresh_until = MIN(alloc.fresh_until, i * (uint32_t)BITS_PER_BLOCK + to);
            }
            *block = i * BITS_PER_BLOCK + bit;
            alloc.free--;
            return 0;
        }
        cache_put(bitmap);
    }
    return -K_ENOSPC;
}

static int take_fresh(struct log_op *op, uint32_t *block) {
    if (alloc.transaction != op->transaction) {
        alloc.transaction = op->transaction;
        alloc.fresh_from = alloc.lowest;
        alloc.fresh_until = 0;
        alloc.passed = false;
    }
    int err = take_from(op, alloc.fresh_from, true, block);
    if (!err) {
        alloc.fresh_from = *block + 1;
        if (!alloc.passed)
            alloc.lowest = *block + 1;
    }
    return err;
}

static int take_any(struct log_op *op, uint32_t *block) {
    if (alloc.free == 0)
        return -K_ENOSPC;
    int err = take_from(op, alloc.lowest, false, block);
    if (!err)
        alloc.lowest = *block + 1;
    return err;
}

/* Metadata takes any block, the lowest, for it is logged. */
int block_alloc(struct log_op *op, uint32_t *block) {
    sleeplock_acquire(&alloc.lock);
    int err = take_any(op, block);
    sleeplock_release(&alloc.lock);
    return err;
}

/* Any, too, when a bitmap block far away cannot be read. */
static int take_fresh_or_any(struct log_op *op, uint32_t *block, bool *fresh) {
    int err = alloc.free > 0 ? take_fresh(op, block) : -K_ENOSPC;
    *fresh = !err;
    return err ? take_any(op, block) : 0;
}

int block_alloc_contents(struct log_op *op, uint32_t n, uint32_t *block, uint8_t *fresh) {
    int err = 0;
    *fresh = 0;
    sleeplock_acquire(&alloc.lock);
    for (uint32_t k = 0; k < n && !err; k++) {
        bool one = false;
        err = take_fresh_or_any(op, &block[k], &one);
        *fresh |= (uint8_t)(one << k);
    }
    sleeplock_release(&alloc.lock);
    return err;
}

/* Sets the bits of n blocks from fresh_from on, or of as many as are fresh, side by side. */
static inline uint32_t take_next(uint32_t n, uint32_t *block) {
    uint32_t start = alloc.fresh_from, at = start;
    uint32_t end = MIN(start + n, alloc.fresh_until);
    if (at >= end)
        return 0;
    uint64_t *words = words_of(alloc.bitmap);
    for (; at < end; at++) {
        uint32_t bit = at % BITS_PER_BLOCK;
        uint64_t *word = &words[bit / WORD_BITS], mask = 1ULL << bit % WORD_BITS;
        if (*word & mask)
            break;
        *word |= mask;
        *block++ = at;
    }
    return at - start;
}

/* Where bitmap and place are known from the last one: there is nothing to look up. */
uint32_t block_alloc_next(struct log_op *op, uint32_t n, uint32_t *block) {
    uint32_t taken = 0;
    if (!sleeplock_acquire_free(&alloc.lock))
        return 0;
    if (alloc.transaction == op->transaction)
        taken = take_next(n, block);
    if (taken > 0) {
        op->wrote = true;
        alloc.free -= taken;
        alloc.fresh_from += taken;
        if (!alloc.passed)
            alloc.lowest = alloc.fresh_from;
    }
    sleeplock_release(&alloc.lock);
    return taken;
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
    alloc.fresh_until = 0;
    alloc.passed = true;
    return true;
}

void block_unalloc(struct log_op *op, uint32_t block) {
    struct buf *bitmap = cache_peek(super.bitmap_start + block / BITS_PER_BLOCK);
    ASSERT(bitmap && log_holds(op, bitmap)); /* block_alloc pinned it */
    sleeplock_acquire(&alloc.lock);
    /* Clear already: an image gave the block to another file too, which was freed. */
    (void)release(op, bitmap, block);
    note_freed(op, block); /* what was logged of it would be written over contents */
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
        note_freed(op, block);
        list[n - 1] = 0;
    }
    if (bitmap)
        cache_put(bitmap);
    sleeplock_release(&alloc.lock);
    *left = n;
    return err == -K_EAGAIN ? 0 : err;
}

uint64_t balloc_free_count(void) { return __atomic_load_n(&alloc.free, __ATOMIC_RELAXED); }
