/* Pages of a file: see filepage.h. */
#include "fs/filepage.h"
#include "lib/errno.h"
#include "lib/string.h"

#define AHEAD_PAGES 8u /* one read of the disk brings at most */

static seldom void give_back(struct indirect *in) {
    if (!in->held)
        return;
    indirect_end(in);
    *in = (struct indirect){0};
}

struct page *filepage_find(struct inode *ip, uint32_t index, struct indirect *in) {
    struct page *p = page_find(ip->inum, index, false);
    if (p || !page_is_there(ip->inum, index))
        return p;
    give_back(in);
    return page_find(ip->inum, index, true);
}

struct page *filepage_new(struct inode *ip, uint32_t index, struct indirect *in) {
    struct page *p = page_new(ip->inum, index, false);
    if (p)
        return p;
    give_back(in);
    return page_new(ip->inum, index, true);
}

int filepage_find_blocks(struct inode *ip, struct page *p, struct indirect *in) {
    return blockmap_find(ip, p->index * PAGE_BLOCKS, PAGE_BLOCKS, in, p->block);
}

/* Starts reading the next run of blocks from b on that are neighbours on the disk; holes, and
 * what lies behind the end, become zeros. The block behind it; with p->rq.bytes 0 none was left. */
static unsigned start_read(const struct inode *ip, struct page *p, unsigned b) {
    unsigned end = filepage_blocks(ip, p->index), len = 1;
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
    size_t n = filepage_bytes(ip, p->index); /* behind its block there are zeros already */
    memset(p->data + n, 0, ROUND_UP(n, FS_BLOCK_SIZE) - n);
    return 0;
}

int filepage_load(struct inode *ip, uint32_t index, uint32_t count, struct indirect *in,
                  struct page **out) {
    struct page *page[AHEAD_PAGES];
    unsigned next[AHEAD_PAGES], n = 0;
    int err = 0;
    for (; n < count && (n == 0 || filepage_bytes(ip, index + n) > 0); n++) {
        if (n > 0 && page_is_there(ip->inum, index + n))
            break;
        page[n] = n == 0 ? filepage_new(ip, index, in) : page_new(ip->inum, index + n, false);
        if (!page[n])
            break;
        err = filepage_find_blocks(ip, page[n], in);
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

int filepage_get(struct inode *ip, uint32_t index, struct indirect *in, struct page **out) {
    *out = filepage_find(ip, index, in);
    return *out ? 0 : filepage_load(ip, index, AHEAD_PAGES, in, out);
}

int filepage_get_in_file(struct inode *ip, uint32_t index, struct page **out) {
    struct indirect in = {0};
    int err = filepage_bytes(ip, index) == 0 ? -K_EINVAL : filepage_get(ip, index, &in, out);
    indirect_end(&in);
    return err;
}
