/* Orphans: inodes without a name that somebody refers to, in a list on the disk; and what becomes
 * of them. See inode.h. */
#include "ext2/alloc.h"
#include "ext2/data.h"
#include "lib/errno.h"

/* The one that the list begins with. The name lock guards it, and all links. */
static struct ext2_inode *first;

static void link_first(struct ext2_inode *ip) {
    ip->orphan = true;
    ip->orphan_before = NULL;
    ip->orphan_behind = first;
    if (first)
        first->orphan_before = ip;
    first = ip;
}

void ext2_orphan_add(struct log_op *op, struct ext2_inode *ip) {
    ASSERT_SLEEPLOCKED(&ext2_names);
    ip->d.dtime = ext2_orphan_first();
    ext2_orphan_set_first(op, ip->inum);
    link_first(ip);
    ext2_inode_save(op, ip);
}

/* Takes it out of the list; the one before it has its block at hand. */
static void unlink_orphan(struct log_op *op, struct ext2_inode *ip) {
    struct ext2_inode *before = ip->orphan_before, *behind = ip->orphan_behind;
    if (before) {
        before->d.dtime = ip->d.dtime;
        before->orphan_behind = behind;
        ext2_inode_save(op, before);
    } else {
        ext2_orphan_set_first(op, ip->d.dtime);
        first = behind;
    }
    if (behind)
        behind->orphan_before = before;
    ip->orphan = false;
}

/* ---- the end of one ---- */

/* Whether its addresses are those of blocks. */
static bool has_blocks(const struct ext2_inode *ip) {
    uint32_t type = ext2_mode_type(ip);
    return type == EXT2_MODE_FILE || type == EXT2_MODE_DIR ||
           (type == EXT2_MODE_LINK && ext2_size(ip) >= sizeof(ip->d.block));
}

/* Its extended attributes, which others may share. */
static int drop_attributes(struct log_op *op, struct ext2_inode *ip) {
    struct buf *b;
    if (!ip->d.file_acl)
        return 0;
    int err = ext2_is_data(ip->d.file_acl) ? cache_get(ip->d.file_acl, &b) : -K_EIO;
    if (err)
        return err;
    struct ext2_xattr *x = (struct ext2_xattr *)(void *)b->data;
    bool shared = x->magic == EXT2_XATTR_MAGIC && x->references > 1;
    if (shared) {
        x->references--;
        log_write(op, b);
    }
    cache_put(b);
    if (!shared)
        ext2_block_free(op, ip->d.file_acl);
    ip->d.file_acl = 0;
    return 0;
}

/* All blocks are gone: the number goes, unless it has a name and was only to be made shorter. */
static int finish(struct log_op *op, struct ext2_inode *ip) {
    int err = ip->orphan_before ? ext2_inode_edit(ip->orphan_before) : 0;
    if (!err && ip->d.links == 0)
        err = drop_attributes(op, ip);
    if (err)
        return err;
    unlink_orphan(op, ip);
    ip->d.dtime = 0;
    if (ip->d.links == 0) {
        bool is_dir = ext2_is_dir(ip);
        ip->d = (struct ext2_dinode){.dtime = ext2_dtime()};
        ext2_number_give(op, ip->inum, is_dir);
        __atomic_store_n(&ip->loaded, false, __ATOMIC_RELAXED);
    }
    return 0;
}

static int reap_some(struct log_op *op, struct ext2_inode *ip, bool *done) {
    int err = ext2_inode_edit(ip);
    *done = true;
    if (!err && has_blocks(ip))
        ext2_shrink(op, ip, ip->d.links ? ext2_size(ip) : 0, done);
    if (!err && *done)
        err = finish(op, ip);
    if (!err)
        ext2_inode_save(op, ip);
    return err;
}

/* The one before it in the list is locked, too. */
static int reap_in(struct log_op *op, struct ext2_inode *ip, bool *done) {
    struct ext2_inode *before = ip->orphan_before;
    int err = before ? ext2_inode_lock(before) : 0;
    if (err)
        return err;
    err = ext2_inode_lock(ip);
    if (!err) {
        err = reap_some(op, ip, done);
        ext2_inode_unlock(ip);
    }
    if (before)
        ext2_inode_unlock(before);
    return err;
}

/* One operation's worth. The name lock is held, so nobody gives it a name, nor changes the list. */
static int reap_step(struct ext2_inode *ip, bool *done) {
    struct log_op op;
    int err = log_begin(&op, EXT2_CUT_ROOM + 10);
    if (err)
        return err;
    sleeplock_acquire(&ext2_names);
    err = reap_in(&op, ip, done);
    sleeplock_release(&ext2_names);
    int end_err = log_end(&op);
    return err ? err : end_err;
}

/* One that cannot be reaped keeps its reference: the next mount, or e2fsck, finds it. */
void ext2_inode_reap(void) {
    struct ext2_inode *ip;
    while ((ip = ext2_inode_next_dead())) {
        bool done = false;
        int err = 0;
        while (!done && !err)
            err = reap_step(ip, &done);
        if (!err)
            ext2_inode_put(ip);
    }
}

/* ---- mount ---- */

/* One of the list on the disk joins that in memory, at its end. */
static int adopt(uint32_t inum, struct ext2_inode *last, struct ext2_inode **out) {
    struct ext2_inode *ip;
    int err = ext2_inode_get(inum, &ip);
    if (err)
        return err;
    if (ip->orphan || inum < ext2.first_inode) {
        ext2_inode_put(ip);
        return -K_EIO; /* it is there a second time */
    }
    ip->orphan = true;
    ip->orphan_before = last;
    if (last)
        last->orphan_behind = ip;
    else
        first = ip;
    *out = ip;
    return ext2_inode_lock(ip);
}

int ext2_orphans_mount(void) {
    struct ext2_inode *last = NULL, *ip;
    uint32_t inum = ext2_orphan_first();
    int err = 0;
    first = NULL;
    while (inum && !err) {
        err = adopt(inum, last, &ip);
        if (err)
            break;
        inum = ip->d.dtime;
        ext2_inode_unlock(ip);
        last = ip;
    }
    if (err)
        return err;
    while (last) {
        ip = last;
        last = ip->orphan_before;
        ext2_inode_put(ip);
    }
    ext2_inode_reap();
    return 0;
}
