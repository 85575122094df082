/* The log: several blocks change on the disk together or not at all.
 *
 * An operation (one system call's change, or a part of it that leaves the disk
 * consistent) runs between log_begin and log_end. It is done when log_end returns, but
 * only in memory: the operations of some time make one transaction, which becomes durable
 * as a whole, and transactions do so in their order. So a power cut loses the last
 * operations, and never an earlier one while a later one is kept.
 *
 * The running transaction is closed when somebody waits for it (log_sync; log_end with
 * log_sync_always), when it has filled half of the log, or all that log_begin needs, and by
 * the flusher about a second after its first change. While it is closed nobody joins. When
 * its last operation has ended, the thread that ended it, or one that waits, copies the logged
 * blocks aside (from here on the next transaction may run) and commits:
 *
 *     fresh blocks of contents -> where they live
 *     logged blocks -> log      flush   the commit can be written
 *     header with their numbers flush   committed: the disk will have all of it
 *     blocks -> where they live flush   installed
 *     empty header              flush   the log's blocks may be overwritten
 *
 * Each flush is needed: disks write their cache in any order.
 *
 * Metadata is logged. So is what overwrites the contents of a file. A block of contents that is
 * in no file on the disk is fresh, and written in place before the commit that makes it a part
 * of one: nobody could see it before. A page does not change while it is being written.
 *
 * Reservations: log_begin says how many different blocks the operation may
 * change, and waits until the log has room for them, first come, first served.
 *
 * Failure: an error of the disk in a commit cannot be undone in memory. The log
 * then aborts: it says so on the console, once, and every operation from then on
 * is refused with -K_EROFS. (Stores to a page that the running transaction had made writable go
 * on in memory.) What memory shows stays readable. The disk is as
 * before the transaction, or the next mount recovers it from the log's header. Whoever asks
 * for durability learns of it (log_sync, log_lost).
 *
 * On a read-only disk nothing but stores is delayed, so the first change finds out; what it made is
 * there in memory (init's console).
 *
 * Lock order: an operation begins before any inode's lock or the name lock is
 * taken and ends after they are given back, since a commit waits until all that run have
 * ended. */
#pragma once
#include "fs/cache.h"
#include "fs/pagecache.h"

#define LOG_MAX (FS_BLOCK_SIZE / 4 - 1)           /* blocks of a transaction, at most */
#define LOG_BYTES ((LOG_MAX + 1) * FS_BLOCK_SIZE) /* and their contents */

/* How many of a size that is. */
static inline uint32_t log_blocks_max(uint32_t block_bytes) {
    return MIN((uint32_t)LOG_MAX, (uint32_t)(LOG_BYTES / block_bytes));
}

/* A format's part of the log: where a transaction goes. */
struct log_disk {
    uint32_t block_bytes; /* FS_BLOCK_SIZE to PAGE_SIZE, a power of two */
    uint32_t blocks;      /* that it takes at most in one transaction; see log_blocks_max */
    /* Writes n different blocks, in order of their numbers, whose contents stand one after the
     * other in copies: all of them or none, whatever a power cut does. The fresh contents of files
     * have been written before, and may be in the disk's cache. NULL, or what failed. */
    const char *(*commit)(const uint32_t *block, uint8_t *copies, uint32_t n);
    /* That page of the inode may be written through no mapping any more, until it is asked for
     * again. No spinlock is held. */
    void (*forbid_writes)(uint32_t inum, uint32_t index);
};

struct log_op {
    uint64_t transaction;
    uint32_t room;  /* blocks that it may still add to the transaction */
    uint32_t pages; /* and pages */
    bool wrote;
};

/* Boot: takes memory for the copies of a transaction's blocks. -K_ENOMEM. */
int log_boot_init(void) must_check;

/* Memory of LOG_BYTES, aligned to a page: the copies that commit is given. Until the mount it is
 * the format's, for its recovery. */
uint8_t *log_copies(void);

/* Mount, when what a crash left has been recovered: starts an empty log. read_only: it takes no
 * changes, as if it had aborted. */
void log_mount(const struct log_disk *disk, bool read_only);

/* The most blocks one operation can reserve. */
uint32_t log_op_max(void);

/* Begins an operation that changes up to blocks <= log_op_max() blocks; may sleep.
 * -K_EROFS: the log has aborted; nothing began, log_end must not be called. */
int log_begin(struct log_op *op, uint32_t blocks) must_check;
/* The same for one that also changes up to pages <= pagecache_dirty_max() pages of contents. */
int log_begin_pages(struct log_op *op, uint32_t blocks, uint32_t pages) must_check;

/* More blocks for an operation that runs, if the log has room just now; does not
 * sleep. True: op->room has grown by blocks. */
bool log_extend(struct log_op *op, uint32_t blocks) must_check;

/* The buffer's contents change in this operation: they go to the disk with it.
 * The caller has a reference. Before or after the change, within the operation.
 * Exceeding the reservation is a panic: the caller counted wrongly. */
static inline void log_write(struct log_op *op, struct buf *b);

/* Blocks of the page, a mask, change in this operation; those of fresh were in no file that is on
 * the disk. The caller holds the page and its inode's lock. One page of room for a page that the
 * transaction has not changed yet, and one block for each block that is not fresh. True: the
 * transaction has taken the caller's reference over, for it had none yet; so the page stays as
 * long as the transaction runs, and until it is on the disk. */
static inline bool log_page(struct log_op *op, struct page *p, unsigned changed, unsigned fresh);
/* The contents from block b of the page on are no part of the file any more. */
void log_forget_page(struct log_op *op, struct page *p, unsigned b);

/* Whether log_write(op, b) needs no room. */
static inline bool log_holds(const struct log_op *op, const struct buf *b) {
    return __atomic_load_n(&b->transaction, __ATOMIC_RELAXED) == op->transaction;
}

void log_write_first(struct log_op *op, struct buf *b); /* in the transaction */
static inline void log_write(struct log_op *op, struct buf *b) {
    op->wrote = true;
    if (!log_holds(op, b))
        log_write_first(op, b);
}

/* more: those of the page's that the transaction has not changed yet. */
bool log_page_first(struct log_op *op, struct page *p, unsigned more, unsigned fresh);
static inline bool log_page(struct log_op *op, struct page *p, unsigned changed, unsigned fresh) {
    bool in_it = p->transaction == op->transaction;
    unsigned more = in_it ? changed & ~(unsigned)(p->fresh | p->logged) : changed;
    op->wrote = true;
    if (!in_it || more & ~fresh)
        return log_page_first(op, p, more, fresh);
    p->fresh |= (uint8_t)more;
    return false;
}

/* The number of the transaction that an operation of the caller's is in. */
uint64_t log_running(void);

/* Ends the operation. Its changes will be on the disk by and by; with log_sync_always
 * (boot argument sync=always) they are when this returns. -K_EIO: it changed something, and
 * that is not and will not be on the disk (the log has aborted). */
int log_end(struct log_op *op) must_check;
extern bool log_sync_always;
/* Ends the operation of a store through a mapping, which has not happened yet: it is done when the
 * fault has returned, and would fault again after a commit. So this asks for none, whatever
 * sync=always says and however full the log is; one that somebody else has asked for may begin
 * here. That the store will never be durable is told by log_sync and log_lost. */
void log_end_store(struct log_op *op);

/* Waits until all that ended operations have changed is on the disk. In no operation.
 * -K_EIO: some of it will never be. */
int log_sync(void) must_check;

/* Whether what was changed in this transaction will never be on the disk. */
bool log_lost(uint64_t transaction);
/* Whether it is there already. */
bool log_durable(uint64_t transaction);

/* Waits until all operations that began earlier have ended and are on the disk, or the log
 * has aborted. In no operation. */
void log_quiesce(void);

/* Calls fn if all that was done is on the disk; no commit begins until it returns. In no operation.
 */
void log_when_durable(void (*fn)(void));

/* For the flusher: sleeps until there is a change that is not yet on the disk. */
void log_wait_for_change(void);
