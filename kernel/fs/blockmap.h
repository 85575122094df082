/* From block numbers of an inode's contents to blocks of the disk: 12 addresses in the inode,
 * 256 in an indirect block. 0 is a hole. The inode is locked, and edited where it changes.
 *
 * The indirect block's buffer is kept from call to call in *indirect, NULL at first. */
#pragma once
#include "fs/inode.h"

static inline uint32_t *blockmap_addrs(struct buf *indirect) {
    return (uint32_t *)(void *)indirect->data;
}

/* -K_EIO: the disk, or a number that is no block of data. */
int blockmap_find(struct inode *ip, uint32_t i, struct buf **indirect, uint32_t *block) must_check;

/* A new block for number i < FS_MAX_FILE_BLOCKS, which is a hole; it is part of the contents
 * then, and its bytes are undefined. *fresh as block_alloc says. -K_ENOSPC, -K_EIO: nothing
 * changed. */
int blockmap_add(struct log_op *op, struct inode *ip, uint32_t i, struct buf **indirect,
                 uint32_t *block, bool *fresh) must_check;

void blockmap_end(struct buf *indirect);
