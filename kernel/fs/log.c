/* The log: group commit, write barriers, recovery. log.h has the protocol. */
#include "fs/log.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "proc/sleeplock.h"

#define SECTORS_PER_BLOCK (FS_BLOCK_SIZE / SECTOR_SIZE)

struct log_header {
    int32_t n;
    int32_t block[LOG_MAX];
};
_Static_assert(sizeof(struct log_header) == FS_BLOCK_SIZE, "the header is one block");

/* Requests and what they read or write stand here and not on a stack: the disk's
 * interrupt handler runs in any process's page table. */
static struct {
    struct spinlock lock;
    struct wait_channel changed; /* any field down to done */
    struct wait_channel dirty;   /* the running transaction has its first change */
    bool aborted;
    bool closing;                  /* nobody may join the running transaction */
    bool committing;               /* somebody writes the previous transaction */
    uint64_t running;              /* its number, from 1 */
    uint64_t done;                 /* all transactions up to this one are on the disk */
    uint64_t next_ticket, serving; /* log_begin: first come, first served */
    uint32_t ops;                  /* operations of the running transaction that have not ended */
    uint32_t promised;             /* sum of their room */
    uint32_t n;                    /* blocks in the running transaction */
    struct buf *bufs[LOG_MAX];     /* pinned by a reference */

    /* The committer's alone. */
    uint32_t snap_n;
    struct buf *snap[LOG_MAX]; /* sorted by block number */
    uint8_t *copies;           /* their contents, one after the other */
    struct blk_request rq[LOG_MAX];

    /* Constant after mount. */
    uint32_t start, capacity;
} log;

static struct log_header header __attribute__((aligned(FS_BLOCK_SIZE)));

int log_boot_init(void) {
    log.copies = frame_boot_alloc(LOG_MAX * FS_BLOCK_SIZE, FS_BLOCK_SIZE);
    return log.copies ? 0 : -K_ENOMEM;
}

uint32_t log_op_max(void) { return log.capacity; }

bool log_sync_always;

/* ---- operations ---- */

static void commit_locked(void);

/* Closes the running transaction and commits it, unless the one before is still being
 * written, or an operation of it has not ended: whoever ends one comes here again. */
static bool try_commit_locked(void) {
    if (log.committing)
        return false;
    log.closing = true;
    if (log.ops > 0)
        return false;
    commit_locked();
    return true;
}

static bool fits(uint32_t blocks) { return log.n + log.promised + blocks <= log.capacity; }

/* Until so many blocks can be promised. What is only promised comes back without a commit. */
static void wait_for_room_locked(uint64_t ticket, uint32_t blocks) {
    while (!log.aborted && (log.serving != ticket || log.closing || !fits(blocks))) {
        bool full = log.closing || log.n + blocks > log.capacity;
        if (log.serving != ticket || !full || !try_commit_locked())
            sleep_on(&log.changed, &log.lock);
    }
}

int log_begin(struct log_op *op, uint32_t blocks) {
    ASSERT(blocks <= log.capacity);
    sleep_enter(op, RANK_LOG_OP);
    spin_lock(&log.lock);
    wait_for_room_locked(log.next_ticket++, blocks);
    bool aborted = log.aborted;
    if (!aborted) {
        log.serving++;
        log.ops++;
        log.promised += blocks;
        *op = (struct log_op){.transaction = log.running, .room = blocks};
        if (log.serving != log.next_ticket)
            wakeup(&log.changed);
    }
    spin_unlock(&log.lock);
    if (aborted)
        sleep_leave(op);
    return aborted ? -K_EROFS : 0;
}

bool log_extend(struct log_op *op, uint32_t blocks) {
    spin_lock(&log.lock);
    bool granted = fits(blocks);
    if (granted) {
        log.promised += blocks;
        op->room += blocks;
    }
    spin_unlock(&log.lock);
    return granted;
}

bool log_holds(const struct log_op *op, const struct buf *b) {
    return __atomic_load_n(&b->transaction, __ATOMIC_RELAXED) == op->transaction;
}

void log_write(struct log_op *op, struct buf *b) {
    op->wrote = true;
    if (log_holds(op, b))
        return;
    spin_lock(&log.lock);
    if (!log_holds(op, b)) { /* another operation may log the same inode block */
        ASSERT(op->room > 0);
        ASSERT(log.n < log.capacity);
        op->room--;
        log.promised--;
        if (log.n == 0)
            wakeup(&log.dirty);
        log.bufs[log.n++] = b;
        cache_hold(b);
        __atomic_store_n(&b->transaction, op->transaction, __ATOMIC_RELAXED);
    }
    spin_unlock(&log.lock);
}

/* Until the transaction is on the disk. While the one before is being written others may
 * still join it: they are durable with one commit. */
static int wait_for_locked(uint64_t transaction) {
    while (log.done < transaction) {
        if (log.aborted)
            return -K_EIO;
        if (log.running != transaction || !try_commit_locked())
            sleep_on(&log.changed, &log.lock);
    }
    return 0;
}

int log_end(struct log_op *op) {
    int err = 0;
    sleep_leave(op);
    spin_lock(&log.lock);
    log.ops--;
    log.promised -= op->room;
    wakeup(&log.changed);
    if (log.aborted)
        err = op->wrote && log.done < op->transaction ? -K_EIO : 0;
    else if (op->wrote && log_sync_always)
        err = wait_for_locked(op->transaction);
    else if (log.closing || log.n > log.capacity / 2)
        try_commit_locked();
    spin_unlock(&log.lock);
    return err;
}

int log_sync(void) {
    spin_lock(&log.lock);
    int err = wait_for_locked(log.n > 0 ? log.running : log.running - 1);
    spin_unlock(&log.lock);
    return err;
}

bool log_lost(uint64_t transaction) {
    return log_aborted() && __atomic_load_n(&log.done, __ATOMIC_RELAXED) < transaction;
}

void log_wait_for_change(void) {
    spin_lock(&log.lock);
    while (log.n == 0 || log.aborted)
        sleep_on(&log.dirty, &log.lock);
    spin_unlock(&log.lock);
}

/* An operation that has all of the log's room runs alone. */
void log_quiesce(void) {
    struct log_op op;
    if (log_begin(&op, log.capacity))
        return;
    int err = log_end(&op);
    ASSERT(!err); /* it changed nothing */
    spin_lock(&log.lock);
    while (log.committing)
        sleep_on(&log.changed, &log.lock);
    spin_unlock(&log.lock);
}

bool log_aborted(void) { return __atomic_load_n(&log.aborted, __ATOMIC_RELAXED); }

/* ---- commit ---- */

static int flush(void) {
    log.rq[0] = (struct blk_request){.op = BLK_FLUSH};
    return blk_do(&log.rq[0]);
}

static void start_io(struct blk_request *rq, enum blk_op op, uint32_t block, void *data,
                     uint32_t blocks) {
    *rq = (struct blk_request){
        .op = op,
        .sector = (uint64_t)block * SECTORS_PER_BLOCK,
        .data = data,
        .bytes = blocks * FS_BLOCK_SIZE,
    };
    blk_submit(rq);
}

static int do_io(enum blk_op op, uint32_t block, void *data, uint32_t blocks) {
    start_io(&log.rq[0], op, block, data, blocks);
    return blk_wait(&log.rq[0]);
}

/* Writes the header with the first n of its block numbers, and waits until the
 * disk has it for good. */
static int write_header(uint32_t n) {
    header.n = (int32_t)n;
    memset(&header.block[n], 0, (LOG_MAX - n) * sizeof(header.block[0]));
    int err = do_io(BLK_WRITE, log.start, &header, 1);
    return err ? err : flush();
}

/* Writes the copies of the header's n blocks to where they live, neighbours with
 * one request, all requests at once. They are all different. */
static int install(uint32_t n) {
    uint32_t nrq = 0;
    for (uint32_t i = 0, len; i < n; i += len) {
        len = 1;
        while (i + len < n && header.block[i + len] == header.block[i] + (int32_t)len)
            len++;
        start_io(&log.rq[nrq++], BLK_WRITE, (uint32_t)header.block[i],
                 log.copies + (size_t)i * FS_BLOCK_SIZE, len);
    }
    int err = 0;
    for (uint32_t i = 0; i < nrq; i++) {
        int e = blk_wait(&log.rq[i]);
        if (e)
            err = e;
    }
    return err ? err : flush();
}

/* The four steps of a commit; NULL, or what failed. A failure leaves the header
 * alone: if it reached the disk, the next mount installs from it. */
static const char *write_transaction(void) {
    uint32_t n = log.snap_n;
    for (uint32_t i = 0; i < n; i++)
        header.block[i] = (int32_t)log.snap[i]->block;
    if (do_io(BLK_WRITE, log.start + 1, log.copies, n) || flush())
        return "writing the log";
    if (write_header(n))
        return "writing the log's header";
    if (install(n))
        return "installing a committed transaction (the next mount will)";
    if (write_header(0))
        return "clearing the log's header";
    return NULL;
}

/* Shell's sort: fast, and without a worst case that a few hundred of them would feel. */
static void sort_by_block(struct buf **bufs, uint32_t n) {
    static const uint32_t gaps[] = {57, 23, 10, 4, 1};
    for (unsigned g = 0; g < ARRAY_LEN(gaps); g++)
        for (uint32_t gap = gaps[g], i = gap; i < n; i++) {
            struct buf *b = bufs[i];
            uint32_t at = i;
            for (; at >= gap && bufs[at - gap]->block > b->block; at -= gap)
                bufs[at] = bufs[at - gap];
            bufs[at] = b;
        }
}

/* Takes the running transaction's buffers, sorted, into snap and copies their contents. No
 * operation runs, so nobody changes them. */
static void take_snapshot(void) {
    log.snap_n = log.n;
    memcpy(log.snap, log.bufs, log.n * sizeof(log.bufs[0]));
    sort_by_block(log.snap, log.n);
    for (uint32_t i = 0; i < log.n; i++)
        memcpy(log.copies + (size_t)i * FS_BLOCK_SIZE, log.snap[i]->data, FS_BLOCK_SIZE);
}

/* No commit comes after one that failed, so this is said once. */
static void say_aborted(const char *doing) {
    kprintf("fs: disk error while %s: the file system takes no more changes\n", doing);
}

/* Commits the running transaction, which has no operation left. Gives log.lock
 * back while it copies and writes. */
static void commit_locked(void) {
    ASSERT_LOCKED(&log.lock);
    ASSERT(log.n > 0);
    log.committing = true;
    spin_unlock(&log.lock);
    take_snapshot();

    spin_lock(&log.lock);
    uint64_t id = log.running++;
    log.n = 0;
    log.closing = false;
    wakeup(&log.changed);
    spin_unlock(&log.lock);

    const char *failed = write_transaction();
    /* After a failure the buffers stay pinned: memory goes on showing one state. */
    for (uint32_t i = 0; !failed && i < log.snap_n; i++)
        cache_put(log.snap[i]);
    if (failed)
        say_aborted(failed);

    spin_lock(&log.lock);
    if (!failed)
        log.done = id;
    else
        log.aborted = true;
    log.committing = false;
    wakeup(&log.changed);
}

/* ---- mount ---- */

/* Whether the header found on the disk names different blocks that a log may
 * change. */
static bool header_ok(const struct super *sb) {
    if (header.n < 0 || header.n > LOG_MAX || (uint32_t)header.n >= sb->log_blocks)
        return false;
    for (int32_t i = 0; i < header.n; i++) {
        int64_t block = header.block[i];
        if (block < sb->inode_start || block >= sb->size)
            return false;
        for (int32_t j = 0; j < i; j++)
            if (header.block[j] == block)
                return false;
    }
    return true;
}

static int recover(const struct super *sb, const char **why) {
    int err = do_io(BLK_READ, sb->log_start, &header, 1);
    if (err) {
        *why = "the log's header cannot be read";
        return err;
    }
    if (!header_ok(sb)) {
        *why = "the log's header is damaged";
        return -K_EINVAL;
    }
    if (header.n == 0)
        return 0;
    uint32_t n = (uint32_t)header.n;
    err = do_io(BLK_READ, sb->log_start + 1, log.copies, n);
    if (err) {
        *why = "the log cannot be read";
        return err;
    }
    err = install(n);
    if (!err)
        err = write_header(0);
    if (err)
        *why = "the log's blocks cannot be written back";
    return err;
}

int log_mount(const struct super *sb, const char **why) {
    spin_init(&log.lock, RANK_LOG);
    wait_channel_init(&log.changed);
    wait_channel_init(&log.dirty);
    log.aborted = log.closing = log.committing = false;
    log.running = 1;
    log.done = log.next_ticket = log.serving = 0;
    log.ops = log.promised = log.n = 0;
    log.start = sb->log_start;
    /* Two transactions may pin blocks at a time: at most half of the cache. */
    log.capacity = MIN(MIN(sb->log_blocks - 1, (uint32_t)LOG_MAX), cache_buffers() / 4);
    int err = recover(sb, why);
    if (!err && blk_read_only()) {
        log.aborted = true;
        kprintf("fs: the disk is read-only: nothing can be changed\n");
    }
    return err;
}
