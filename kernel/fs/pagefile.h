/* Pages of a file in the page cache, or brought there, whatever disk it is on: what reading,
 * writing and mapping begin with. A file system says where the blocks are.
 *
 * The inode is locked. Pages are given held. Of the page that the file ends in all bytes of the
 * last block behind the end are zero when it was read; who writes keeps that so, and stores through
 * a mapping may break it. What lies behind that block is zeroed whenever a mapping is shown it. */
#pragma once
#include "fs/pagecache.h"
#include "mm/object.h"

struct pagefile;

struct pagefile_ops {
    uint64_t (*size)(const struct pagefile *f); /* of the file, in bytes */
    /* Looks up where the page's blocks live, p->block; may keep a buffer of the block cache for the
     * next page. -K_EIO. */
    int (*find_blocks)(struct pagefile *f, struct page *p);
    /* Gives that back. */
    void (*end)(struct pagefile *f);
};

/* Begins what a file system needs for a call, on the caller's stack; ended by ops->end. */
struct pagefile {
    const struct pagefile_ops *ops;
    uint32_t inum, block_bytes;
};

/* Bytes of a page that are in a file of this size. */
static inline size_t pagefile_bytes(uint64_t size, uint64_t index) {
    uint64_t start = index * PAGE_SIZE;
    return size <= start ? 0 : MIN((size_t)(size - start), (size_t)PAGE_SIZE);
}

/* The page, or NULL when it is not in memory; or a new one, which nobody finds yet. May wait until
 * one can be held, and then gives back a buffer before: so who waits for a page keeps none from
 * those who have one (pagecache.h). */
struct page *pagefile_find(struct pagefile *f, uint32_t index) must_check;
struct page *pagefile_new(struct pagefile *f, uint32_t index) must_check;

/* Reads a page that is not in memory and, at the same time, up to count - 1 behind it, since who
 * reads one is likely to read the next. If one of those cannot be read, its own reader learns it.
 * *out is the first. May sleep. -K_EIO: it cannot be read, and none is held. */
int pagefile_load(struct pagefile *f, uint32_t index, uint32_t count, struct page **out) must_check;

/* The page, read with some that follow it if it is not in memory. May sleep. -K_EIO. */
int pagefile_get(struct pagefile *f, uint32_t index, struct page **out) must_check;

/* Copies n bytes at offset, which are in the file, to kernel or user memory; *done is how many,
 * also after an error. -K_EIO; -K_EFAULT, -K_ENOMEM: not all of dst can be written (mm/uaccess.h).
 */
int pagefile_read(struct pagefile *f, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) must_check;

/* Calls show with the frame of a page, and those of pages behind it in memory, `most` in all at
 * most, and returns what that returns. -K_EIO; -K_ENXIO: the file ends before it. */
int pagefile_show(struct pagefile *f, uint32_t index, unsigned most, object_show_fn show,
                  void *ctx) must_check;

/* What the page that the file ends in has behind its last block, if it is in memory, becomes zero.
 * May sleep. */
void pagefile_clean_end(const struct pagefile *f);
