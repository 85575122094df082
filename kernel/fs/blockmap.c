/* Where an inode's blocks live: see blockmap.h. */
#include "fs/blockmap.h"
#include "fs/balloc.h"
#include "lib/errno.h"
#include "lib/string.h"

_Static_assert(FS_NDIRECT % PAGE_BLOCKS == 0, "a page's blocks are all direct or all indirect");

static seldom int get_indirect(struct inode *ip, struct indirect *in) {
    int err = cache_get(ip->d.addrs[FS_NDIRECT], &in->buf);
    in->held = !err;
    return err;
}

int blockmap_find(struct inode *ip, uint32_t i, uint32_t n, struct indirect *in, uint32_t *block) {
    bool direct = i < FS_NDIRECT;
    if (!direct && !in->buf) {
        memset(block, 0, n * sizeof(*block));
        int err = ip->d.addrs[FS_NDIRECT] ? get_indirect(ip, in) : 0;
        if (!in->buf)
            return err;
    }
    const uint32_t *from = direct ? ip->d.addrs + i : blockmap_addrs(in->buf) + i - FS_NDIRECT;
    for (uint32_t k = 0; k < n; k++) {
        block[k] = from[k];
        if (block[k] != 0 && !super_is_data(block[k]))
            return -K_EIO;
    }
    return 0;
}

/* Has an indirect block at hand, an empty one that is not yet the file's if there is none. */
static seldom int need_indirect(struct log_op *op, struct inode *ip, struct indirect *in) {
    if (ip->d.addrs[FS_NDIRECT] != 0)
        return get_indirect(ip, in);
    uint32_t block;
    int err = block_alloc(op, &block);
    if (err)
        return err;
    *in = (struct indirect){cache_blank(block), true};
    memset(in->buf->data, 0, FS_BLOCK_SIZE);
    return 0;
}

static seldom void unmake_indirect(struct log_op *op, struct indirect *in) {
    block_unalloc(op, in->buf->block);
    indirect_end(in);
    *in = (struct indirect){0};
}

int blockmap_add(struct log_op *op, struct inode *ip, uint32_t i, uint32_t n, struct indirect *in,
                 uint32_t *block, uint8_t *fresh) {
    bool direct = i < FS_NDIRECT;
    int err = direct || in->buf ? 0 : need_indirect(op, ip, in);
    if (err)
        return err;
    err = fresh ? block_alloc_contents(op, n, block, fresh) : block_alloc(op, block);
    uint32_t *to = direct ? ip->d.addrs + i : blockmap_addrs(in->buf) + i - FS_NDIRECT;
    for (uint32_t k = 0; k < n; k++)
        to[k] = block[k];
    if (direct)
        return err;
    if (block[0] != 0) {
        ip->d.addrs[FS_NDIRECT] = in->buf->block;
        log_write(op, in->buf);
        ip->pinned.indirect = in->buf;
    } else if (ip->d.addrs[FS_NDIRECT] == 0) {
        unmake_indirect(op, in);
    }
    return err;
}
