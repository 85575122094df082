/* The contents of files: see filedata.h. */
#include "fs/filedata.h"
#include "fs/blockmap.h"
#include "fs/data.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/uaccess.h"

_Static_assert(DATA_MAX_SIZE % PAGE_SIZE == 0, "the largest file ends with a page");

#define RUN_PAGES 4u   /* one copy from the user moves at most */
#define AHEAD_PAGES 8u /* one read of the disk brings at most */

/* ---- loading ---- */

/* Bytes of the page that are in the file. */
static size_t bytes_in(const struct inode *ip, uint32_t index) {
    uint64_t start = (uint64_t)index * PAGE_SIZE;
    return ip->d.size <= start ? 0 : MIN((size_t)(ip->d.size - start), (size_t)PAGE_SIZE);
}

static int map_blocks(struct inode *ip, struct page *p, struct indirect *in) {
    return blockmap_find(ip, p->index * PAGE_BLOCKS, PAGE_BLOCKS, in, p->block);
}

/* Starts reading the next run of blocks from b on that are neighbours on the disk; holes, and
 * what lies behind the end, become zeros. The block behind it; with p->rq.bytes 0 none was left. */
static unsigned start_read(const struct inode *ip, struct page *p, unsigned b) {
    unsigned end = (unsigned)((bytes_in(ip, p->index) + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE),
             len = 1;
    p->rq.bytes = 0;
    for (; b < PAGE_BLOCKS && (b >= end || p->block[b] == 0); b++)
        memset(p->data + b * FS_BLOCK_SIZE, 0, FS_BLOCK_SIZE);
    if (b == PAGE_BLOCKS)
        return b;
    while (b + len < end && p->block[b + len] == p->block[b] + len)
        len++;
    p->rq = (struct blk_request){
        .op = BLK_READ,
        .sector = (uint64_t)p->block[b] * (FS_BLOCK_SIZE / SECTOR_SIZE),
        .data = p->data + b * FS_BLOCK_SIZE,
        .bytes = len * FS_BLOCK_SIZE,
    };
    blk_submit(&p->rq);
    return b + len;
}

/* Reads the rest, when what start_read began is there. */
static int finish_read(const struct inode *ip, struct page *p, unsigned next) {
    while (p->rq.bytes) {
        int err = blk_wait(&p->rq);
        if (err)
            return err;
        next = start_read(ip, p, next);
    }
    size_t n = bytes_in(ip, p->index); /* behind its block there are zeros already */
    memset(p->data + n, 0, ROUND_UP(n, FS_BLOCK_SIZE) - n);
    return 0;
}

/* Loads pages from one on that is not in memory, as many as one read brings: what reads one is
 * likely to read the next. *out is the first, held; that the others could not be read shows
 * when they are asked for. */
static int load(struct inode *ip, uint32_t index, uint32_t count, struct indirect *in,
                struct page **out) {
    struct page *page[AHEAD_PAGES];
    unsigned next[AHEAD_PAGES], n = 0;
    int err = 0;
    for (; n < count && (n == 0 || bytes_in(ip, index + n) > 0); n++) {
        if (n > 0 && page_is_there(ip->inum, index + n))
            break;
        page[n] = page_new(ip->inum, index + n, n == 0);
        if (!page[n])
            break;
        err = map_blocks(ip, page[n], in);
        if (err) {
            page_put(page[n]);
            break;
        }
        next[n] = start_read(ip, page[n], 0);
    }
    if (n == 0)
        return err;
    for (unsigned k = n; k-- > 0;) {
        err = finish_read(ip, page[k], next[k]);
        if (!err)
            page_publish(page[k]);
        if (err || k > 0)
            page_put(page[k]);
    }
    *out = page[0];
    return err;
}

/* The page, held; and those behind it in memory, if the disk has to be read. */
static int get_page(struct inode *ip, uint32_t index, struct indirect *in, struct page **out) {
    *out = page_find(ip->inum, index, true);
    return *out ? 0 : load(ip, index, AHEAD_PAGES, in, out);
}

/* ---- reading ---- */

/* Copies to the user from a page and those behind it that are in memory, n bytes at most. While
 * it holds more than the first it never sleeps. */
static int move_run(struct inode *ip, struct page *first, size_t within, uaddr_t dst, size_t n,
                    size_t *moved) {
    struct page *page[PAGES_AT_ONCE];
    struct kpiece piece[PAGES_AT_ONCE];
    unsigned count = 1;
    piece[0] = (struct kpiece){first->data + within, MIN(n, PAGE_SIZE - within)};
    for (n -= piece[0].bytes; n > 0 && count < PAGES_AT_ONCE; n -= piece[count++].bytes) {
        page[count] = page_find(ip->inum, first->index + count, false);
        if (!page[count])
            break;
        piece[count] = (struct kpiece){page[count]->data, MIN(n, (size_t)PAGE_SIZE)};
    }
    int err = copyout_gather(dst, piece, count, moved);
    while (--count > 0)
        page_put(page[count]);
    return err;
}

/* n bytes of one page. */
static int move_in_page(const struct page *p, size_t within, uint64_t dst, bool is_user, size_t n) {
    if (is_user)
        return copyout_held(UA(dst), p->data + within, n);
    memcpy((void *)dst, p->data + within, n);
    return 0;
}

static seldom int read_pages(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user,
                             size_t n, size_t *done) {
    struct indirect in = {0};
    int err = 0;
    while (*done < n && !err) {
        struct page *p;
        uint64_t at = offset + *done;
        size_t within = at % PAGE_SIZE, moved = MIN(n - *done, PAGE_SIZE - within);
        err = get_page(ip, (uint32_t)(at / PAGE_SIZE), &in, &p);
        if (err)
            break;
        if (is_user)
            err = move_run(ip, p, within, UA(dst + *done), n - *done, &moved);
        else
            err = move_in_page(p, within, dst + *done, false, moved);
        page_put(p);
        *done += moved;
    }
    indirect_end(&in);
    return err;
}

/* What is short, and in memory, is read without more ado. */
int filedata_read(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    size_t within = offset % PAGE_SIZE;
    *done = 0;
    if (offset >= ip->d.size)
        return 0;
    n = MIN(n, (size_t)(ip->d.size - offset));
    struct page *p = n <= PAGE_SIZE - within
                         ? page_find(ip->inum, (uint32_t)(offset / PAGE_SIZE), true)
                         : NULL;
    if (!p)
        return read_pages(ip, offset, dst, is_user, n, done);
    int err = move_in_page(p, within, dst, is_user, n);
    page_put(p);
    *done = err ? 0 : n;
    return err;
}

/* ---- writing ---- */

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
static int add_page(struct inode *ip, uint32_t index, struct indirect *in, struct page **out) {
    if (DEBUG)
        ASSERT(!page_is_there(ip->inum, index));
    struct page *p = page_new(ip->inum, index, true);
    int err = map_blocks(ip, p, in);
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
static int get_for_write(struct inode *ip, uint32_t index, struct indirect *in, struct page **out) {
    int err = 0;
    if (index >= DATA_MAX_SIZE / PAGE_SIZE)
        return -K_EFBIG;
    if (bytes_in(ip, index) == 0)
        return add_page(ip, index, in, out);
    *out = page_find(ip->inum, index, true);
    if (!*out)
        err = load(ip, index, 1, in, out);
    if (!err)
        page_wait_writing(*out);
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
        int err = get_for_write(c->ip, (uint32_t)(at / PAGE_SIZE), &c->in, &p);
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

/* New blocks for the holes of the page from b to end. *fresh: which of the page's are. */
static seldom int fill_holes(struct change *c, struct page *p, unsigned b, unsigned end,
                             unsigned *fresh) {
    int err = 0;
    for (unsigned n; b < end && !err; b += n + 1) {
        uint8_t new_fresh = 0;
        n = holes_at(p, b, end);
        if (n == 0)
            continue;
        err = blockmap_add(c->op, c->ip, p->index * PAGE_BLOCKS + b, n, &c->in, &p->block[b],
                           &new_fresh);
        *fresh |= (unsigned)new_fresh << b;
        c->added = true;
    }
    return err;
}

/* The page's blocks from b to *end were written: they are part of the file. After an error *end
 * is the first that found no place. */
static int settle(struct change *c, struct page *p, unsigned b, unsigned *end) {
    unsigned n = *end - b, k = 0, fresh;
    int err = 0;
    if (holes_at(p, b, *end) == n) /* as most often: the file grows */
        k = blockmap_add_next(c->op, c->ip, p->index * PAGE_BLOCKS + b, n, &c->in, &p->block[b]);
    c->added |= k > 0;
    fresh = ((1U << k) - 1) << b;
    if (k < n)
        err = fill_holes(c, p, b + k, *end, &fresh);
    if (err)
        for (*end = b; p->block[*end] != 0;)
            ++*end;
    if (*end > b) {
        c->taken |= log_page(c->op, p, (1U << *end) - (1U << b), fresh);
        c->ip->pinned.page = p;
    }
    return err;
}

/* Of the page's blocks from b to end, which were not filled, or found no place, those that the
 * file has may have changed in part. The others are none, and show nothing of what was copied
 * there. */
static seldom void settle_rest(struct change *c, struct page *p, unsigned b, unsigned end) {
    for (; b < end; b++)
        if (p->block[b] != 0 && b * FS_BLOCK_SIZE < bytes_in(c->ip, p->index))
            c->taken |= log_page(c->op, p, 1U << b, 0);
        else
            memset(p->data + b * FS_BLOCK_SIZE, 0, FS_BLOCK_SIZE);
}

/* Of n bytes of the page, from start on, the first were filled; whole blocks count, as far as the
 * disk has room. */
static inline int write_piece(struct change *c, struct page *p, size_t start, size_t n,
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
    size_t n = bytes_in(ip, index);
    unsigned first = (unsigned)((n + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE);
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
static void clear_behind_end(struct log_op *op, struct inode *ip) {
    uint32_t index = ip->d.size / (uint32_t)PAGE_SIZE;
    for (unsigned k = 0; k <= RUN_PAGES; k++)
        cut_page(op, ip, index + k, false);
}

static void grow(struct inode *ip, uint64_t end) { ip->d.size = MAX(ip->d.size, (uint32_t)end); }

static int copy_to_page(struct change *c, struct page *p, uint64_t offset, uaddr_t src, size_t n,
                        size_t *done) {
    size_t within = offset % PAGE_SIZE, filled = n;
    uint8_t *to = p->data + within;
    if (offset + n > c->ip->d.size)
        zero_rest_of_block(p, offset + n);
    int failed = copyin_held(to, src, n);
    if (failed)
        failed = fill_blocks(to, src, n, &filled);
    int err = write_piece(c, p, within, n, filled, done);
    grow(c->ip, offset + *done);
    return failed ? failed : err;
}

/* All of it in one page, which the log pins most often, if it is not the first of them. */
static int write_in_page(struct change *c, uint64_t offset, uaddr_t src, size_t n, size_t *done) {
    struct page *p = c->ip->pinned.page;
    uint32_t index = (uint32_t)(offset / PAGE_SIZE);
    bool held = !p || p->index != index;
    int err = held ? get_for_write(c->ip, index, &c->in, &p) : 0;
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

/* The page of the file, held. The inode is locked. */
static int get_mapped(struct inode *ip, uint32_t index, struct page **p) {
    struct indirect in = {0};
    int err = bytes_in(ip, index) == 0 ? -K_EINVAL : get_page(ip, index, &in, p);
    indirect_end(&in);
    return err;
}

/* Nothing is to be seen behind the end: its page may hold what was there before (filedata.h). */
static paddr_t clean_frame(const struct inode *ip, struct page *p) {
    size_t used = ROUND_UP(bytes_in(ip, p->index), FS_BLOCK_SIZE);
    if (used < PAGE_SIZE)
        memset(p->data + used, 0, PAGE_SIZE - used);
    return ptr_pa(p->data);
}

void filedata_clean_end(struct inode *ip) {
    struct page *p = page_find(ip->inum, ip->d.size / (uint32_t)PAGE_SIZE, true);
    if (!p)
        return;
    clean_frame(ip, p);
    page_put(p);
}

/* With what follows it and is in memory, to the next multiple of PAGES_AT_ONCE. Nobody sleeps while
 * all are held. */
static int show_pages(const struct inode *ip, struct page *first, object_show_fn show, void *ctx) {
    struct page *page[PAGES_AT_ONCE];
    paddr_t frame[PAGES_AT_ONCE];
    unsigned n = 1;
    page[0] = first;
    frame[0] = clean_frame(ip, first);
    for (uint32_t i = first->index + 1; i % PAGES_AT_ONCE != 0 && bytes_in(ip, i) > 0; i++, n++) {
        page[n] = page_find(ip->inum, i, false);
        if (!page[n])
            break;
        frame[n] = clean_frame(ip, page[n]);
    }
    int err = show(ctx, frame, n);
    while (n > 0)
        page_put(page[--n]);
    return err;
}

int filedata_show(struct inode *ip, uint32_t index, object_show_fn show, void *ctx) {
    struct page *p;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = get_mapped(ip, index, &p);
    if (!err)
        err = show_pages(ip, p, show, ctx);
    inode_unlock(ip);
    return err;
}

/* All blocks of the page count as written. */
static int write_all_of(struct log_op *op, struct inode *ip, struct page *p) {
    size_t n = bytes_in(ip, p->index);
    unsigned end = (unsigned)((n + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE);
    int err = inode_edit(ip);
    if (err)
        return err;
    page_wait_writing(p);
    memset(p->data + n, 0, PAGE_SIZE - n);
    struct change c = begin_change(op, ip);
    err = settle(&c, p, 0, &end);
    if (c.taken)
        page_hold(p); /* for the caller */
    return end_change(&c, err);
}

static int show_for_write(struct log_op *op, struct inode *ip, uint32_t index, object_show_fn show,
                          void *ctx) {
    struct page *p;
    int err = get_mapped(ip, index, &p);
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
