/* The contents of files: see filedata.h. */
#include "fs/filedata.h"
#include "fs/blockmap.h"
#include "fs/data.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/uaccess.h"

#define RUN_PAGES 4u   /* one copy from the user moves at most */
#define AHEAD_PAGES 8u /* one read of the disk brings at most */

/* ---- loading ---- */

/* Bytes of the page that are in the file. */
static size_t bytes_in(const struct inode *ip, uint32_t index) {
    uint64_t start = (uint64_t)index * PAGE_SIZE;
    return ip->d.size <= start ? 0 : MIN((size_t)(ip->d.size - start), (size_t)PAGE_SIZE);
}

static int map_blocks(struct inode *ip, struct page *p, struct buf **indirect) {
    int err = 0;
    for (unsigned b = 0; b < PAGE_BLOCKS && !err; b++)
        err = blockmap_find(ip, p->index * PAGE_BLOCKS + b, indirect, &p->block[b]);
    return err;
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
static int load(struct inode *ip, uint32_t index, uint32_t count, struct buf **indirect,
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
        err = map_blocks(ip, page[n], indirect);
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

/* The page, held; ahead: and those behind it, if the disk has to be read. */
static int get_page(struct inode *ip, uint32_t index, bool ahead, struct buf **indirect,
                    struct page **out) {
    *out = page_find(ip->inum, index, true);
    return *out ? 0 : load(ip, index, ahead ? AHEAD_PAGES : 1, indirect, out);
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

int filedata_read(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct buf *indirect = NULL;
    int err = 0;
    *done = 0;
    if (offset >= ip->d.size)
        return 0;
    n = MIN(n, (size_t)(ip->d.size - offset));
    while (*done < n && !err) {
        struct page *p;
        uint64_t at = offset + *done;
        size_t within = at % PAGE_SIZE, moved = 0;
        err = get_page(ip, (uint32_t)(at / PAGE_SIZE), true, &indirect, &p);
        if (err)
            break;
        if (is_user) {
            err = move_run(ip, p, within, UA(dst + *done), n - *done, &moved);
        } else {
            moved = MIN(n - *done, PAGE_SIZE - within);
            memcpy((void *)(dst + *done), p->data + within, moved);
        }
        page_put(p);
        *done += moved;
    }
    blockmap_end(indirect);
    return err;
}

/* ---- writing ---- */

#define RUN_PIECES (RUN_PAGES * PAGE_BLOCKS)

/* Where one copy goes: a piece for each block. */
struct run {
    struct page *page[RUN_PAGES];
    unsigned pages;
    struct kpiece piece[RUN_PIECES];
    unsigned pieces;
    uint32_t first; /* block of the contents */
};

/* A page behind the end that is going to be filled: its bytes are undefined, but for blocks that
 * there are already. */
static int add_page(struct inode *ip, uint32_t index, struct buf **indirect, struct page **out) {
    struct page *p = page_new(ip->inum, index, true);
    int err = map_blocks(ip, p, indirect);
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
static int get_for_write(struct inode *ip, uint32_t index, struct buf **indirect,
                         struct page **out) {
    *out = page_find(ip->inum, index, true);
    int err = 0;
    if (!*out && bytes_in(ip, index) == 0)
        err = add_page(ip, index, indirect, out);
    else if (!*out)
        err = load(ip, index, 1, indirect, out);
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

static int gather_run(struct inode *ip, uint64_t offset, size_t n, struct buf **indirect,
                      struct run *r) {
    uint64_t end = MIN(offset + n, ROUND_DOWN(offset, PAGE_SIZE) + RUN_PAGES * PAGE_SIZE);
    int err = 0;
    r->pages = r->pieces = 0;
    r->first = (uint32_t)(offset / FS_BLOCK_SIZE);
    if (offset >= DATA_MAX_SIZE)
        return -K_EFBIG;
    end = MIN(end, (uint64_t)DATA_MAX_SIZE);
    for (uint64_t at = offset; at < end && !err;) {
        struct page *p;
        uint64_t stop = MIN(end, ROUND_DOWN(at, PAGE_SIZE) + PAGE_SIZE);
        err = get_for_write(ip, (uint32_t)(at / PAGE_SIZE), indirect, &p);
        if (err)
            break;
        r->page[r->pages++] = p;
        for (size_t len; at < stop; at += len) {
            len = MIN((size_t)(stop - at), FS_BLOCK_SIZE - (size_t)(at % FS_BLOCK_SIZE));
            r->piece[r->pieces++] = (struct kpiece){p->data + at % PAGE_SIZE, len};
        }
        if (stop > ip->d.size)
            zero_rest_of_block(p, stop);
    }
    return err;
}

/* Fills the pieces from the user's memory or, when src is NULL, with zeros. *moved: the bytes
 * of those before the one that failed. */
static int fill(const struct run *r, const uaddr_t *src, size_t *moved) {
    if (src)
        return copyin_scatter(r->piece, r->pieces, *src, moved);
    *moved = 0;
    for (unsigned k = 0; k < r->pieces; *moved += r->piece[k++].bytes)
        memset(r->piece[k].start, 0, r->piece[k].bytes);
    return 0;
}

/* Block i of the contents was written: it is part of the file. *added: the inode changes. */
static int settle(struct log_op *op, struct inode *ip, uint32_t i, struct page *p,
                  struct buf **indirect, bool *added) {
    unsigned b = i % PAGE_BLOCKS;
    bool fresh = false;
    if (p->block[b] == 0) {
        int err = blockmap_add(op, ip, i, indirect, &p->block[b], &fresh);
        if (err)
            return err;
        *added = true;
    }
    log_page(op, p, b, fresh);
    return 0;
}

static void note_written(struct log_op *op, struct inode *ip, bool inode_too) {
    if (op->wrote)
        inode_changed(op, ip);
    if (inode_too)
        inode_save(op, ip);
}

/* Writes as many blocks as one copy moves, n bytes at most. A block that was not filled is
 * none, and shows nothing of what was copied there; of one that the file has already a part may
 * have changed. */
static int write_run(struct log_op *op, struct inode *ip, uint64_t offset, const uaddr_t *src,
                     size_t n, struct buf **indirect, bool *added, size_t *moved) {
    struct run r;
    size_t copied, end = 0;
    int err = gather_run(ip, offset, n, indirect, &r);
    int failed = fill(&r, src, &copied);
    *moved = 0;
    for (unsigned k = 0; k < r.pieces; k++) {
        uint32_t i = r.first + k;
        struct page *p = r.page[i / PAGE_BLOCKS - r.first / PAGE_BLOCKS];
        bool there = p->block[i % PAGE_BLOCKS] != 0 && i * FS_BLOCK_SIZE < ip->d.size;
        bool counts = *moved == end;
        end += r.piece[k].bytes;
        counts &= end <= copied;
        int e = there || counts ? settle(op, ip, i, p, indirect, added) : 0;
        if (counts && !e)
            *moved = end;
        else if (!there)
            memset(r.piece[k].start, 0, r.piece[k].bytes);
        if (e)
            err = e;
    }
    while (r.pages > 0)
        page_put(r.page[--r.pages]);
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

int filedata_write(struct log_op *op, struct inode *ip, uint64_t offset, const uaddr_t *src,
                   size_t n, size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct buf *indirect = NULL;
    uint32_t old_size = ip->d.size;
    bool added = false;
    int err = 0;
    *done = 0;
    if (offset > old_size)
        return -K_EINVAL;
    while (*done < n && !err) {
        size_t moved;
        uaddr_t from = UA(src ? src->v + *done : 0);
        err = write_run(op, ip, offset + *done, src ? &from : NULL, n - *done, &indirect, &added,
                        &moved);
        *done += moved;
        ip->d.size = MAX(ip->d.size, (uint32_t)(offset + *done));
    }
    blockmap_end(indirect);
    if (err)
        clear_behind_end(op, ip);
    note_written(op, ip, added || ip->d.size != old_size);
    return err;
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
    struct buf *indirect = NULL;
    int err = bytes_in(ip, index) == 0 ? -K_EINVAL : get_page(ip, index, true, &indirect, p);
    blockmap_end(indirect);
    return err;
}

/* Nothing is to be seen behind the end: its page may hold what was there before (filedata.h). */
static paddr_t clean_frame(const struct inode *ip, struct page *p) {
    size_t used = ROUND_UP(bytes_in(ip, p->index), FS_BLOCK_SIZE);
    if (used < PAGE_SIZE)
        memset(p->data + used, 0, PAGE_SIZE - used);
    return ptr_pa(p->data);
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
    struct buf *indirect = NULL;
    bool added = false;
    uint32_t first = p->index * PAGE_BLOCKS;
    size_t n = bytes_in(ip, p->index);
    int err = inode_edit(ip);
    page_wait_writing(p);
    memset(p->data + n, 0, PAGE_SIZE - n);
    for (unsigned b = 0; b * FS_BLOCK_SIZE < n && !err; b++)
        err = settle(op, ip, first + b, p, &indirect, &added);
    blockmap_end(indirect);
    note_written(op, ip, added);
    return err;
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
