/* Pages of a file: found in the page cache, or read; and reading the contents. See data.h. */
#include "ext2/data.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

#define AHEAD_PAGES 8u /* one read of the disk brings at most */

/* Who waits until a page can be held keeps no buffer from those who have one (pagecache.h). */
struct page *ext2_page_find(struct ext2_inode *ip, uint32_t index, struct ext2_leaf *leaf) {
    struct page *p = page_find(ip->inum, index, false);
    if (p || !page_is_there(ip->inum, index))
        return p;
    ext2_leaf_end(leaf);
    return page_find(ip->inum, index, true);
}

static struct page *new_page(struct ext2_inode *ip, uint32_t index, struct ext2_leaf *leaf) {
    struct page *p = page_new(ip->inum, index, false);
    if (p)
        return p;
    ext2_leaf_end(leaf);
    return page_new(ip->inum, index, true);
}

static int find_blocks(struct ext2_inode *ip, struct page *p, struct ext2_leaf *leaf) {
    unsigned n = ext2_page_blocks();
    return ext2_map_find(ip, (uint64_t)p->index * n, n, leaf, p->block);
}

int ext2_page_new(struct ext2_inode *ip, uint32_t index, struct ext2_leaf *leaf,
                  struct page **out) {
    struct page *p = new_page(ip, index, leaf);
    int err = find_blocks(ip, p, leaf);
    if (err)
        page_put(p);
    else
        memset(p->data, 0, PAGE_SIZE);
    *out = p;
    return err;
}

/* ---- from the disk ---- */

/* Starts reading the next run of blocks from b on that are neighbours on the disk; holes become
 * zeros. The block behind it; with p->rq.bytes 0 none was left. */
static unsigned start_read(struct page *p, unsigned b) {
    unsigned end = ext2_page_blocks(), len = 1, bytes = ext2.block_bytes;
    p->rq.bytes = 0;
    for (; b < end && p->block[b] == 0; b++)
        memset(p->data + b * bytes, 0, bytes);
    if (b == end)
        return b;
    while (b + len < end && p->block[b + len] == p->block[b] + len)
        len++;
    p->rq = (struct blk_request){.op = BLK_READ,
                                 .sector = (uint64_t)p->block[b] * (bytes / SECTOR_SIZE),
                                 .data = p->data + b * bytes,
                                 .bytes = len * bytes};
    blk_submit(&p->rq);
    return b + len;
}

/* Reads the rest, when what start_read began is there. */
static int finish_read(const struct ext2_inode *ip, struct page *p, unsigned next) {
    while (p->rq.bytes) {
        int err = blk_wait(&p->rq);
        if (err)
            return err;
        next = start_read(p, next);
    }
    size_t n = ext2_page_bytes(ip, p->index);
    memset(p->data + n, 0, PAGE_SIZE - n);
    return 0;
}

/* Reads a page and, at the same time, up to count - 1 behind it. If one of those cannot be read,
 * its own reader learns it. */
static int load(struct ext2_inode *ip, uint32_t index, uint32_t count, struct ext2_leaf *leaf,
                struct page **out) {
    struct page *page[AHEAD_PAGES];
    unsigned next[AHEAD_PAGES], n = 0;
    int err = 0;
    for (; n < count && (n == 0 || ext2_page_bytes(ip, index + n) > 0); n++) {
        if (n > 0 && page_is_there(ip->inum, index + n))
            break;
        page[n] = n == 0 ? new_page(ip, index, leaf) : page_new(ip->inum, index + n, false);
        if (!page[n])
            break;
        err = find_blocks(ip, page[n], leaf);
        if (err) {
            page_put(page[n]);
            break;
        }
        next[n] = start_read(page[n], 0);
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

int ext2_page_get(struct ext2_inode *ip, uint32_t index, bool ahead, struct ext2_leaf *leaf,
                  struct page **out) {
    *out = ext2_page_find(ip, index, leaf);
    return *out ? 0 : load(ip, index, ahead ? AHEAD_PAGES : 1, leaf, out);
}

/* ---- reading ---- */

static int copy_out(const struct page *p, size_t within, uint64_t dst, bool is_user, size_t n) {
    if (is_user)
        return copyout_held(UA(dst), p->data + within, n);
    memcpy((void *)dst, p->data + within, n);
    return 0;
}

int ext2_read(struct ext2_inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
              size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct ext2_leaf leaf = {0};
    uint64_t size = ext2_size(ip);
    int err = 0;
    *done = 0;
    n = offset < size ? (size_t)MIN((uint64_t)n, size - offset) : 0;
    while (*done < n && !err) {
        struct page *p;
        uint64_t at = offset + *done;
        size_t within = at % PAGE_SIZE, m = MIN(n - *done, PAGE_SIZE - within);
        err = ext2_page_get(ip, (uint32_t)(at / PAGE_SIZE), true, &leaf, &p);
        if (err)
            break;
        err = copy_out(p, within, dst + *done, is_user, m);
        page_put(p);
        *done += err ? 0 : m;
    }
    ext2_leaf_end(&leaf);
    return err;
}

/* ---- for mappings ---- */

/* Nothing is to be seen behind the end. */
static paddr_t clean_frame(const struct ext2_inode *ip, struct page *p) {
    size_t n = ext2_page_bytes(ip, p->index);
    memset(p->data + n, 0, PAGE_SIZE - n);
    return ptr_pa(p->data);
}

/* With what follows it and is in memory. Nobody sleeps while all are held. */
static int show_pages(const struct ext2_inode *ip, struct page *first, unsigned most,
                      object_show_fn show, void *ctx) {
    struct page *page[PAGES_AT_ONCE];
    paddr_t frame[PAGES_AT_ONCE];
    unsigned n = 1;
    page[0] = first;
    frame[0] = clean_frame(ip, first);
    for (uint32_t i = first->index + 1;
         n < most && i % PAGES_AT_ONCE != 0 && ext2_page_bytes(ip, i) > 0; i++, n++) {
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

int ext2_show(struct ext2_inode *ip, uint64_t index, unsigned most, object_show_fn show,
              void *ctx) {
    struct ext2_leaf leaf = {0};
    struct page *p;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    if (index >= ext2.size_max / PAGE_SIZE + 1 || ext2_page_bytes(ip, index) == 0)
        err = -K_ENXIO;
    else
        err = ext2_page_get(ip, (uint32_t)index, true, &leaf, &p);
    ext2_leaf_end(&leaf);
    if (!err)
        err = show_pages(ip, p, most, show, ctx);
    ext2_inode_unlock(ip);
    return err;
}
