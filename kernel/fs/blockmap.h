/* From block numbers of an inode's contents to blocks of the disk: 12 addresses in the inode,
 * 256 in an indirect block. 0 is a hole. The inode is locked, and edited where it changes.
 *
 * Calls are about one block, or several that follow each other, all direct or all indirect, as
 * those of a page are. The indirect block's buffer is kept from call to call. */
#pragma once
#include "fs/balloc.h"
#include "fs/inode.h"

struct indirect {
    struct buf *buf; /* NULL: not looked for yet */
    bool held;       /* by a reference; else the log pins it */
};

/* At first {0} or, where the inode is edited, this. */
static inline struct indirect indirect_pinned(const struct inode *ip) {
    return (struct indirect){.buf = ip->pinned.indirect};
}

static inline void indirect_end(struct indirect *in) {
    if (in->held)
        cache_put(in->buf);
}

static inline uint32_t *blockmap_addrs(struct buf *indirect) {
    return (uint32_t *)(void *)indirect->data;
}

/* n blocks from i on. -K_EIO: the disk, or a number that is no block of data. */
int blockmap_find(struct inode *ip, uint32_t i, uint32_t n, struct indirect *in,
                  uint32_t *block) must_check;

/* New blocks for n <= 8 numbers from i on, i + n <= FS_MAX_FILE_BLOCKS, which are holes, and so
 * says block. They are part of the contents then, and their bytes are undefined. *fresh as
 * block_alloc_contents says; NULL, and n = 1: for metadata. -K_ENOSPC, -K_EIO: the last ones, or
 * all, are still holes. */
int blockmap_add(struct log_op *op, struct inode *ip, uint32_t i, uint32_t n, struct indirect *in,
                 uint32_t *block, uint8_t *fresh) must_check;

/* As many of them as are to be had at once (block_alloc_next); all are fresh. How many. */
static inline uint32_t blockmap_add_next(struct log_op *op, struct inode *ip, uint32_t i,
                                         uint32_t n, struct indirect *in, uint32_t *block) {
    bool direct = i < FS_NDIRECT;
    if (!direct && !in->buf)
        return 0;
    uint32_t *to = direct ? ip->d.addrs + i : blockmap_addrs(in->buf) + i - FS_NDIRECT;
    uint32_t taken = block_alloc_next(op, n, to);
    for (uint32_t k = 0; k < taken; k++)
        block[k] = to[k];
    if (!direct && taken > 0) {
        log_write(op, in->buf);
        ip->pinned.indirect = in->buf;
    }
    return taken;
}
