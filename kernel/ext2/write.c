/* Writing and cutting the contents of files: see data.h. */
#include "ext2/alloc.h"
#include "ext2/data.h"
#include "ext2/map.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"

#define WRITE_MOST 16u /* pages in one operation */

uint32_t ext2_write_max;

/* The blocks themselves, where they are not fresh; those that are new, with what they are found by;
 * the inode. */
uint32_t ext2_write_cost(uint32_t pages) {
    uint32_t n = pages * ext2_page_blocks();
    return n + ext2_alloc_cost(n + EXT2_MAP_INDIRECT) + EXT2_MAP_INDIRECT + 1;
}

void ext2_data_mount(void) {
    ext2_write_max = WRITE_MOST;
    while (ext2_write_max > 0 && 2 * ext2_write_cost(ext2_write_max) > log_op_max())
        ext2_write_max /= 2;
}

/* ---- pages ---- */

static unsigned mask(unsigned b, unsigned end) { return (1U << end) - (1U << b); }

/* The page's blocks from b to end have changed, of which those in `log` are not fresh. The
 * reference to the page is taken over. */
static void log_and_put(struct log_op *op, struct page *p, unsigned b, unsigned end, unsigned log) {
    if (end == b || !log_page(op, p, mask(b, end), mask(b, end) & ~log))
        page_put(p);
}

/* The page's blocks from b to *end have places. After an error *end is the first that has none.
 * *log: those that may be another's on the disk. */
static int settle(struct log_op *op, struct ext2_pages *f, struct page *p, unsigned b,
                  unsigned *end, unsigned *log) {
    uint64_t first = (uint64_t)p->index * ext2_page_blocks();
    *log = 0;
    for (; b < *end; b++) {
        bool fresh = true;
        int err = p->block[b]
                      ? 0
                      : ext2_map_add(op, f->ip, first + b, true, &f->leaf, &p->block[b], &fresh);
        if (err) {
            *end = b;
            return err;
        }
        *log |= fresh ? 0 : 1U << b;
    }
    return 0;
}

/* A page of zeros that is going to be filled, is not found yet, and knows its blocks. -K_EIO. */
static int new_page(struct ext2_pages *f, uint32_t index, struct page **out) {
    struct page *p = pagefile_new(&f->file, index);
    int err = f->file.ops->find_blocks(&f->file, p);
    if (err)
        page_put(p);
    else
        memset(p->data, 0, PAGE_SIZE);
    *out = p;
    return err;
}

/* A page that is there, for writing: none behind it is read. */
static int get_page(struct ext2_pages *f, uint32_t index, struct page **out) {
    *out = pagefile_find(&f->file, index);
    int err = *out ? 0 : pagefile_load(&f->file, index, 1, out);
    if (!err)
        page_wait_writing(*out);
    return err;
}

/* The page that is to be written from `within` on: it is read where the write leaves some of it. */
static int get_for_write(struct ext2_pages *f, uint32_t index, size_t within, size_t n,
                         struct page **out, bool *is_new) {
    size_t there = ext2_page_bytes(f->ip, index);
    bool is_filled = there == 0 || (within == 0 && n >= there);
    *is_new = is_filled && !page_is_there(f->ip->inum, index);
    return *is_new ? new_page(f, index, out) : get_page(f, index, out);
}

/* Where a write was to go, and what it found. */
struct piece {
    struct page *page;
    size_t within, bytes;
    bool is_new;
};

/* The copy has failed, somewhere in the piece: what is in the file may have changed, and what is
 * behind its end is zero again. */
static void copy_failed(struct log_op *op, struct ext2_inode *ip, const struct piece *w) {
    struct page *p = w->page;
    size_t there = ext2_page_bytes(ip, p->index);
    if (w->is_new) {
        page_put(p); /* nobody has found it */
        return;
    }
    memset(p->data + there, 0, PAGE_SIZE - there);
    unsigned b = (unsigned)(w->within / ext2.block_bytes);
    unsigned end = (unsigned)((w->within + w->bytes - 1) / ext2.block_bytes) + 1;
    unsigned changed = 0;
    for (unsigned k = b; k < end; k++)
        if (p->block[k])
            changed |= 1U << k;
        else /* it stays a hole */
            memset(p->data + k * ext2.block_bytes, 0, ext2.block_bytes);
    if (!changed || !log_page(op, p, changed, changed))
        page_put(p);
}

static int write_piece(struct log_op *op, struct ext2_pages *f, const struct piece *w, uaddr_t src,
                       size_t *moved) {
    struct page *p = w->page;
    unsigned log, b = (unsigned)(w->within / ext2.block_bytes);
    unsigned end = (unsigned)((w->within + w->bytes - 1) / ext2.block_bytes) + 1, last = end;
    *moved = 0;
    int err = copyin_held(p->data + w->within, src, w->bytes);
    if (err) {
        copy_failed(op, f->ip, w);
        return err;
    }
    err = settle(op, f, p, b, &end, &log);
    if (end < last) /* what found no place is a hole */
        memset(p->data + end * ext2.block_bytes, 0, (last - end) * ext2.block_bytes);
    *moved = end == last ? w->bytes : end > b ? end * ext2.block_bytes - w->within : 0;
    if (w->is_new)
        page_publish(p);
    log_and_put(op, p, b, end, log);
    return err;
}

/* What is behind the end, in its block, becomes zero, since the end moves over it. */
static int clean_end(struct log_op *op, struct ext2_pages *f) {
    struct page *p;
    uint64_t size = ext2_size(f->ip);
    if (size % PAGE_SIZE == 0)
        return 0;
    int err = get_page(f, (uint32_t)(size / PAGE_SIZE), &p);
    if (err)
        return err;
    memset(p->data + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    unsigned b = (unsigned)(size % PAGE_SIZE / ext2.block_bytes);
    log_and_put(op, p, b, size % ext2.block_bytes && p->block[b] ? b + 1 : b, 0);
    return 0;
}

static void set_size(struct log_op *op, struct ext2_inode *ip, uint64_t size) {
    ext2_set_size(ip, size);
    if (size > INT32_MAX)
        ext2_use_feature(op, EXT2_RO_LARGE_FILE);
}

int ext2_write(struct log_op *op, struct ext2_inode *ip, uint64_t offset, uaddr_t src, size_t n,
               size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct ext2_pages f = ext2_pages_begin(ip);
    *done = 0;
    if (offset >= ext2.size_max)
        return -K_EFBIG;
    n = (size_t)MIN((uint64_t)n, ext2.size_max - offset);
    int err = offset > ext2_size(ip) ? clean_end(op, &f) : 0;
    while (*done < n && !err) {
        uint64_t at = offset + *done;
        struct piece w = {.within = at % PAGE_SIZE};
        size_t moved = 0;
        w.bytes = MIN(n - *done, PAGE_SIZE - w.within);
        err = get_for_write(&f, (uint32_t)(at / PAGE_SIZE), w.within, w.bytes, &w.page, &w.is_new);
        if (!err)
            err = write_piece(op, &f, &w, UA(src.v + *done), &moved);
        *done += moved;
        if (moved > 0 && at + moved > ext2_size(ip))
            set_size(op, ip, at + moved);
    }
    ext2_pages_end(&f);
    if (*done > 0)
        ext2_touch(ip, true);
    return err;
}

/* ---- the size ---- */

/* What the cache has of a page behind the end of the file goes, with its blocks. */
static void cut_page(struct log_op *op, struct ext2_inode *ip, uint32_t index) {
    struct page *p = page_find(ip->inum, index, true);
    if (!p)
        return;
    size_t n = ext2_page_bytes(ip, index);
    unsigned first = (unsigned)((n + ext2.block_bytes - 1) / ext2.block_bytes);
    log_forget_page(op, p, first);
    if (n == 0) {
        page_forget(p);
    } else {
        page_wait_writing(p);
        memset(p->data + n, 0, PAGE_SIZE - n);
        for (unsigned b = first; b < PAGE_BLOCKS; b++)
            p->block[b] = 0;
    }
    page_put(p);
}

/* The file was longer. */
static void cut_pages(struct log_op *op, struct ext2_inode *ip, uint64_t old_size) {
    uint64_t first = ext2_size(ip) / PAGE_SIZE, end = ROUND_UP(old_size, PAGE_SIZE) / PAGE_SIZE;
    uint32_t at = 0, index;
    bool found;
    ext2_map_cut_off(ip);
    if (end - first <= pagecache_pages()) {
        for (uint64_t i = first; i < end; i++) {
            cut_page(op, ip, (uint32_t)i);
            piece_done(PIECE_FREED);
        }
        return;
    }
    while (page_next(&at, ip->inum, &index, &found)) {
        if (found && index >= first)
            cut_page(op, ip, index);
        piece_done(found ? PIECE_FREED : PAGES_LOOKED_AT);
    }
}

/* Other things than files have their blocks in the block cache. */
void ext2_shrink(struct log_op *op, struct ext2_inode *ip, uint64_t size, bool *done) {
    uint64_t old = ext2_size(ip), from;
    uint64_t first = ROUND_UP(size, (uint64_t)ext2.block_bytes) / ext2.block_bytes;
    ext2_map_cut(op, ip, first, &from);
    *done = from == first;
    uint64_t now = *done ? size : from == UINT64_MAX ? old : MIN(old, from * ext2.block_bytes);
    ext2_set_size(ip, now);
    if (ext2_is_file(ip))
        cut_pages(op, ip, old);
}

static int lock_and_edit(struct ext2_inode *ip) {
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = ext2_inode_edit(ip);
    if (err)
        ext2_inode_unlock(ip);
    return err;
}

static int resize(struct log_op *op, struct ext2_inode *ip, uint64_t size, bool *done) {
    int err = lock_and_edit(ip);
    if (err)
        return err;
    struct ext2_pages f = ext2_pages_begin(ip);
    *done = true;
    if (size < ext2_size(ip)) {
        ext2_shrink(op, ip, size, done);
    } else if (size > ext2_size(ip)) {
        err = clean_end(op, &f);
        ext2_pages_end(&f);
        if (!err)
            set_size(op, ip, size);
    }
    if (!err) {
        ext2_touch(ip, true);
        ext2_inode_save(op, ip);
    }
    ext2_inode_unlock(ip);
    return err;
}

int ext2_set_length(struct ext2_inode *ip, uint64_t size) {
    bool done = false;
    int err = size > ext2.size_max ? -K_EFBIG : 0;
    while (!err && !done) {
        struct log_op op;
        err = log_begin_pages(&op, EXT2_CUT_ROOM + 2, 1);
        if (err)
            return err;
        err = resize(&op, ip, size, &done);
        int end_err = log_end(&op);
        err = err ? err : end_err;
    }
    return err;
}

/* ---- for mappings ---- */

static int show_for_write(struct log_op *op, struct ext2_inode *ip, uint32_t index,
                          object_show_fn show, void *ctx) {
    struct ext2_pages f = ext2_pages_begin(ip);
    struct page *p;
    size_t n = ext2_page_bytes(ip, index);
    int err = n == 0 ? -K_ENXIO : get_page(&f, index, &p);
    if (err) {
        ext2_pages_end(&f);
        return err;
    }
    memset(p->data + n, 0, PAGE_SIZE - n);
    unsigned log, end = (unsigned)((n - 1) / ext2.block_bytes) + 1;
    err = settle(op, &f, p, 0, &end, &log);
    ext2_pages_end(&f);
    page_hold(p); /* for the log */
    log_and_put(op, p, 0, end, log);
    ext2_touch(ip, true);
    ext2_inode_save(op, ip);
    if (!err) {
        paddr_t frame = ptr_pa(p->data);
        p->stores = true;
        err = show(ctx, &frame, 1);
    }
    page_put(p);
    return err;
}

int ext2_show_for_write(struct ext2_inode *ip, uint64_t index, object_show_fn show, void *ctx) {
    struct log_op op;
    if (index > ext2.size_max / PAGE_SIZE)
        return -K_ENXIO;
    int err = log_begin_pages(&op, ext2_write_cost(1), 1);
    if (err)
        return err;
    err = lock_and_edit(ip);
    if (!err) {
        err = show_for_write(&op, ip, (uint32_t)index, show, ctx);
        ext2_inode_unlock(ip);
    }
    log_end_store(&op);
    return err;
}
