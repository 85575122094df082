/* The page cache: the contents of files, kept once, in frames, by (inode, page of 4 KiB). What
 * a page means is its users' (filedata.h); this is which are held, and which may go.
 *
 * A page is held, then its frame stays; or idle, then it is a cache to the account (reclaim.h)
 * and may go at any moment, unless somebody else has a reference to its frame, a user's page
 * table for one: whatever maps a frame has promised one for it, so promises are kept. Held pages
 * are bounded by frames that were promised at the mount. Their holders are
 *     the log               pages that two transactions have changed, pagecache_dirty_max() each
 *     readers and writers   one each while they wait for the disk or a block of metadata; more only
 *                           where they do not sleep, wait for the disk alone, or hold what their
 *                           operation has reserved
 * Who waits for a page holds none but those, and no buffer of the block cache but what the log pins
 * (pagefile_find): however many threads are in calls at once, those who have a page go on,
 * so a page becomes free for a caller that waits for one.
 *
 * Guards: an inode's pages are found, made, filled and changed with the inode locked; refs and
 * lists under the cache's spinlock. */
#pragma once
#include "arch/layout.h"
#include "dev/blk.h"
#include "lib/abi.h"
#include "lib/list.h"

#define PAGE_BLOCKS ((uint32_t)(PAGE_SIZE / FS_BLOCK_SIZE))
/* So many at most are held by a call that does not sleep meanwhile. */
#define PAGES_AT_ONCE 16u

struct page {
    uint8_t *data; /* its frame; NULL: none */
    uint32_t inum, index;
    uint32_t refs;
    bool found; /* it is in the table */

    /* Of its blocks, as masks: of the transaction that last changed it, those that are in no
     * file on the disk yet, and those that overwrite what a file there has. */
    uint8_t fresh, logged;
    uint64_t transaction;
    uint32_t block[PAGE_BLOCKS]; /* where each lives; 0: nowhere, it is zeros. The first are used
                                    where blocks are larger */

    /* In its transaction it may be changed through mappings, without a call or a lock. Set in an
     * operation with the inode locked, cleared by the log when none runs. */
    bool stores;

    bool writing;    /* the log writes from it: nothing of it changes; atomic */
    uint8_t ordered; /* the log's: what it still has to write */

    struct page *hash_next;
    struct list link;      /* among the idle ones, or those without a frame */
    struct blk_request rq; /* for reading, and the log's for writing */
};

/* Boot: room for the records, by the size of RAM. -K_ENOMEM. */
int pagecache_boot_init(uint64_t ram_bytes) must_check;
/* Mount: promises the frames for held pages. -K_ENOMEM. */
int pagecache_mount(void) must_check;

/* How many pages it can have. */
uint32_t pagecache_pages(void);
/* How many pages one transaction can change. */
uint32_t pagecache_dirty_max(void);

/* The page, held, or NULL when it is not in memory. With can_wait false it does not sleep, and
 * NULL may also mean that too many are held. */
struct page *page_find(uint32_t inum, uint32_t index, bool can_wait);

/* Its frame, with a reference to that, or PA(0) when it is not in memory. From anywhere; the caller
 * sees to it that the page is not cut off or written meanwhile. */
paddr_t page_frame(uint32_t inum, uint32_t index);

/* Whether it is in memory. Its inode is locked, or it may go or come at once. */
bool page_is_there(uint32_t inum, uint32_t index);

/* The inode's pages that are in memory, one after the other in no order; *at is 0 at first. Its
 * inode is locked. Goes through all pages of the cache, whosever they are, so many at a call: for a
 * file of more pages than the cache has. False: that was all; *found: *index is one of its. */
#define PAGES_LOOKED_AT 64
bool page_next(uint32_t *at, uint32_t inum, uint32_t *index, bool *found);

/* A page with a frame that nobody finds yet, held; contents undefined. May sleep; with
 * can_wait false NULL instead. */
struct page *page_new(uint32_t inum, uint32_t index, bool can_wait);
/* From here on it is found. */
void page_publish(struct page *p);
/* From here on it is not, and its frame goes with the last reference. */
void page_forget(struct page *p);

void page_hold(struct page *p);
void page_put(struct page *p);

/* The log begins to write the page to the disk, and has ended that. */
void page_begin_writing(struct page *p);
void page_end_writing(struct page *p);
/* Waits while the log writes it; then it may be changed. Its inode is locked. */
void page_wait_writing(struct page *p);
