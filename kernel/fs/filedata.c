/* Reading the contents of files, and showing them to mappings: see filedata.h. */
#include "fs/filedata.h"
#include "fs/filepage.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/uaccess.h"

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
        err = filepage_get(ip, (uint32_t)(at / PAGE_SIZE), &in, &p);
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

/* ---- for mappings ---- */

/* Nothing is to be seen behind the end: its page may hold what was there before (filedata.h). */
static paddr_t clean_frame(const struct inode *ip, struct page *p) {
    size_t used = ROUND_UP(filepage_bytes(ip, p->index), FS_BLOCK_SIZE);
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

/* With what follows it and is in memory, `most` in all, to the next multiple of PAGES_AT_ONCE.
 * Nobody sleeps while all are held. */
static int show_pages(const struct inode *ip, struct page *first, unsigned most,
                      object_show_fn show, void *ctx) {
    struct page *page[PAGES_AT_ONCE];
    paddr_t frame[PAGES_AT_ONCE];
    unsigned n = 1;
    page[0] = first;
    frame[0] = clean_frame(ip, first);
    for (uint32_t i = first->index + 1;
         n < most && i % PAGES_AT_ONCE != 0 && filepage_bytes(ip, i) > 0; i++, n++) {
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

int filedata_show(struct inode *ip, uint32_t index, unsigned most, object_show_fn show, void *ctx) {
    struct page *p;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = filepage_get_in_file(ip, index, &p);
    if (!err)
        err = show_pages(ip, p, most, show, ctx);
    inode_unlock(ip);
    return err;
}
