/* Free blocks and inodes: see alloc.h. */
#include "ext2/alloc.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"

#define WORD_BITS 64

static struct sleeplock lock = SLEEPLOCK_INIT(lock, RANK_BALLOC);

/* What each of the last two transactions has taken back lies between these. */
static struct freed {
    uint64_t transaction;
    uint32_t low, high;
} freed[2];

void ext2_alloc_mount(void) { memset(freed, 0, sizeof(freed)); }

static void note_freed(const struct log_op *op, uint32_t block) {
    struct freed *f = &freed[op->transaction % 2];
    if (f->transaction != op->transaction)
        *f = (struct freed){op->transaction, block, block + 1};
    f->low = MIN(f->low, block);
    f->high = MAX(f->high, block + 1);
}

/* The first block from one on that was not taken back lately. */
static uint32_t not_freed(uint32_t block) {
    for (unsigned i = 0; i < 2 * ARRAY_LEN(freed); i++) {
        const struct freed *f = &freed[i % 2];
        if (f->high > 0 && block >= f->low && block < f->high && !log_durable(f->transaction))
            block = f->high;
    }
    return block;
}

/* ---- bitmaps ---- */

static uint64_t *words_of(struct buf *bitmap) { return (uint64_t *)(void *)bitmap->data; }

/* The first clear bit in [from, to), or to. */
static uint32_t find_clear(const uint64_t *words, uint32_t from, uint32_t to) {
    while (from < to) {
        uint64_t clear = ~words[from / WORD_BITS] & ~0ULL << from % WORD_BITS;
        if (clear)
            return MIN(to, from / WORD_BITS * WORD_BITS + bit_lowest(clear));
        from = (from / WORD_BITS + 1) * WORD_BITS;
    }
    return to;
}

/* Sets or clears a bit; false: it was so. */
static bool change(struct log_op *op, struct buf *bitmap, uint32_t bit, bool set) {
    uint64_t *word = &words_of(bitmap)[bit / WORD_BITS], mask = 1ULL << bit % WORD_BITS;
    if (!(*word & mask) == !set)
        return false;
    *word ^= mask;
    log_write(op, bitmap);
    return true;
}

/* An image may say anything of its counts. */
static void count16(uint16_t *n, int by) { *n = (uint16_t)(by < 0 && *n == 0 ? 0 : *n + by); }
static void count32(uint32_t *n, int by) { *n = by < 0 && *n == 0 ? 0 : *n + (uint32_t)by; }

static uint32_t first_of(uint32_t group) {
    return ext2.first_block + group * ext2.blocks_per_group;
}
static uint32_t group_of(uint32_t block) {
    return (block - ext2.first_block) / ext2.blocks_per_group;
}
static uint32_t blocks_in(uint32_t group) {
    return MIN(ext2.blocks_per_group, ext2.blocks - first_of(group));
}

/* A group that is worked on. */
struct group {
    uint32_t number;
    struct ext2_group *d;
    struct buf *home, *bitmap;
};

static int begin(struct group *g, uint32_t number, bool inodes) {
    g->number = number;
    int err = ext2_group_get(number, &g->home, &g->d);
    if (err)
        return err;
    err = cache_get(inodes ? g->d->inode_bitmap : g->d->block_bitmap, &g->bitmap);
    if (err)
        cache_put(g->home);
    return err;
}

static void end(struct group *g) {
    cache_put(g->bitmap);
    cache_put(g->home);
}

/* Its descriptor and the super block have changed. */
static void log_counts(struct log_op *op, struct group *g) {
    log_write(op, g->home);
    log_write(op, ext2.home);
}

/* ---- blocks ---- */

/* Whether the block is the group's own, by what it says itself. */
static bool is_own(const struct group *g, uint32_t block) {
    uint32_t table = ext2.inodes_per_group / (ext2.block_bytes / ext2.inode_bytes);
    return !ext2_is_data(block) || block == g->d->block_bitmap || block == g->d->inode_bitmap ||
           block - g->d->inode_table < table;
}

/* A free bit in [from, to), if one is there a fresh one, or to. */
static uint32_t find_block(const struct group *g, uint32_t from, uint32_t to, bool contents) {
    const uint64_t *words = words_of(g->bitmap);
    uint32_t first = first_of(g->number), bit = find_clear(words, from, to), at = bit;
    while (contents && at < to) {
        uint32_t fresh = not_freed(first + at) - first;
        if (fresh == at)
            return at;
        at = find_clear(words, MIN(fresh, to), to);
    }
    return bit;
}

static int take_in(struct log_op *op, struct group *g, uint32_t from, uint32_t to, bool contents,
                   uint32_t *block) {
    uint32_t bit = find_block(g, from, to, contents);
    if (bit == to)
        return -K_ENOSPC;
    *block = first_of(g->number) + bit;
    if (is_own(g, *block))
        return -K_EIO;
    change(op, g->bitmap, bit, true);
    count16(&g->d->blocks_free, -1);
    count32(&ext2_super()->blocks_free, -1);
    log_counts(op, g);
    return 0;
}

/* In group number i behind the goal's: 0 is that itself from the goal on, and ext2.groups what is
 * before it. */
static int try_group(struct log_op *op, uint32_t goal, uint32_t i, bool contents, uint32_t *block) {
    struct group g;
    uint32_t number = (group_of(goal) + i) % ext2.groups, at = goal - first_of(group_of(goal));
    int err = begin(&g, number, false);
    if (err)
        return err;
    err = g.d->blocks_free == 0
              ? -K_ENOSPC
              : take_in(op, &g, i == 0 ? at : 0, i == ext2.groups ? at : blocks_in(number),
                        contents, block);
    end(&g);
    return err;
}

int ext2_block_alloc(struct log_op *op, uint32_t goal, bool contents, uint32_t *block,
                     bool *fresh) {
    int err = -K_ENOSPC;
    if (!ext2_is_data(goal))
        goal = ext2.first_block;
    sleeplock_acquire(&lock);
    for (uint32_t i = 0; i <= ext2.groups && err == -K_ENOSPC; i++)
        err = try_group(op, goal, i, contents, block);
    if (!err)
        *fresh = not_freed(*block) == *block;
    sleeplock_release(&lock);
    return err;
}

void ext2_block_free(struct log_op *op, uint32_t block) {
    struct group g;
    if (!ext2_is_data(block))
        return;
    sleeplock_acquire(&lock);
    if (!begin(&g, group_of(block), false)) {
        uint32_t bit = block - first_of(g.number);
        if (!is_own(&g, block) && change(op, g.bitmap, bit, false)) {
            count16(&g.d->blocks_free, 1);
            count32(&ext2_super()->blocks_free, 1);
            log_counts(op, &g);
            note_freed(op, block);
        }
        end(&g);
    }
    sleeplock_release(&lock);
}

/* ---- inodes ---- */

static int take_number_in(struct log_op *op, uint32_t number, bool is_dir, uint32_t *inum) {
    struct group g;
    int err = begin(&g, number, true);
    if (err)
        return err;
    uint32_t first = number == 0 ? ext2.first_inode - 1 : 0;
    uint32_t bit = g.d->inodes_free == 0
                       ? ext2.inodes_per_group
                       : find_clear(words_of(g.bitmap), first, ext2.inodes_per_group);
    err = bit >= ext2.inodes_per_group ? -K_ENOSPC : 0;
    if (!err) {
        change(op, g.bitmap, bit, true);
        count16(&g.d->inodes_free, -1);
        count32(&ext2_super()->inodes_free, -1);
        count16(&g.d->directories, is_dir);
        log_counts(op, &g);
        *inum = number * ext2.inodes_per_group + bit + 1;
    }
    end(&g);
    return err;
}

/* Directories are spread: the group that has most free blocks, of those with a free inode. */
static int emptiest(uint32_t *group) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < ext2.groups; i++) {
        struct buf *home;
        struct ext2_group *d;
        int err = ext2_group_get(i, &home, &d);
        if (err)
            return err;
        if (d->inodes_free > 0 && d->blocks_free > most) {
            most = d->blocks_free;
            *group = i;
        }
        cache_put(home);
    }
    return 0;
}

int ext2_number_take(struct log_op *op, uint32_t dir, bool is_dir, uint32_t *inum) {
    uint32_t near = (dir - 1) / ext2.inodes_per_group;
    sleeplock_acquire(&lock);
    int err = is_dir ? emptiest(&near) : 0;
    if (!err)
        err = -K_ENOSPC;
    for (uint32_t i = 0; i < ext2.groups && err == -K_ENOSPC; i++)
        err = take_number_in(op, (near + i) % ext2.groups, is_dir, inum);
    sleeplock_release(&lock);
    return err;
}

void ext2_number_give(struct log_op *op, uint32_t inum, bool is_dir) {
    struct group g;
    sleeplock_acquire(&lock);
    if (!begin(&g, (inum - 1) / ext2.inodes_per_group, true)) {
        if (change(op, g.bitmap, (inum - 1) % ext2.inodes_per_group, false)) {
            count16(&g.d->inodes_free, 1);
            count32(&ext2_super()->inodes_free, 1);
            count16(&g.d->directories, is_dir ? -1 : 0);
            log_counts(op, &g);
        }
        end(&g);
    }
    sleeplock_release(&lock);
}

/* ---- the super block ---- */

uint32_t ext2_orphan_first(void) { return ext2_super()->last_orphan; }

void ext2_orphan_set_first(struct log_op *op, uint32_t inum) {
    sleeplock_acquire(&lock);
    ext2_super()->last_orphan = inum;
    log_write(op, ext2.home);
    sleeplock_release(&lock);
}

void ext2_use_feature(struct log_op *op, uint32_t feature) {
    sleeplock_acquire(&lock);
    if (!(ext2_super()->ro_compat & feature)) {
        ext2_super()->ro_compat |= feature;
        log_write(op, ext2.home);
    }
    sleeplock_release(&lock);
}

void ext2_free_counts(uint64_t *blocks, uint64_t *inodes) {
    sleeplock_acquire(&lock);
    *blocks = ext2_super()->blocks_free;
    *inodes = ext2_super()->inodes_free;
    sleeplock_release(&lock);
}
