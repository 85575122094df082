/* Free blocks: the bitmap on the disk, one bit for each block of the image, set
 * when the block is in use.
 *
 * Blocks are given out from the lowest on, so that files lie in one piece and
 * only the bitmap blocks around one place change. Only data blocks are ever given
 * out or taken back, whatever the image's bitmap says.
 *
 * Lock: a sleeplock of its own. */
#pragma once
#include "fs/log.h"
#include "fs/super.h"

/* Mount: counts the free blocks. -K_EIO. */
int balloc_mount(void) must_check;

/* How many bitmap blocks an operation may change that gives out or takes back n
 * blocks, for its reservation. */
static inline uint32_t balloc_cost(uint32_t n) { return MIN(n, super.bitmap_blocks); }

/* Gives out a block for metadata; its contents are undefined. On -K_ENOSPC or -K_EIO nothing
 * changed. */
int block_alloc(struct log_op *op, uint32_t *block) must_check;

/* Gives out n <= 8 blocks for the contents of files. -K_ENOSPC, -K_EIO: fewer, and what block has
 * for the others stays. Bit k of *fresh: nothing on the disk has block[k], so it may be written in
 * place at once; 0 for one that was taken back so lately that a power cut would give it to its
 * last owner again, and where no fresh one can be found. */
int block_alloc_contents(struct log_op *op, uint32_t n, uint32_t *block, uint8_t *fresh) must_check;

/* The same for blocks right behind the one that was given out last in the transaction, all fresh,
 * where they are free and that is known at once. How many: 0, and the call above is the one to
 * make, is no statement about the disk. */
uint32_t block_alloc_next(struct log_op *op, uint32_t n, uint32_t *block) must_check;

/* Undoes block_alloc in the same operation, where it cannot fail. */
void block_unalloc(struct log_op *op, uint32_t block);

/* Takes back list[n - 1], list[n - 2] and so on, skipping zeros, and writes a zero
 * over each. Stops early when the operation's room does not allow to change
 * another bitmap block; *left is how many at the front it did not come to.
 * -K_EIO: list[*left - 1] is not a data block in use, or the bitmap cannot be
 * read; what lies behind has been taken back. */
int block_free_list(struct log_op *op, uint32_t *list, uint32_t n, uint32_t *left) must_check;

uint64_t balloc_free_count(void);
