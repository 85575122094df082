/* Reading the contents of files, and showing them to mappings: see filedata.h. */
#include "fs/filedata.h"
#include "fs/filepage.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* ---- reading ---- */

static seldom int read_pages(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user,
                             size_t n, size_t *done) {
    struct filepages f = filepages_begin(ip, (struct indirect){0});
    int err = pagefile_read(&f.file, offset, dst, is_user, n, done);
    filepages_end(&f);
    return err;
}

/* What is short, and in memory, is read without more ado. */
int filedata_read(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                  size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    size_t within = offset % PAGE_SIZE;
    int err = 0;
    *done = 0;
    if (offset >= ip->d.size)
        return 0;
    n = MIN(n, (size_t)(ip->d.size - offset));
    struct page *p = n <= PAGE_SIZE - within
                         ? page_find(ip->inum, (uint32_t)(offset / PAGE_SIZE), true)
                         : NULL;
    if (!p)
        return read_pages(ip, offset, dst, is_user, n, done);
    if (is_user)
        err = copyout_held(UA(dst), p->data + within, n);
    else
        memcpy((void *)dst, p->data + within, n);
    page_put(p);
    *done = err ? 0 : n;
    return err;
}

/* ---- for mappings ---- */

void filedata_clean_end(struct inode *ip) {
    const struct filepages f = filepages_begin(ip, (struct indirect){0});
    pagefile_clean_end(&f.file);
}

int filedata_show(struct inode *ip, uint32_t index, unsigned most, object_show_fn show, void *ctx) {
    int err = inode_lock(ip);
    if (err)
        return err;
    struct filepages f = filepages_begin(ip, (struct indirect){0});
    err = pagefile_show(&f.file, index, most, show, ctx);
    inode_unlock(ip);
    return err;
}
