/* The contents of files, through the page cache: read (filedata.c), written and cut (filewrite.c).
 * (Those of directories: data.h.)
 *
 * All calls want the inode locked, those that change it edited too (inode.h), unless they say
 * else; it is a file. Between calls no page is in the cache that lies behind the end of the
 * file; of the one that it ends in, pagefile.h. Each call that moves the end writes all up to
 * there. */
#pragma once
#include "fs/inode.h"
#include "mm/object.h"

/* As data.h says. */
int filedata_read(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) must_check;

/* Writes n bytes at offset, at most data_write_max blocks, and filedata_pages(n) pages. *done as
 * for reading. -K_EINVAL: offset is beyond the end; -K_EFBIG: nothing fits any more; -K_ENOSPC,
 * -K_EIO; -K_EFAULT, -K_ENOMEM: not all of src can be read. Bytes that are not in *done
 * have no block and no size. */
int filedata_write(struct log_op *op, struct inode *ip, uint64_t offset, uaddr_t src, size_t n,
                   size_t *done) must_check;
/* The same with zeros. */
int filedata_fill(struct log_op *op, struct inode *ip, uint64_t offset, size_t n,
                  size_t *done) must_check;

/* Pages that an operation must reserve to write n bytes. */
static inline uint32_t filedata_pages(size_t n) { return (uint32_t)(n / PAGE_SIZE + 2); }

/* The file was longer, and ends at ip->d.size now: what the cache has behind that goes. No mapping
 * shows it any more (filemap_cut). */
void filedata_cut(struct log_op *op, struct inode *ip, uint32_t old_size);

/* ---- for mappings (object.h); the inode is not locked, no operation runs. May sleep. */

/* Calls show with the frame of a page while the inode is locked, and returns what that returns;
 * with those of pages behind it in memory, `most` in all at most. A frame is what read and write
 * see. The cache keeps the page while somebody has a reference to the frame, and a promise for it;
 * filemap_cut takes it away from all who show it. -K_EIO; -K_ENXIO: the file ends before it. */
int filedata_show(struct inode *ip, uint32_t index, unsigned most, object_show_fn show,
                  void *ctx) must_check;

/* What the page that the file ends in has behind the end, if it is in memory, becomes zero. Locked;
 * may sleep. */
void filedata_clean_end(struct inode *ip);

/* The same for a page that is going to be written through its frame: what is stored from now on,
 * until the log forbids it (filemap.h), is durable with the running transaction, of which
 * show is a part. -K_ENOSPC (a hole), -K_EROFS: nothing is
 * shown, and some holes of the page may have got blocks of zeros. Only where the log has room
 * for two pages (filemap.h).
 */
int filedata_show_for_write(struct inode *ip, uint32_t index, object_show_fn show,
                            void *ctx) must_check;
