/* The contents of files, through the page cache. (Those of directories: data.h.)
 *
 * All calls want the inode locked, those that change it edited too (inode.h), unless they say
 * else; it is a file. Between calls no page is in the cache that lies behind the end of the
 * file, and of the last one all bytes behind it are zero, in memory. */
#pragma once
#include "fs/inode.h"

/* Reads and writes as data.h says. src NULL: zeros. *moved, not *done: they begin at 0. */
int filedata_read(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) must_check;
int filedata_write(struct log_op *op, struct inode *ip, uint64_t offset, const uaddr_t *src,
                   size_t n, size_t *done) must_check;

/* Pages that an operation must reserve to write n bytes. */
static inline uint32_t filedata_pages(size_t n) { return (uint32_t)(n / PAGE_SIZE + 2); }

/* The file was longer, and ends at ip->d.size now: what the cache has behind that goes. */
void filedata_cut(struct log_op *op, struct inode *ip, uint32_t old_size);

/* ---- for mappings; the inode is not locked, and no operation runs. May sleep. */

/* A page's frame with a reference (frame_get) for the caller, who has promised a frame for it
 * and gives it back with frame_put; while there is one the cache keeps the page. -K_EIO;
 * -K_EINVAL: the file ends before it. What read and write see is this frame, until the page is
 * cut off (filedata_cut) or the inode goes. */
int filedata_frame(struct inode *ip, uint32_t index, paddr_t *frame) must_check;

/* The page was changed through its frame: it will be durable as if it had been written now.
 * (For shared mappings that may be written; so far only tests call it.)
 * Nothing happens when it is not part of the file any more. -K_EIO, -K_ENOSPC (a hole),
 * -K_EROFS. */
int filedata_dirty(struct inode *ip, uint32_t index) must_check;
