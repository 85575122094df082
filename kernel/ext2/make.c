/* New files, directories, links and devices: see names.h. */
#include "ext2/alloc.h"
#include "ext2/names.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"

static uint16_t mode_of(const struct node_kind *kind) {
    static const uint16_t types[] = {
        [NODE_DIR] = EXT2_MODE_DIR,     [NODE_FILE] = EXT2_MODE_FILE,
        [NODE_DEVICE] = EXT2_MODE_CHAR, [NODE_LINK] = EXT2_MODE_LINK,
        [NODE_FIFO] = EXT2_MODE_FIFO,   [NODE_SOCKET] = EXT2_MODE_SOCKET,
        [NODE_BLOCK] = EXT2_MODE_BLOCK};
    return (uint16_t)(types[kind->type] | (kind->mode & 07777));
}

/* A device's numbers, where Linux looks for them: small ones in the first address, others in the
 * second. */
static void set_device(struct ext2_inode *ip, const struct node_kind *kind) {
    uint32_t major = (uint16_t)kind->major, minor = (uint16_t)kind->minor;
    if (major < 256 && minor < 256)
        ip->d.block[0] = major << 8 | minor;
    else
        ip->d.block[1] = (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

static int set_target(struct log_op *op, struct ext2_inode *ip, const char *target) {
    struct ext2_leaf leaf = {0};
    uint32_t block;
    bool fresh;
    size_t n = strlen(target);
    if (n == 0)
        return -K_ENOENT;
    if (n >= ext2.block_bytes)
        return -K_ENAMETOOLONG;
    if (frame_commit(1))
        return -K_ENOSPC;
    ip->target = pa_ptr(frame_take());
    memcpy(ip->target, target, n + 1);
    ip->d.size = (uint32_t)n;
    if (n < sizeof(ip->d.block)) {
        memcpy(ip->d.block, target, n);
        return 0;
    }
    int err = ext2_map_add(op, ip, 0, false, &leaf, &block, &fresh);
    if (err)
        return err;
    struct buf *b = cache_blank(block); /* the log has it */
    memcpy(b->data, target, n);
    cache_put(b);
    return 0;
}

static int fill(struct log_op *op, struct ext2_inode *dp, struct ext2_inode *ip,
                const struct node_kind *kind) {
    ip->d.links = 1;
    switch (kind->type) {
    case NODE_DEVICE:
    case NODE_BLOCK: set_device(ip, kind); return 0;
    case NODE_LINK: return set_target(op, ip, kind->target);
    case NODE_DIR: ip->d.links = 2; return ext2_dir_init(op, ip, dp->inum);
    default: return 0;
    }
}

/* It was not to be: what it has taken is given back, in the same operation. */
static void give_back(struct log_op *op, struct ext2_inode *ip) {
    bool in_block = ext2_mode_type(ip) == EXT2_MODE_LINK && ip->d.size < sizeof(ip->d.block);
    if (ip->d.sectors > 0 && !in_block)
        ext2_block_free(op, ip->d.block[0]);
    ext2_number_give(op, ip->inum, ext2_is_dir(ip));
    if (ip->target)
        frame_free(ptr_pa(ip->target));
    ip->target = NULL;
    ip->d = (struct ext2_dinode){.dtime = ext2_dtime()};
    ext2_inode_save(op, ip);
    __atomic_store_n(&ip->loaded, false, __ATOMIC_RELAXED);
}

static int make_at(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   const struct node_kind *kind, struct ext2_inode **out) {
    uint32_t inum;
    struct ext2_inode *ip;
    bool is_dir = kind->type == NODE_DIR;
    if (is_dir && dp->d.links >= EXT2_LINKS_MAX)
        return -K_EMLINK;
    int err = ext2_number_take(op, dp->inum, is_dir, &inum);
    if (err)
        return err;
    err = ext2_inode_new(inum, mode_of(kind), &ip);
    if (err)
        return err; /* the number stays taken: the disk has an inode there */
    err = fill(op, dp, ip, kind);
    if (!err)
        err = ext2_dir_enter(op, dp, name, ip);
    if (err)
        give_back(op, ip);
    else
        ext2_inode_save(op, ip);
    ext2_inode_unlock(ip);
    if (err) {
        ext2_inode_put(ip);
        return err;
    }
    dp->d.links = (uint16_t)(dp->d.links + is_dir);
    *out = ip;
    return 0;
}

static int make_in(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   const struct node_kind *kind, struct ext2_inode **out) {
    struct ext2_slot s;
    int err = ext2_lock_dir(dp);
    if (err)
        return err;
    err = ext2_dir_find(dp, name, &s);
    if (!err) {
        err = -K_EEXIST;
    } else if (err == -K_ENOENT) {
        err = make_at(op, dp, name, kind, out);
        ext2_inode_save(op, dp);
    }
    ext2_slot_end(&s);
    ext2_inode_unlock(dp);
    return err;
}

int ext2_make(struct ext2_inode *dp, const struct name *name, const struct node_kind *kind,
              struct ext2_inode **out) {
    struct log_op op;
    struct ext2_inode *ip = NULL;
    int err = ext2_names_begin(&op, name);
    if (err)
        return err;
    err = ext2_names_end(&op, make_in(&op, dp, name, kind, &ip));
    if (err && ip)
        ext2_inode_put(ip);
    else
        *out = ip;
    return err;
}
