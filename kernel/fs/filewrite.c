/* Writing and cutting the contents of files: see filedata.h. */
#include "fs/data.h"
#include "fs/filedata.h"
#include "fs/filepage.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/uaccess.h"

_Static_assert(DATA_MAX_SIZE % PAGE_SIZE == 0, "the largest file ends with a page");

#define RUN_PAGES 4u /* one copy from the user moves at most */

/* What changes, and what is at hand for it. */
struct change {
    struct log_op *op;
    struct inode *ip;
    struct indirect in;
    uint32_t old_size;
    bool added; /* blocks */
    bool taken; /* the log has taken over the reference to the page */
};

/* Where one copy goes. */
struct run {
    struct page *page[RUN_PAGES];
    struct kpiece piece[RUN_PAGES]; /* of each page */
    unsigned pages;
};

/* A page behind the end, which is not in memory, that is going to be filled: its bytes are
 * undefined, but for blocks that there are already. */
static int add_page(struct filepages *f, uint32_t index, struct page **out) {
    if (DEBUG)
        ASSERT(!page_is_there(f->ip->inum, index));
    struct page *p = pagefile_new(&f->file, index);
    int err = filepage_find_blocks(f, p);
    if (err) {
        page_put(p);
        return err;
    }
    for (unsigned b = 0; b < PAGE_BLOCKS; b++)
        if (p->block[b] != 0)
            memset(p->data + b * FS_BLOCK_SIZE, 0, FS_BLOCK_SIZE);
    page_publish(p);
    *out = p;
    return 0;
}

/* The page to be written, in part or in whole: no disk is read for one that lies behind the end. */
static int get_for_write(struct change *c, uint32_t index, struct page **out) {
    if (index >= DATA_MAX_SIZE / PAGE_SIZE)
        return -K_EFBIG;
    struct filepages f = filepages_begin(c->ip, c->in);
    int err = 0;
    if (filepage_bytes(c->ip, index) == 0) {
        err = add_page(&f, index, out);
    } else {
        *out = pagefile_find(&f.file, index);
        if (!*out)
            err = pagefile_load(&f.file, index, 1, out);
        if (!err)
            page_wait_writing(*out);
    }
    c->in = f.in;
    return err;
}

/* A block that a write ends in, and the file did. */
static void zero_rest_of_block(struct page *p, uint64_t end) {
    size_t used = end % FS_BLOCK_SIZE;
    if (used > 0)
        memset(p->data + end % PAGE_SIZE, 0, FS_BLOCK_SIZE - used);
}

static int gather_run(struct change *c, uint64_t offset, size_t n, struct run *r) {
    uint64_t end = MIN(offset + n, ROUND_DOWN(offset, PAGE_SIZE) + RUN_PAGES * PAGE_SIZE);
    r->pages = 0;
    for (uint64_t at = offset, stop; at < end; at = stop) {
        struct page *p;
        int err = get_for_write(c, (uint32_t)(at / PAGE_SIZE), &p);
        if (err)
            return err;
        stop = MIN(end, ROUND_DOWN(at, PAGE_SIZE) + PAGE_SIZE);
        r->piece[r->pages] = (struct kpiece){p->data + at % PAGE_SIZE, (size_t)(stop - at)};
        r->page[r->pages++] = p;
        if (stop > c->ip->d.size)
            zero_rest_of_block(p, stop);
    }
    return 0;
}

/* A copy has failed: *filled becomes how many bytes can be copied, to the end of a block. */
static seldom int fill_blocks(uint8_t *to, uaddr_t src, size_t n, size_t *filled) {
    int err = 0;
    *filled = 0;
    for (size_t len; *filled < n; *filled += len) {
        uint8_t *at = to + *filled;
        len = MIN(n - *filled, FS_BLOCK_SIZE - (uintptr_t)at % FS_BLOCK_SIZE);
        err = copyin_held(at, UA(src.v + *filled), len);
        if (err)
            break;
    }
    return err;
}

/* Fills the pieces from the user's memory or, when src is NULL, with zeros. *filled: how many
 * bytes; after an error, up to the end of a block. */
static int fill(const struct run *r, const uaddr_t *src, size_t *filled) {
    *filled = 0;
    if (!src) {
        for (unsigned k = 0; k < r->pages; *filled += r->piece[k++].bytes)
            memset(r->piece[k].start, 0, r->piece[k].bytes);
        return 0;
    }
    int err = r->pages == 0 ? 0 : copyin_scatter(r->piece, r->pages, *src, filled);
    if (!err)
        return 0;
    size_t before = 0, more;
    unsigned k = 0;
    for (; before < *filled; k++)
        before += r->piece[k].bytes;
    /* It may be had after all; but what is behind it was not copied. */
    (void)fill_blocks(r->piece[k].start, UA(src->v + before), r->piece[k].bytes, &more);
    *filled += more;
    return err;
}

static unsigned holes_at(const struct page *p, unsigned b, unsigned end) {
    unsigned n = 0;
    while (b + n < end && p->block[b + n] == 0)
        n++;
    return n;
}

/* The page's blocks from b to end have their places: the log is told. */
static inline void log_blocks(struct change *c, struct page *p, unsigned b, unsigned end,
                              unsigned fresh) {
    c->taken |= log_page(c->op, p, (1U << end) - (1U << b), fresh);
    c->ip->pinned.page = p;
}

/* settle, where not all of the blocks were given places at once. fresh: those that were. */
static seldom int settle_slowly(struct change *c, struct page *p, unsigned b, unsigned *end,
                                unsigned fresh) {
    int err = 0;
    for (unsigned at = b, n; at < *end && !err; at += n + 1) {
        uint8_t new_fresh = 0;
        n = holes_at(p, at, *end);
        if (n == 0)
            continue;
        err = blockmap_add(c->op, c->ip, p->index * PAGE_BLOCKS + at, n, &c->in, &p->block[at],
                           &new_fresh);
        fresh |= (unsigned)new_fresh << at;
        c->added = true;
    }
    if (err)
        for (*end = b; p->block[*end] != 0;)
            ++*end;
    if (*end > b)
        log_blocks(c, p, b, *end, fresh);
    return err;
}

/* The page's blocks from b to *end were written: they are part of the file. After an error *end
 * is the first that found no place. */
always_inline int settle(struct change *c, struct page *p, unsigned b, unsigned *end) {
    unsigned n = *end - b, k = 0;
    if (holes_at(p, b, *end) == n) /* as most often: the file grows */
        k = blockmap_add_next(c->op, c->ip, p->index * PAGE_BLOCKS + b, n, &c->in, &p->block[b]);
    unsigned fresh = ((1U << k) - 1) << b;
    c->added |= k > 0;
    if (n == 0 || k < n)
        return settle_slowly(c, p, b, end, fresh);
    log_blocks(c, p, b, *end, fresh);
    return 0;
}

/* Of the page's blocks from b to end, which were not filled, or found no place, those that the
 * file has may have changed in part. The others are none, and show nothing of what was copied
 * there. */
static seldom void settle_rest(struct change *c, struct page *p, unsigned b, unsigned end) {
    for (; b < end; b++)
        if (p->block[b] != 0 && b * FS_BLOCK_SIZE < filepage_bytes(c->ip, p->index))
            c->taken |= log_page(c->op, p, 1U << b, 0);
        else
            memset(p->data + b * FS_BLOCK_SIZE, 0, FS_BLOCK_SIZE);
}

/* Of n bytes of the page, from start on, the first were filled; whole blocks count, as far as the
 * disk has room. */
always_inline int write_piece(struct change *c, struct page *p, size_t start, size_t n,
                              size_t filled, size_t *moved) {
    unsigned first = (unsigned)(start / FS_BLOCK_SIZE);
    unsigned last = (unsigned)((start + n + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE);
    unsigned end = filled == n ? last : (unsigned)((start + filled) / FS_BLOCK_SIZE);
    int err = settle(c, p, first, &end);
    *moved = n;
    if (end < last) {
        settle_rest(c, p, end, last);
        *moved = end > first ? end * FS_BLOCK_SIZE - start : 0;
    }
    return err;
}

/* Writes as much as one copy moves, n bytes at most. */
static int write_run(struct change *c, uint64_t offset, const uaddr_t *src, size_t n,
                     size_t *moved) {
    struct run r;
    size_t filled, part, within = offset % PAGE_SIZE;
    int err = gather_run(c, offset, n, &r);
    int failed = fill(&r, src, &filled);
    *moved = 0;
    for (unsigned k = 0; k < r.pages; k++, *moved += part, within = 0) {
        size_t bytes = r.piece[k].bytes;
        c->taken = false;
        int e = write_piece(c, r.page[k], within, bytes, MIN(filled, bytes), &part);
        filled = part < bytes ? 0 : filled - part; /* what counts has no gap */
        if (e)
            err = e;
        if (!c->taken)
            page_put(r.page[k]);
    }
    return failed ? failed : err;
}

/* What the cache has of a page behind the end of the file goes; freed: its blocks there are
 * no longer the file's. */
static void cut_page(struct log_op *op, struct inode *ip, uint32_t index, bool freed) {
    struct page *p = page_find(ip->inum, index, true);
    if (!p)
        return;
    size_t n = filepage_bytes(ip, index);
    unsigned first = filepage_blocks(ip, index);
    log_forget_page(op, p, first);
    if (n == 0) {
        page_forget(p);
        if (ip->pinned.page == p)
            ip->pinned.page = NULL;
    } else {
        page_wait_writing(p);
        memset(p->data + n, 0, PAGE_SIZE - n);
        for (unsigned b = first; freed && b < PAGE_BLOCKS; b++)
            p->block[b] = 0;
    }
    page_put(p);
}

/* A copy that failed may have left something behind the end: bytes, and pages where an image
 * has blocks there. */
static seldom void clear_behind_end(struct log_op *op, struct inode *ip) {
    uint32_t index = ip->d.size / (uint32_t)PAGE_SIZE;
    for (unsigned k = 0; k <= RUN_PAGES; k++)
        cut_page(op, ip, index + k, false);
}

static void grow(struct inode *ip, uint64_t end) { ip->d.size = MAX(ip->d.size, (uint32_t)end); }

/* All of it cannot be copied to the page at once. */
static seldom int copy_blocks(struct change *c, struct page *p, size_t within, uaddr_t src,
                              size_t n, size_t *done) {
    size_t filled;
    int failed = fill_blocks(p->data + within, src, n, &filled);
    int err = write_piece(c, p, within, n, filled, done);
    return failed ? failed : err;
}

static inline int copy_to_page(struct change *c, struct page *p, uint64_t offset, uaddr_t src,
                               size_t n, size_t *done) {
    size_t within = offset % PAGE_SIZE;
    if (offset + n > c->ip->d.size)
        zero_rest_of_block(p, offset + n);
    int err = copyin_held(p->data + within, src, n);
    err = err ? copy_blocks(c, p, within, src, n, done) : write_piece(c, p, within, n, n, done);
    grow(c->ip, offset + *done);
    return err;
}

/* All of it in one page, which the log pins most often, if it is not the first of them. */
static int write_in_page(struct change *c, uint64_t offset, uaddr_t src, size_t n, size_t *done) {
    struct page *p = c->ip->pinned.page;
    uint32_t index = (uint32_t)(offset / PAGE_SIZE);
    bool held = !p || p->index != index;
    int err = held ? get_for_write(c, index, &p) : 0;
    if (err)
        return err;
    err = copy_to_page(c, p, offset, src, n, done);
    if (held && !c->taken)
        page_put(p);
    return err;
}

static seldom int write_runs(struct change *c, uint64_t offset, const uaddr_t *src, size_t n,
                             size_t *done) {
    int err = 0;
    for (size_t moved; *done < n && !err; *done += moved) {
        uaddr_t from = UA(src ? src->v + *done : 0);
        err = write_run(c, offset + *done, src ? &from : NULL, n - *done, &moved);
        grow(c->ip, offset + *done + moved);
    }
    return err;
}

/* By others than ftruncate, up to there. */
static void note_written(struct inode *ip, uint64_t end) {
    ip->written = MAX(ip->written, (uint32_t)MIN(end, (uint64_t)ip->d.size));
}

static struct change begin_change(struct log_op *op, struct inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    return (struct change){.op = op, .ip = ip, .in = indirect_pinned(ip), .old_size = ip->d.size};
}

static inline int end_change(struct change *c, int err) {
    indirect_end(&c->in);
    if (err)
        clear_behind_end(c->op, c->ip);
    if (c->op->wrote)
        inode_written(c->op, c->ip, c->added || c->ip->d.size != c->old_size);
    return err;
}

int filedata_write(struct log_op *op, struct inode *ip, uint64_t offset, uaddr_t src, size_t n,
                   size_t *done) {
    struct change c = begin_change(op, ip);
    *done = 0;
    if (offset > c.old_size)
        return -K_EINVAL;
    int err = n <= PAGE_SIZE - offset % PAGE_SIZE ? write_in_page(&c, offset, src, n, done)
                                                  : write_runs(&c, offset, &src, n, done);
    note_written(ip, offset + n); /* or in part, after an error */
    return end_change(&c, err);
}

int filedata_fill(struct log_op *op, struct inode *ip, uint64_t offset, size_t n, size_t *done) {
    struct change c = begin_change(op, ip);
    *done = 0;
    if (offset > c.old_size)
        return -K_EINVAL;
    return end_change(&c, write_runs(&c, offset, NULL, n, done));
}

/* ---- shrinking ---- */

void filedata_cut(struct log_op *op, struct inode *ip, uint32_t old_size) {
    uint32_t index = ip->d.size / (uint32_t)PAGE_SIZE;
    for (; (uint64_t)index * PAGE_SIZE < old_size; index++)
        cut_page(op, ip, index, true);
}

/* ---- for mappings ---- */

/* All blocks of the page count as written. */
static int write_all_of(struct log_op *op, struct inode *ip, struct page *p) {
    size_t n = filepage_bytes(ip, p->index);
    unsigned end = filepage_blocks(ip, p->index);
    int err = inode_edit(ip);
    if (err)
        return err;
    page_wait_writing(p);
    memset(p->data + n, 0, PAGE_SIZE - n);
    struct change c = begin_change(op, ip);
    err = settle(&c, p, 0, &end);
    note_written(ip, (uint64_t)(p->index + 1) * PAGE_SIZE);
    if (c.taken)
        page_hold(p); /* for the caller */
    return end_change(&c, err);
}

static int show_for_write(struct log_op *op, struct inode *ip, uint32_t index, object_show_fn show,
                          void *ctx) {
    struct filepages f = filepages_begin(ip, (struct indirect){0});
    struct page *p;
    int err = filepage_bytes(ip, index) == 0 ? -K_ENXIO : pagefile_get(&f.file, index, &p);
    filepages_end(&f);
    if (err)
        return err;
    err = write_all_of(op, ip, p);
    if (!err) {
        paddr_t frame = ptr_pa(p->data);
        p->stores = true;
        err = show(ctx, &frame, 1);
    }
    page_put(p);
    return err;
}

int filedata_show_for_write(struct inode *ip, uint32_t index, object_show_fn show, void *ctx) {
    struct log_op op;
    int err = log_begin_pages(&op, data_write_cost(PAGE_BLOCKS), 1);
    if (err)
        return err;
    err = inode_lock(ip);
    if (!err) {
        err = show_for_write(&op, ip, index, show, ctx);
        inode_unlock(ip);
    }
    log_end_store(&op);
    return err;
}
