/* Pages of a file, in the page cache or brought there: what reading, writing and mapping begin
 * with. For filedata.c and filewrite.c.
 *
 * The inode is locked. Pages are given held. */
#pragma once
#include "fs/blockmap.h"
#include "fs/pagecache.h"

/* Bytes of the page that are in the file. */
static inline size_t filepage_bytes(const struct inode *ip, uint32_t index) {
    uint64_t start = (uint64_t)index * PAGE_SIZE;
    return ip->d.size <= start ? 0 : MIN((size_t)(ip->d.size - start), (size_t)PAGE_SIZE);
}

/* Of its blocks. */
static inline unsigned filepage_blocks(const struct inode *ip, uint32_t index) {
    return (unsigned)((filepage_bytes(ip, index) + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE);
}

/* The page, or NULL when it is not in memory; or a new one, which nobody finds yet. May wait until
 * one can be held, and then gives back the indirect block before, if that is held by a reference:
 * so who waits for a page keeps no buffer from those who have one (pagecache.h). */
struct page *filepage_find(struct inode *ip, uint32_t index, struct indirect *in) must_check;
struct page *filepage_new(struct inode *ip, uint32_t index, struct indirect *in) must_check;

/* Looks up where the page's blocks live. -K_EIO: the indirect block cannot be read. */
int filepage_find_blocks(struct inode *ip, struct page *p, struct indirect *in) must_check;

/* Reads a page that is not in memory and, at the same time, up to count - 1 behind it, since who
 * reads one is likely to read the next. If one of those cannot be read, its own reader learns it.
 * *out is the first. May sleep. -K_EIO: it cannot be read, and none is held. */
int filepage_load(struct inode *ip, uint32_t index, uint32_t count, struct indirect *in,
                  struct page **out) must_check;

/* The page, read with some that follow it if it is not in memory. May sleep. -K_EIO. */
int filepage_get(struct inode *ip, uint32_t index, struct indirect *in,
                 struct page **out) must_check;

/* The same where no indirect block is at hand. -K_EINVAL: the file ends before it; -K_EIO. */
int filepage_get_in_file(struct inode *ip, uint32_t index, struct page **out) must_check;
