/* Pages of a file; reading the contents, and showing them to mappings. See data.h. */
#include "ext2/data.h"
#include "lib/errno.h"

static struct ext2_pages *pages_of(const struct pagefile *f) {
    return CONTAINER_OF(f, struct ext2_pages, file);
}

static uint64_t size(const struct pagefile *f) { return ext2_size(pages_of(f)->ip); }

static int find_blocks(struct pagefile *f, struct page *p) {
    struct ext2_pages *pages = pages_of(f);
    unsigned n = ext2_page_blocks();
    return ext2_map_find(pages->ip, (uint64_t)p->index * n, n, &pages->leaf, p->block);
}

static void end(struct pagefile *f) { ext2_leaf_end(&pages_of(f)->leaf); }

static const struct pagefile_ops ops = {.size = size, .find_blocks = find_blocks, .end = end};

struct ext2_pages ext2_pages_begin(struct ext2_inode *ip) {
    return (struct ext2_pages){.file = {&ops, ip->inum, ext2.block_bytes}, .ip = ip};
}

int ext2_read(struct ext2_inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
              size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct ext2_pages f = ext2_pages_begin(ip);
    uint64_t bytes = ext2_size(ip);
    n = offset < bytes ? (size_t)MIN((uint64_t)n, bytes - offset) : 0;
    int err = pagefile_read(&f.file, offset, dst, is_user, n, done);
    ext2_pages_end(&f);
    return err;
}

int ext2_show(struct ext2_inode *ip, uint64_t index, unsigned most, object_show_fn show,
              void *ctx) {
    if (index > ext2.size_max / PAGE_SIZE)
        return -K_ENXIO;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    struct ext2_pages f = ext2_pages_begin(ip);
    err = pagefile_show(&f.file, (uint32_t)index, most, show, ctx);
    ext2_inode_unlock(ip);
    return err;
}
