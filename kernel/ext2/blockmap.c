/* From block numbers of contents to blocks of the disk: see blockmap.h. */
#include "ext2/blockmap.h"
#include "ext2/alloc.h"
#include "lib/errno.h"
#include "lib/string.h"

#define STEPS_MAX 3

static uint32_t *addresses(struct buf *b) { return (uint32_t *)(void *)b->data; }

/* The way to a block: the number of the address in the inode, and one in each block of addresses.
 */
struct path {
    unsigned steps; /* blocks of addresses on the way */
    uint32_t at[STEPS_MAX + 1];
};

/* False: it is beyond all. */
static bool find_path(uint64_t i, struct path *p) {
    uint64_t reach = 1;
    *p = (struct path){.at = {(uint32_t)i}};
    if (i < EXT2_DIRECT)
        return true;
    i -= EXT2_DIRECT;
    for (p->steps = 1; p->steps <= STEPS_MAX; p->steps++, i -= reach) {
        reach *= ext2.addresses;
        if (i >= reach)
            continue;
        p->at[0] = EXT2_DIRECT + p->steps - 1;
        for (unsigned s = p->steps; s > 0; s--, i /= ext2.addresses)
            p->at[s] = (uint32_t)(i % ext2.addresses);
        return true;
    }
    return false;
}

void ext2_leaf_end(struct ext2_leaf *leaf) {
    if (leaf->buf)
        cache_put(leaf->buf);
    leaf->buf = NULL;
}

static bool leaf_has(const struct ext2_leaf *leaf, uint64_t i) {
    return leaf->buf && i >= leaf->first && i - leaf->first < ext2.addresses;
}

static void set_leaf(struct ext2_leaf *leaf, struct buf *b, uint64_t i, const struct path *p) {
    leaf->buf = b;
    leaf->first = i - p->at[p->steps];
}

/* ---- find ---- */

/* Makes the leaf the one that has the address of block i; it has none when there is none. */
static int walk(const struct ext2_inode *ip, uint64_t i, struct ext2_leaf *leaf) {
    struct path p;
    struct buf *b = NULL;
    ext2_leaf_end(leaf);
    if (!find_path(i, &p))
        return -K_EIO;
    uint32_t block = ip->d.block[p.at[0]];
    for (unsigned s = 1; s <= p.steps && block; s++) {
        if (b) /* who waits for a buffer has none */
            cache_put(b);
        b = NULL;
        int err = ext2_is_data(block) ? cache_get(block, &b) : -K_EIO;
        if (err)
            return err;
        block = s < p.steps ? addresses(b)[p.at[s]] : 0;
        if (s == p.steps) {
            set_leaf(leaf, b, i, &p);
            return 0;
        }
    }
    if (b)
        cache_put(b);
    return 0;
}

static int find_one(const struct ext2_inode *ip, uint64_t i, struct ext2_leaf *leaf,
                    uint32_t *block) {
    int err = 0;
    if (i < EXT2_DIRECT) {
        *block = ip->d.block[i];
    } else {
        if (!leaf_has(leaf, i))
            err = walk(ip, i, leaf);
        *block = leaf->buf ? addresses(leaf->buf)[i - leaf->first] : 0;
    }
    return err ? err : *block && !ext2_is_data(*block) ? -K_EIO : 0;
}

int ext2_map_find(struct ext2_inode *ip, uint64_t i, uint32_t n, struct ext2_leaf *leaf,
                  uint32_t *block) {
    int err = 0;
    for (uint32_t k = 0; k < n && !err; k++)
        err = find_one(ip, i + k, leaf, &block[k]);
    return err;
}

int ext2_read_first_block(struct ext2_inode *ip, void *dst, size_t n) {
    struct buf *b;
    int err = ext2_is_data(ip->d.block[0]) ? cache_get(ip->d.block[0], &b) : -K_EIO;
    if (err)
        return err;
    memcpy(dst, b->data, n);
    cache_put(b);
    return 0;
}

/* ---- add ---- */

static uint32_t goal_of(const struct ext2_inode *ip) {
    uint32_t group = (ip->inum - 1) / ext2.inodes_per_group;
    return ip->next_block ? ip->next_block : ext2.first_block + group * ext2.blocks_per_group;
}

static int take(struct log_op *op, struct ext2_inode *ip, bool contents, uint32_t *block,
                bool *fresh) {
    int err = ext2_block_alloc(op, goal_of(ip), contents, block, fresh);
    if (err)
        return err;
    ip->next_block = *block + 1;
    ip->d.sectors += ext2.block_bytes / 512;
    return 0;
}

/* A block of zeros, of metadata. */
static int take_zeros(struct log_op *op, struct ext2_inode *ip, uint32_t *block, struct buf **out) {
    bool fresh;
    int err = take(op, ip, false, block, &fresh);
    if (err)
        return err;
    *out = cache_blank(*block);
    memset((*out)->data, 0, ext2.block_bytes);
    log_write(op, *out);
    return 0;
}

/* The block of addresses that *slot leads to, which is made when there is none. above: where the
 * slot is; NULL: the inode. */
static int descend(struct log_op *op, struct ext2_inode *ip, uint32_t *slot, struct buf *above,
                   struct buf **out) {
    if (*slot)
        return ext2_is_data(*slot) ? cache_get(*slot, out) : -K_EIO;
    uint32_t block;
    int err = take_zeros(op, ip, &block, out);
    if (err)
        return err;
    *slot = block;
    if (above)
        log_write(op, above);
    return 0;
}

static int make_leaf(struct log_op *op, struct ext2_inode *ip, uint64_t i, struct ext2_leaf *leaf) {
    struct path p;
    struct buf *b = NULL;
    if (leaf_has(leaf, i))
        return 0;
    ext2_leaf_end(leaf);
    if (!find_path(i, &p))
        return -K_EFBIG;
    uint32_t *slot = &ip->d.block[p.at[0]];
    for (unsigned s = 1; s <= p.steps; s++) {
        struct buf *next;
        int err = descend(op, ip, slot, b, &next);
        if (b)
            cache_put(b);
        if (err)
            return err;
        b = next;
        slot = &addresses(b)[p.at[s]];
    }
    set_leaf(leaf, b, i, &p);
    return 0;
}

int ext2_map_add(struct log_op *op, struct ext2_inode *ip, uint64_t i, bool contents,
                 struct ext2_leaf *leaf, uint32_t *block, bool *fresh) {
    struct buf *zeros = NULL;
    int err = i < EXT2_DIRECT ? 0 : make_leaf(op, ip, i, leaf);
    if (!err)
        err = contents ? take(op, ip, true, block, fresh) : take_zeros(op, ip, block, &zeros);
    if (err)
        return err;
    if (zeros)
        cache_put(zeros);
    if (i < EXT2_DIRECT) {
        ip->d.block[i] = *block;
    } else {
        addresses(leaf->buf)[i - leaf->first] = *block;
        log_write(op, leaf->buf);
    }
    return 0;
}

/* ---- cut ---- */

struct cut {
    struct log_op *op;
    struct ext2_inode *ip;
    uint64_t first, from;
    bool stopped; /* there was no room for more */
};

/* Frees the block that *slot leads to, if there is room. True: that is so. */
static bool drop(struct cut *c, uint32_t *slot) {
    if (c->op->room < EXT2_CUT_ROOM && !log_extend(c->op, EXT2_CUT_ROOM)) {
        c->stopped = true;
        return false;
    }
    ext2_block_free(c->op, *slot);
    uint32_t sectors = ext2.block_bytes / 512;
    c->ip->d.sectors -= MIN(c->ip->d.sectors, sectors);
    *slot = 0;
    return true;
}

/* What *slot leads to, in so many steps, which is for block numbers from base on. The image may
 * name one block of addresses in several places: what it shows is freed once (alloc.h). */
/* NOLINTNEXTLINE(misc-no-recursion): three steps at most */
static bool cut_tree(struct cut *c, uint32_t *slot, unsigned steps, uint64_t base) {
    struct buf *b;
    if (*slot == 0)
        return false;
    if (steps == 0) {
        c->from = drop(c, slot) ? base : c->from;
        return *slot == 0;
    }
    if (!ext2_is_data(*slot) || cache_get(*slot, &b)) {
        *slot = 0; /* nobody knows what was behind it */
        return true;
    }
    uint64_t span = 1;
    for (unsigned s = 1; s < steps; s++)
        span *= ext2.addresses;
    bool changed = false;
    for (uint32_t k = ext2.addresses; k-- > 0 && !c->stopped;) {
        uint64_t start = base + k * span;
        if (start + span <= c->first)
            break;
        changed |= cut_tree(c, &addresses(b)[k], steps - 1, start);
    }
    bool gone = !c->stopped && base >= c->first && drop(c, slot);
    if (changed && !gone)
        log_write(c->op, b);
    cache_put(b);
    return gone;
}

void ext2_map_cut(struct log_op *op, struct ext2_inode *ip, uint64_t first, uint64_t *from) {
    struct cut c = {.op = op, .ip = ip, .first = first, .from = UINT64_MAX};
    uint64_t base = EXT2_DIRECT, bases[STEPS_MAX], span = 1;
    for (unsigned s = 0; s < STEPS_MAX; s++, base += span) {
        bases[s] = base;
        span *= ext2.addresses;
    }
    span = 1;
    for (unsigned s = STEPS_MAX; s > 0 && !c.stopped; s--) {
        span = 1;
        for (unsigned k = 0; k < s; k++)
            span *= ext2.addresses;
        if (bases[s - 1] + span > first)
            cut_tree(&c, &ip->d.block[EXT2_DIRECT + s - 1], s, bases[s - 1]);
    }
    for (unsigned i = EXT2_DIRECT; i-- > 0 && !c.stopped && i >= first;)
        cut_tree(&c, &ip->d.block[i], 0, i);
    ip->next_block = 0;
    *from = c.stopped ? c.from : first;
}
