/* The log: operations, transactions, and when they commit. log.h has the protocol. */
#include "fs/log.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "proc/sleeplock.h"

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
    uint32_t promised_pages;       /* the same for pages */
    uint32_t n;                    /* blocks that the running transaction logs, of all sorts */
    uint32_t nbufs;                /* of metadata */
    struct buf *bufs[LOG_MAX];     /* pinned by a reference */
    uint32_t npages;
    struct page **pages; /* changed, fresh or logged; pinned too */

    /* The committer's alone. */
    struct {
        uint32_t nbufs, npages;
        struct buf *bufs[LOG_MAX];
        struct page **pages;
        uint32_t n; /* what is logged, sorted by block number */
        struct logged {
            uint32_t block;
            bool contents; /* else metadata */
            const uint8_t *data;
        } entry[LOG_MAX];
        uint32_t block[LOG_MAX]; /* what the disk gets: their numbers */
        uint8_t *copies;         /* and the contents, one after the other */
    } snap;

    /* Constant after mount. */
    const struct log_disk *disk;
    uint32_t capacity, pages_max;
    bool each; /* every operation is committed when it ends */
} log;

int log_boot_init(void) {
    size_t bytes = pagecache_dirty_max() * sizeof(struct page *);
    log.pages = frame_boot_alloc(bytes, _Alignof(struct page *));
    log.snap.pages = frame_boot_alloc(bytes, _Alignof(struct page *));
    log.snap.copies = frame_boot_alloc(LOG_BYTES, PAGE_SIZE);
    return log.pages && log.snap.pages && log.snap.copies ? 0 : -K_ENOMEM;
}

uint8_t *log_copies(void) { return log.snap.copies; }

uint32_t log_op_max(void) { return log.capacity; }

bool log_sync_always;

/* ---- operations ---- */

static void commit_locked(void);

/* Closes the running transaction and commits it, unless the one before is still being
 * written, or an operation of it has not ended: whoever ends one comes here again. */
static bool try_commit_locked(void) {
    ASSERT_LOCKED(&log.lock);
    if (log.committing)
        return false;
    log.closing = true;
    if (log.ops > 0)
        return false;
    commit_locked();
    return true;
}

static bool fits(uint32_t blocks, uint32_t pages) {
    return log.n + log.promised + blocks <= log.capacity &&
           log.npages + log.promised_pages + pages <= log.pages_max;
}

/* Until so much can be promised. What is only promised comes back without a commit. */
static void wait_for_room_locked(uint32_t blocks, uint32_t pages) {
    ASSERT_LOCKED(&log.lock);
    uint64_t ticket = log.next_ticket++;
    while (!log.aborted && (log.serving != ticket || log.closing || !fits(blocks, pages))) {
        bool full = log.closing || log.n + blocks > log.capacity ||
                    log.npages + pages > log.pages_max;
        if (log.serving != ticket || !full || !try_commit_locked())
            sleep_on(&log.changed, &log.lock);
    }
    log.serving += !log.aborted;
    wakeup(&log.changed);
}

int log_begin(struct log_op *op, uint32_t blocks) { return log_begin_pages(op, blocks, 0); }

/* What was asked for is promised: the operation has begun. */
static void enter_locked(struct log_op *op, uint32_t blocks, uint32_t pages) {
    ASSERT_LOCKED(&log.lock);
    log.ops++;
    log.promised += blocks;
    log.promised_pages += pages;
    *op = (struct log_op){.transaction = log.running, .room = blocks, .pages = pages};
}

/* With the log's lock, which it gives back. */
static seldom int begin_slowly(struct log_op *op, uint32_t blocks, uint32_t pages) {
    ASSERT(blocks <= log.capacity); /* else it would wait for ever */
    ASSERT(pages <= log.pages_max);
    wait_for_room_locked(blocks, pages);
    bool aborted = log.aborted;
    if (!aborted)
        enter_locked(op, blocks, pages);
    spin_unlock(&log.lock);
    if (aborted)
        sleep_leave(op);
    return aborted ? -K_EROFS : 0;
}

int log_begin_pages(struct log_op *op, uint32_t blocks, uint32_t pages) {
    sleep_enter(op, RANK_LOG_OP);
    spin_lock(&log.lock);
    if (log.aborted || log.closing || log.serving != log.next_ticket || !fits(blocks, pages))
        return begin_slowly(op, blocks, pages);
    enter_locked(op, blocks, pages);
    spin_unlock(&log.lock);
    return 0;
}

bool log_extend(struct log_op *op, uint32_t blocks) {
    spin_lock(&log.lock);
    bool granted = fits(blocks, 0);
    if (granted) {
        log.promised += blocks;
        op->room += blocks;
    }
    spin_unlock(&log.lock);
    return granted;
}

uint64_t log_running(void) { return __atomic_load_n(&log.running, __ATOMIC_RELAXED); }

/* The operation logs one block more. */
static void add_block_locked(struct log_op *op) {
    ASSERT_LOCKED(&log.lock);
    ASSERT(op->room > 0);
    ASSERT(log.n < log.capacity);
    op->room--;
    log.promised--;
    if (log.n++ == 0)
        wakeup(&log.dirty);
}

void log_write_first(struct log_op *op, struct buf *b) {
    spin_lock(&log.lock);
    if (!log_holds(op, b)) { /* another operation may log the same inode block */
        add_block_locked(op);
        log.bufs[log.nbufs++] = b;
        cache_hold(b);
        __atomic_store_n(&b->transaction, op->transaction, __ATOMIC_RELAXED);
    }
    spin_unlock(&log.lock);
}

static void add_page_locked(struct log_op *op, struct page *p) {
    ASSERT_LOCKED(&log.lock);
    ASSERT(op->pages > 0);
    ASSERT(log.npages < log.pages_max);
    op->pages--;
    log.promised_pages--;
    log.pages[log.npages++] = p;
    p->transaction = op->transaction;
    p->fresh = p->logged = 0;
}

bool log_page_first(struct log_op *op, struct page *p, unsigned more, unsigned fresh) {
    bool takes = p->transaction != op->transaction;
    spin_lock(&log.lock);
    if (takes)
        add_page_locked(op, p);
    for (unsigned left = more & ~fresh; left; left &= left - 1)
        add_block_locked(op);
    spin_unlock(&log.lock);
    p->logged |= (uint8_t)(more & ~fresh);
    p->fresh |= (uint8_t)(more & fresh);
    return takes;
}

void log_forget_page(struct log_op *op, struct page *p, unsigned b) {
    if (p->transaction != op->transaction)
        return;
    spin_lock(&log.lock);
    for (; b < PAGE_BLOCKS; b++) {
        uint8_t bit = (uint8_t)(1u << b);
        log.n -= (p->logged & bit) != 0;
        p->logged &= (uint8_t)~bit;
        p->fresh &= (uint8_t)~bit;
    }
    spin_unlock(&log.lock);
}

/* Until the transaction is on the disk. While the one before is being written others may
 * still join it: they are durable with one commit. */
static int wait_for_locked(uint64_t transaction) {
    ASSERT_LOCKED(&log.lock);
    sleep_may_wait(RANK_COMMIT);
    while (log.done < transaction) {
        if (log.aborted)
            return -K_EIO;
        if (log.running != transaction || !try_commit_locked())
            sleep_on(&log.changed, &log.lock);
    }
    return 0;
}

static void leave_locked(const struct log_op *op) {
    ASSERT_LOCKED(&log.lock);
    log.ops--;
    log.promised -= op->room;
    log.promised_pages -= op->pages;
}

void log_end_store(struct log_op *op) {
    sleep_leave(op);
    spin_lock(&log.lock);
    leave_locked(op);
    wakeup(&log.changed);
    if (log.closing && !log.aborted)
        try_commit_locked();
    spin_unlock(&log.lock);
}

static bool is_half_full(void) {
    return log.n > log.capacity / 2 || log.npages > log.pages_max / 2;
}

/* With the log's lock, which it gives back. */
static seldom int end_slowly(const struct log_op *op) {
    int err = 0;
    wakeup(&log.changed);
    if (log.aborted)
        err = op->wrote && log.done < op->transaction ? -K_EIO : 0;
    else if (op->wrote && log.each)
        err = wait_for_locked(op->transaction);
    else if (log.closing || is_half_full())
        try_commit_locked();
    spin_unlock(&log.lock);
    return err;
}

int log_end(struct log_op *op) {
    sleep_leave(op);
    spin_lock(&log.lock);
    leave_locked(op);
    if (log.aborted || log.each || log.closing || is_half_full() || anybody_sleeps(&log.changed))
        return end_slowly(op);
    spin_unlock(&log.lock);
    return 0;
}

int log_sync(void) {
    spin_lock(&log.lock);
    int err = wait_for_locked(log.n > 0 ? log.running : log.running - 1);
    spin_unlock(&log.lock);
    return err;
}

bool log_durable(uint64_t transaction) {
    return __atomic_load_n(&log.done, __ATOMIC_RELAXED) >= transaction;
}

bool log_lost(uint64_t transaction) {
    return __atomic_load_n(&log.aborted, __ATOMIC_RELAXED) && !log_durable(transaction);
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
    (void)wait_for_locked(op.transaction - 1); /* not for others' later ones */
    spin_unlock(&log.lock);
}

void log_when_durable(void (*fn)(void)) {
    spin_lock(&log.lock);
    while (log.committing)
        sleep_on(&log.changed, &log.lock);
    bool quiet = log.n == 0 && !log.aborted;
    log.committing = quiet;
    spin_unlock(&log.lock);
    if (!quiet)
        return;
    fn();
    spin_lock(&log.lock);
    log.committing = false;
    wakeup(&log.changed);
    spin_unlock(&log.lock);
}

/* ---- commit ---- */

/* Starts writing a run of the page's fresh blocks that are neighbours on the disk, too. */
static void start_run(struct page *p) {
    unsigned first = 0, len = 1, bytes = log.disk->block_bytes;
    while (!(p->ordered >> first & 1))
        first++;
    while (first + len < PAGE_BLOCKS && p->ordered >> (first + len) & 1 &&
           p->block[first + len] == p->block[first] + len)
        len++;
    p->ordered &= (uint8_t) ~(((1u << len) - 1) << first);
    p->rq = (struct blk_request){
        .op = BLK_WRITE,
        .sector = (uint64_t)p->block[first] * (bytes / SECTOR_SIZE),
        .data = p->data + first * bytes,
        .bytes = len * bytes,
    };
    blk_submit(&p->rq);
}

/* Writes the fresh blocks to where they live: of each page one run at a time, of all pages at
 * once. Then the pages may change again. */
static int write_contents(void) {
    int err = 0;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < log.snap.npages; i++) {
            struct page *p = log.snap.pages[i];
            p->rq.bytes = 0;
            if (p->ordered)
                start_run(p);
            more |= p->ordered != 0;
        }
        for (uint32_t i = 0; i < log.snap.npages; i++) {
            struct blk_request *rq = &log.snap.pages[i]->rq;
            int e = rq->bytes ? blk_wait(rq) : 0;
            if (e)
                err = e;
        }
    }
    for (uint32_t i = 0; i < log.snap.npages; i++)
        page_end_writing(log.snap.pages[i]);
    return err;
}

/* By block; contents behind metadata. */
static bool comes_before(const struct logged *a, const struct logged *b) {
    return a->block != b->block ? a->block < b->block : !a->contents && b->contents;
}

/* Shell's sort: fast, and without a worst case that a few hundred of them would feel. */
static void sort_by_block(struct logged *e, uint32_t n) {
    static const uint32_t gaps[] = {57, 23, 10, 4, 1};
    for (unsigned g = 0; g < ARRAY_LEN(gaps); g++)
        for (uint32_t gap = gaps[g], i = gap; i < n; i++) {
            struct logged one = e[i];
            uint32_t at = i;
            for (; at >= gap && comes_before(&one, &e[at - gap]); at -= gap)
                e[at] = e[at - gap];
            e[at] = one;
        }
}

/* A block of metadata that was given back, and became contents in the same transaction, is
 * there twice: it is contents now, for log_forget_page knows of the reverse. */
static uint32_t drop_twice_logged(struct logged *e, uint32_t n) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (i + 1 == n || e[i + 1].block != e[i].block)
            e[kept++] = e[i];
    return kept;
}

static void add_page_to_snapshot(struct page *p) {
    for (unsigned b = 0; p->logged >> b; b++)
        if (p->logged >> b & 1)
            log.snap.entry[log.snap.n++] = (struct logged){p->block[b], true,
                                                           p->data + b * log.disk->block_bytes};
    p->ordered = p->fresh;
    page_begin_writing(p);
}

/* Whoever stores to one of the pages through a mapping faults from here on, and waits until the
 * next transaction runs. */
static void forbid_stores(void) {
    for (uint32_t i = 0; i < log.npages; i++) {
        struct page *p = log.pages[i];
        if (p->stores)
            log.disk->forbid_writes(p->inum, p->index);
        p->stores = false;
    }
}

/* Takes over the running transaction's buffers and pages, and copies what is logged. No
 * operation runs, so nobody changes them. */
static void take_snapshot(void) {
    forbid_stores();
    log.snap.nbufs = log.nbufs;
    log.snap.npages = log.npages;
    log.snap.n = 0;
    for (uint32_t i = 0; i < log.nbufs; i++) {
        struct buf *b = log.snap.bufs[i] = log.bufs[i];
        log.snap.entry[log.snap.n++] = (struct logged){b->block, false, b->data};
    }
    for (uint32_t i = 0; i < log.npages; i++)
        add_page_to_snapshot(log.snap.pages[i] = log.pages[i]);
    ASSERT(log.snap.n == log.n);
    sort_by_block(log.snap.entry, log.snap.n);
    log.snap.n = drop_twice_logged(log.snap.entry, log.snap.n);
    uint32_t bytes = log.disk->block_bytes;
    for (uint32_t i = 0; i < log.snap.n; i++) {
        log.snap.block[i] = log.snap.entry[i].block;
        memcpy(log.snap.copies + (size_t)i * bytes, log.snap.entry[i].data, bytes);
    }
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
    log.n = log.nbufs = log.npages = 0;
    log.closing = false;
    wakeup(&log.changed);
    spin_unlock(&log.lock);

    const char *failed = write_contents()
                             ? "writing the contents of files"
                             : log.disk->commit(log.snap.block, log.snap.copies, log.snap.n);
    /* After a failure buffers and pages stay pinned: memory goes on showing one state. */
    for (uint32_t i = 0; !failed && i < log.snap.nbufs; i++)
        cache_put(log.snap.bufs[i]);
    for (uint32_t i = 0; !failed && i < log.snap.npages; i++)
        page_put(log.snap.pages[i]);
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

void log_mount(const struct log_disk *disk, bool read_only) {
    spin_init(&log.lock, RANK_LOG);
    wait_channel_init(&log.changed);
    wait_channel_init(&log.dirty);
    log.disk = disk;
    log.aborted = read_only;
    log.closing = log.committing = false;
    log.running = 1;
    log.done = log.next_ticket = log.serving = 0;
    log.ops = log.promised = log.promised_pages = 0;
    log.n = log.nbufs = log.npages = 0;
    log.pages_max = pagecache_dirty_max();
    /* Two transactions may pin blocks at a time: at most half of the cache. */
    ASSERT(disk->blocks <= log_blocks_max(disk->block_bytes));
    log.capacity = MIN(disk->blocks, cache_buffers() / 4);
    log.each = log_sync_always || blk_read_only();
}
