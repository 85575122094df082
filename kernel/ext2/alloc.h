/* Which blocks and inodes are free: bitmaps, with counts, in each group.
 *
 * A block that was given back may still be a file's on the disk until that is durable: it is not
 * fresh, and what is written there goes through the log. */
#pragma once
#include "ext2/inode.h"

/* Mount. */
void ext2_alloc_mount(void);

/* So many blocks of the log one operation needs to take that many blocks: bitmaps, descriptors and
 * the super block. */
static inline uint32_t ext2_alloc_cost(uint32_t blocks) { return 2 * MIN(blocks, ext2.groups) + 1; }

/* Takes a block, near goal if that can be. contents: *fresh says whether no file on the disk has
 * it. -K_ENOSPC; -K_EIO: also when a bitmap is damaged. Then none was taken. */
int ext2_block_alloc(struct log_op *op, uint32_t goal, bool contents, uint32_t *block,
                     bool *fresh) must_check;
/* Gives it back. What is no block of a file, or free already, is left alone. Two blocks of room,
 * and the super block. */
void ext2_block_free(struct log_op *op, uint32_t block);

/* Takes the number of a free inode, near the directory that it will be in. Three blocks of room.
 * -K_ENOSPC, -K_EIO. */
int ext2_number_take(struct log_op *op, uint32_t dir, bool is_dir, uint32_t *inum) must_check;
void ext2_number_give(struct log_op *op, uint32_t inum, bool is_dir);

/* The first orphan of the list on the disk. One block of room. */
uint32_t ext2_orphan_first(void);
void ext2_orphan_set_first(struct log_op *op, uint32_t inum);

/* A feature of ro_compat is used from now on. One block of room. */
void ext2_use_feature(struct log_op *op, uint32_t feature);

void ext2_free_counts(uint64_t *blocks, uint64_t *inodes);
