/* The block cache: copies in memory of the disk's blocks of metadata (contents of files are in
 * the page cache).
 *
 * A buffer is a copy of one block. cache_get gives a reference to it, cache_put
 * gives the reference back; while there is one the buffer stays that block's.
 * The cache has no lock for the contents. What guards them:
 *     indirect and directory blocks:    their inode's lock
 *     an inode's 64 bytes in its block: that inode's lock
 *     bitmap blocks:                    the allocator's lock
 * Contents are changed only inside an operation of the log, which then is told
 * (log_write) and keeps a reference of its own until the change is on the disk:
 * an unreferenced buffer never differs from the disk.
 *
 * Lock: cache.lock, a spinlock, guards whose copy a buffer is; sleepers wait on the cache's
 * one channel, so a buffer has nothing that they know when it changes its block. */
#pragma once
#include "dev/blk.h"
#include "lib/abi.h"
#include "lib/list.h"
#include "lib/types.h"

enum buf_state { BUF_EMPTY, BUF_LOADING, BUF_VALID };

struct buf {
    uint8_t *data;  /* the bytes of a block, aligned to their size */
    uint32_t block; /* whose copy this is; BUF_NO_BLOCK: nobody's */
    uint32_t refs;
    enum buf_state state;
    struct buf *hash_next;
    struct list idle;      /* in the list of unreferenced buffers, oldest first */
    uint64_t transaction;  /* the log's: the last that this buffer was logged in */
    struct blk_request rq; /* for loading */
};
#define BUF_NO_BLOCK UINT32_MAX

#define CACHE_PREFETCH_MAX 16

/* Boot: takes memory for about bytes of blocks. -K_ENOMEM: there is not that much. */
int cache_boot_init(uint64_t bytes) must_check;
/* Mount: blocks have so many bytes, a power of two from FS_BLOCK_SIZE (as they have from boot) to
 * PAGE_SIZE, and none is in memory. Nobody has a reference. */
void cache_mount(uint32_t block_bytes);
uint32_t cache_buffers(void);

/* A reference to the block's buffer, loaded. May sleep. -K_EIO: the disk could not
 * read it; there is no reference then, and a later call tries again. */
int cache_get(uint32_t block, struct buf **out) must_check;

/* A reference to the block's buffer without reading the disk: the contents are
 * undefined and the caller overwrites all of them. May sleep, cannot fail. */
struct buf *cache_blank(uint32_t block);

/* A reference if the block is in memory, else NULL. Does not sleep. */
struct buf *cache_peek(uint32_t block);

/* Loads those of n <= CACHE_PREFETCH_MAX blocks that are not in memory, all at
 * once. A hint: errors show when the block is asked for. May sleep. */
void cache_prefetch(const uint32_t *blocks, uint32_t n);

/* One reference more to a buffer that the caller has a reference to. */
void cache_hold(struct buf *b);
void cache_put(struct buf *b);
