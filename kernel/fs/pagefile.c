/* Pages of a file: see pagefile.h. */
#include "fs/pagefile.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

#define AHEAD_PAGES 8u /* one read of the disk brings at most */

struct page *pagefile_find(struct pagefile *f, uint32_t index) {
    struct page *p = page_find(f->inum, index, false);
    if (p || !page_is_there(f->inum, index))
        return p;
    f->ops->end(f);
    return page_find(f->inum, index, true);
}

struct page *pagefile_new(struct pagefile *f, uint32_t index) {
    struct page *p = page_new(f->inum, index, false);
    if (p)
        return p;
    f->ops->end(f);
    return page_new(f->inum, index, true);
}

/* ---- from the disk ---- */

/* Starts reading the next run of blocks from b on that are neighbours on the disk; holes, and
 * what lies behind the end, become zeros. The block behind it; with p->rq.bytes 0 none was left. */
static unsigned start_read(const struct pagefile *f, uint64_t size, struct page *p, unsigned b) {
    size_t bytes = ROUND_UP(pagefile_bytes(size, p->index), f->block_bytes);
    unsigned all = (unsigned)(PAGE_SIZE / f->block_bytes), len = 1;
    unsigned end = (unsigned)(bytes / f->block_bytes);
    p->rq.bytes = 0;
    for (; b < all && (b >= end || p->block[b] == 0); b++)
        memset(p->data + b * f->block_bytes, 0, f->block_bytes);
    if (b == all)
        return b;
    while (b + len < end && p->block[b + len] == p->block[b] + len)
        len++;
    p->rq = (struct blk_request){
        .op = BLK_READ,
        .sector = (uint64_t)p->block[b] * (f->block_bytes / SECTOR_SIZE),
        .data = p->data + b * f->block_bytes,
        .bytes = len * f->block_bytes,
    };
    blk_submit(&p->rq);
    return b + len;
}

/* Reads the rest, when what start_read began is there. */
static int finish_read(const struct pagefile *f, uint64_t size, struct page *p, unsigned next) {
    while (p->rq.bytes) {
        int err = blk_wait(&p->rq);
        if (err)
            return err;
        next = start_read(f, size, p, next);
    }
    size_t n = pagefile_bytes(size, p->index); /* behind its block there are zeros already */
    memset(p->data + n, 0, ROUND_UP(n, f->block_bytes) - n);
    return 0;
}

int pagefile_load(struct pagefile *f, uint32_t index, uint32_t count, struct page **out) {
    struct page *page[AHEAD_PAGES];
    unsigned next[AHEAD_PAGES], n = 0;
    uint64_t size = f->ops->size(f);
    int err = 0;
    for (; n < count && (n == 0 || pagefile_bytes(size, index + n) > 0); n++) {
        if (n > 0 && page_is_there(f->inum, index + n))
            break;
        page[n] = n == 0 ? pagefile_new(f, index) : page_new(f->inum, index + n, false);
        if (!page[n])
            break;
        err = f->ops->find_blocks(f, page[n]);
        if (err) {
            page_put(page[n]);
            break;
        }
        next[n] = start_read(f, size, page[n], 0);
    }
    if (n == 0)
        return err;
    for (unsigned k = n; k-- > 0;) {
        err = finish_read(f, size, page[k], next[k]);
        if (!err)
            page_publish(page[k]);
        if (err || k > 0)
            page_put(page[k]);
    }
    *out = page[0];
    return err;
}

int pagefile_get(struct pagefile *f, uint32_t index, struct page **out) {
    *out = pagefile_find(f, index);
    return *out ? 0 : pagefile_load(f, index, AHEAD_PAGES, out);
}

/* ---- reading ---- */

/* Copies to the user from a page and those behind it that are in memory, n bytes at most. While
 * it holds more than the first it never sleeps. */
static int move_run(const struct pagefile *f, struct page *first, size_t within, uaddr_t dst,
                    size_t n, size_t *moved) {
    struct page *page[PAGES_AT_ONCE];
    struct kpiece piece[PAGES_AT_ONCE];
    unsigned count = 1;
    piece[0] = (struct kpiece){first->data + within, MIN(n, PAGE_SIZE - within)};
    for (n -= piece[0].bytes; n > 0 && count < PAGES_AT_ONCE; n -= piece[count++].bytes) {
        page[count] = page_find(f->inum, first->index + count, false);
        if (!page[count])
            break;
        piece[count] = (struct kpiece){page[count]->data, MIN(n, (size_t)PAGE_SIZE)};
    }
    int err = copyout_gather(dst, piece, count, moved);
    while (--count > 0)
        page_put(page[count]);
    return err;
}

int pagefile_read(struct pagefile *f, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) {
    int err = 0;
    *done = 0;
    while (*done < n && !err) {
        struct page *p;
        uint64_t at = offset + *done;
        size_t within = at % PAGE_SIZE, moved = MIN(n - *done, PAGE_SIZE - within);
        err = pagefile_get(f, (uint32_t)(at / PAGE_SIZE), &p);
        if (err)
            break;
        if (is_user)
            err = move_run(f, p, within, UA(dst + *done), n - *done, &moved);
        else
            memcpy((void *)(dst + *done), p->data + within, moved);
        page_put(p);
        *done += moved;
    }
    return err;
}

/* ---- for mappings ---- */

static inline paddr_t clean_frame(const struct pagefile *f, uint64_t size, struct page *p) {
    size_t used = ROUND_UP(pagefile_bytes(size, p->index), f->block_bytes);
    if (used < PAGE_SIZE)
        memset(p->data + used, 0, PAGE_SIZE - used);
    return ptr_pa(p->data);
}

void pagefile_clean_end(const struct pagefile *f) {
    uint64_t size = f->ops->size(f);
    struct page *p = page_find(f->inum, (uint32_t)(size / PAGE_SIZE), true);
    if (!p)
        return;
    (void)clean_frame(f, size, p);
    page_put(p);
}

/* With what follows it and is in memory, `most` in all, to the next multiple of PAGES_AT_ONCE.
 * Nobody sleeps while all are held. */
static int show_pages(const struct pagefile *f, uint64_t size, struct page *first, unsigned most,
                      object_show_fn show, void *ctx) {
    struct page *page[PAGES_AT_ONCE];
    paddr_t frame[PAGES_AT_ONCE];
    unsigned n = 1;
    page[0] = first;
    frame[0] = clean_frame(f, size, first);
    for (uint32_t i = first->index + 1;
         n < most && i % PAGES_AT_ONCE != 0 && pagefile_bytes(size, i) > 0; i++, n++) {
        page[n] = page_find(f->inum, i, false);
        if (!page[n])
            break;
        frame[n] = clean_frame(f, size, page[n]);
    }
    int err = show(ctx, frame, n);
    while (n > 0)
        page_put(page[--n]);
    return err;
}

int pagefile_show(struct pagefile *f, uint32_t index, unsigned most, object_show_fn show,
                  void *ctx) {
    struct page *p;
    uint64_t size = f->ops->size(f);
    int err = pagefile_bytes(size, index) == 0 ? -K_ENXIO : pagefile_get(f, index, &p);
    f->ops->end(f);
    return err ? err : show_pages(f, size, p, most, show, ctx);
}
