/* Where an inode's blocks live: see blockmap.h. */
#include "fs/blockmap.h"
#include "fs/balloc.h"
#include "lib/errno.h"
#include "lib/string.h"

int blockmap_find(struct inode *ip, uint32_t i, struct buf **indirect, uint32_t *block) {
    if (i < FS_NDIRECT) {
        *block = ip->d.addrs[i];
        return 0;
    }
    *block = 0;
    if (ip->d.addrs[FS_NDIRECT] == 0)
        return 0;
    if (!*indirect) {
        int err = cache_get(ip->d.addrs[FS_NDIRECT], indirect);
        if (err)
            return err;
    }
    *block = blockmap_addrs(*indirect)[i - FS_NDIRECT];
    return *block == 0 || super_is_data(*block) ? 0 : -K_EIO;
}

void blockmap_end(struct buf *indirect) {
    if (indirect)
        cache_put(indirect);
}

/* Has an indirect block at hand, an empty one that is not yet the file's if there is none
 * (*made). */
static int need_indirect(struct log_op *op, struct inode *ip, struct buf **indirect, bool *made) {
    *made = false;
    if (*indirect)
        return 0;
    if (ip->d.addrs[FS_NDIRECT] != 0)
        return cache_get(ip->d.addrs[FS_NDIRECT], indirect);
    uint32_t block;
    int err = block_alloc(op, &block, NULL);
    if (err)
        return err;
    *indirect = cache_blank(block);
    memset((*indirect)->data, 0, FS_BLOCK_SIZE);
    *made = true;
    return 0;
}

int blockmap_add(struct log_op *op, struct inode *ip, uint32_t i, struct buf **indirect,
                 uint32_t *block, bool *fresh) {
    bool made = false;
    int err = i < FS_NDIRECT ? 0 : need_indirect(op, ip, indirect, &made);
    if (err)
        return err;
    err = block_alloc(op, block, fresh);
    if (err) {
        if (made) {
            block_unalloc(op, (*indirect)->block);
            cache_put(*indirect);
            *indirect = NULL;
        }
        return err;
    }
    if (i < FS_NDIRECT) {
        ip->d.addrs[i] = *block;
    } else {
        blockmap_addrs(*indirect)[i - FS_NDIRECT] = *block;
        ip->d.addrs[FS_NDIRECT] = (*indirect)->block;
        log_write(op, *indirect);
    }
    return 0;
}
