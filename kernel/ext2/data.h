/* The contents of files, through the page cache. (Those of directories: dir.h.)
 *
 * All calls want the inode locked, those that change it edited too (inode.h), unless they say else;
 * it is a file. Of the page that a file ends in all bytes behind the end are zero in memory, unless
 * somebody stores there through a mapping; what the disk has there may be anything, so whoever
 * moves the end over it makes it zero.
 *
 * What is written goes straight to its place before the commit that makes the change of the inode
 * durable (the journal's mode "ordered"), but for blocks that were another's lately (alloc.h). */
#pragma once
#include "ext2/blockmap.h"
#include "fs/pagefile.h"
#include "mm/object.h"

/* Reads up to n bytes from offset on, to kernel or user memory; *done is how many, fewer at the end
 * of the file, and also after an error how many were read before it. -K_EIO; -K_EFAULT,
 * -K_ENOMEM: not all of dst can be written (mm/uaccess.h). */
int ext2_read(struct ext2_inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
              size_t *done) must_check;

/* What an operation must reserve to write so many pages; and how many it may, constant after
 * ext2_data_mount, which says 0 when the log is too small for one. */
uint32_t ext2_write_cost(uint32_t pages);
static inline uint32_t ext2_write_pages(uint32_t pages) { return pages + 1; }
extern uint32_t ext2_write_max;
void ext2_data_mount(void);

/* Writes n bytes at offset, which touch ext2_write_max pages at most; behind the end there are
 * holes up to there. *done as for reading; the inode is to be saved. -K_EFBIG, -K_ENOSPC, -K_EIO;
 * -K_EFAULT, -K_ENOMEM: not all of src can be read. What is not in *done has no size. */
int ext2_write(struct log_op *op, struct ext2_inode *ip, uint64_t offset, uaddr_t src, size_t n,
               size_t *done) must_check;

/* Makes a file or a link or directory that is reaped one step shorter, to size bytes; *done when it
 * is so. The inode is to be saved. EXT2_CUT_ROOM blocks of room, and one for the inode. */
void ext2_shrink(struct log_op *op, struct ext2_inode *ip, uint64_t size, bool *done);

/* Makes the file size bytes long, with a hole at the end. In operations of its own: the inode is
 * not locked, no operation runs. -K_EFBIG: as before; -K_EIO, -K_EROFS: somewhere between. */
int ext2_set_length(struct ext2_inode *ip, uint64_t size) must_check;

/* ---- for mappings (object.h); the inode is not locked, no operation runs. May sleep. */

/* Calls show with the frame of a page, and those behind it that are in memory, `most` in all at
 * most, while the inode is locked, and returns what that returns. -K_EIO; -K_ENXIO: the file ends
 * before it. */
int ext2_show(struct ext2_inode *ip, uint64_t index, unsigned most, object_show_fn show,
              void *ctx) must_check;
/* The same for a page that is going to be written through its frame: what is stored from now on,
 * until the log forbids it, is durable with the running transaction, of which show is a part.
 * -K_ENOSPC (a hole), -K_EROFS: nothing is shown, and some holes may have got blocks of zeros. */
int ext2_show_for_write(struct ext2_inode *ip, uint64_t index, object_show_fn show,
                        void *ctx) must_check;

/* ---- pages.c, for write.c */

static inline unsigned ext2_page_blocks(void) { return (unsigned)(PAGE_SIZE / ext2.block_bytes); }
/* Bytes of the page that are in the file. */
static inline size_t ext2_page_bytes(const struct ext2_inode *ip, uint64_t index) {
    return pagefile_bytes(ext2_size(ip), index);
}

/* Its pages, as pagefile.h has them; ended by ext2_pages_end. */
struct ext2_pages {
    struct pagefile file;
    struct ext2_inode *ip;
    struct ext2_leaf leaf;
};
struct ext2_pages ext2_pages_begin(struct ext2_inode *ip);
static inline void ext2_pages_end(struct ext2_pages *f) { ext2_leaf_end(&f->leaf); }
