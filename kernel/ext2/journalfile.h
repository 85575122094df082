/* The journal's file, for journal.c and replay.c, by one thread at a time. */
#pragma once
#include "ext2/inode.h"
#include "ext2/jbd.h"

/* As its super block says, in the machine's order. */
struct ext2_ring {
    uint32_t blocks, first; /* the ring is [first, blocks) */
    uint32_t start, sequence;
    bool version_2;
    uint32_t incompat;
};

/* Finds the file and reads its super block. -K_EINVAL, -K_EIO, with a sentence. */
int ext2_ring_open(struct ext2_ring *r, const char **why) must_check;

/* Where block i of the file lives. -K_EIO. */
int ext2_ring_block(uint32_t i, uint32_t *block) must_check;

/* Moves one block of the disk, of memory that is not on a stack. -K_EIO. */
int ext2_move_block(enum blk_op op, uint32_t block, void *data) must_check;
int ext2_flush(void) must_check;

/* Says where the next transaction to be replayed begins, and its number, with a flush. start 0:
 * there is none. -K_EIO. */
int ext2_ring_write_super(uint32_t start, uint32_t sequence) must_check;
