/* The contents of an inode: bytes in blocks (blockmap.h). A hole reads as zeros; Trellis makes
 * none, images may have them. A file's contents are in the page cache (filedata.h), a
 * directory's, which are metadata, in the block cache.
 *
 * All calls want the inode locked, those that change it edited too (inode.h), and
 * run in the operation op. Whatever they did before they failed is consistent. */
#pragma once
#include "fs/balloc.h"
#include "fs/inode.h"

#define DATA_MAX_SIZE (FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE)

/* Reads up to n bytes from offset on; *done is how many, fewer at the end of the
 * contents, and also after an error how many were read before it. -K_EIO;
 * -K_EFAULT, -K_ENOMEM: not all of dst can be written (mm/uaccess.h). */
int data_read_user(struct inode *ip, uint64_t offset, uaddr_t dst, size_t n,
                   size_t *done) must_check;
int data_read_kernel(struct inode *ip, uint64_t offset, void *dst, size_t n,
                     size_t *done) must_check;

/* Blocks that an operation must reserve to write n blocks, or to add one block to
 * a directory; and the most that one operation can write, constant after data_mount. */
static inline uint32_t data_write_cost(uint32_t nblocks) {
    return nblocks + balloc_cost(nblocks + 1) + 2; /* the indirect block, the inode */
}
extern uint32_t data_write_max;
/* Mount, when the log and the bitmap are known. */
void data_mount(void);

/* The buffer of block number i of a directory's contents, allocated and zeroed if need be,
 * with a reference; logged, and the inode saved if it changed. -K_EFBIG, -K_ENOSPC, -K_EIO:
 * nothing changed. */
int data_block_for_write(struct log_op *op, struct inode *ip, uint32_t i,
                         struct buf **out) must_check;
/* The buffer of block i, for reading. *out is NULL when it is a hole. -K_EIO. */
int data_block(struct inode *ip, uint32_t i, struct buf **out) must_check;

/* Blocks that one step of data_shrink wants reserved; any operation with
 * DATA_SHRINK_MIN makes some progress. */
uint32_t data_shrink_cost(const struct inode *ip);
#define DATA_SHRINK_MIN 3

/* Frees the blocks behind the first size bytes, from the last on, as far as op has
 * room; *done when none is left. Sets the size and saves the inode. -K_EIO: the
 * image contradicts itself; what lies behind is freed. */
int data_shrink(struct log_op *op, struct inode *ip, uint64_t size, bool *done) must_check;

/* Makes the contents size bytes long, zeros at the end. In operations of its own: the inode is not
 * locked, no operation runs. -K_EFBIG, -K_ENOSPC: as before, but for zeros that somebody has
 * written into or behind meanwhile (not by a store to a page that could be written already);
 * -K_EIO, -K_EROFS: somewhere between. */
int data_set_size(struct inode *ip, uint64_t size) must_check;
