/* From block numbers of an inode's contents to blocks of the disk: 12 addresses in the inode, and
 * one tree each of one, two and three steps. 0 is a hole. The inode is locked, and edited where it
 * changes.
 *
 * The block of addresses that was used last is kept from call to call. */
#pragma once
#include "ext2/inode.h"

struct ext2_leaf {
    struct buf *buf; /* with a reference; NULL: none is known */
    uint64_t first;  /* block number of the contents that its first address is for */
};

void ext2_leaf_end(struct ext2_leaf *leaf);

/* n blocks from i on. -K_EIO: the disk, or a number that is no block of a file. */
int ext2_map_find(struct ext2_inode *ip, uint64_t i, uint32_t n, struct ext2_leaf *leaf,
                  uint32_t *block) must_check;

/* Indirect blocks that a run of not more blocks than an indirect block has addresses may need. */
#define EXT2_MAP_INDIRECT 6u

/* A new block for number i, which is a hole. contents: of a file, else metadata, and zeros. The
 * inode is to be saved, whatever is returned. -K_ENOSPC, -K_EIO: there may be new indirect blocks,
 * without addresses. -K_EFBIG. */
int ext2_map_add(struct log_op *op, struct ext2_inode *ip, uint64_t i, bool contents,
                 struct ext2_leaf *leaf, uint32_t *block, bool *fresh) must_check;

/* Frees the blocks from number `first` on, from the last one back, as far as op has room, of which
 * it has EXT2_CUT_ROOM or gets more. *from: none is left from there on; that is `first` when all is
 * done. The inode is to be saved. */
#define EXT2_CUT_ROOM 12u
void ext2_map_cut(struct log_op *op, struct ext2_inode *ip, uint64_t first, uint64_t *from);

/* Reads what is in the first block: n bytes at most, of a link. -K_EIO. */
int ext2_read_first_block(struct ext2_inode *ip, void *dst, size_t n) must_check;
