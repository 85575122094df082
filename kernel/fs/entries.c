/* Entries: make, link, unlink. Each prepares what can fail, and then changes
 * directories and inodes without failing. */
#include "fs/entries.h"
#include "fs/balloc.h"
#include "fs/namecache.h"
#include "fs/nameop.h"
#include "lib/errno.h"

/* ---- make ---- */

/* Enters a new inode into the locked directory dp at slot. */
static int make(struct log_op *op, struct inode *dp, struct dir_slot *slot,
                const struct dir_name *name, const struct node_kind *what, struct inode **out) {
    struct inode *ip;
    if (what->type == NODE_DIR && dp->d.nlink >= NLINK_MAX)
        return -K_EMLINK;
    int err = inode_alloc((uint16_t)what->type, &ip);
    if (err)
        return err;
    ip->d.major = what->major;
    ip->d.minor = what->minor;
    if (what->type == NODE_DIR)
        err = dir_init(op, ip, dp->inum);
    if (!err)
        err = dir_set(op, dp, slot, name, ip->inum);
    if (err) {
        if (ip->d.addrs[0] != 0)
            block_unalloc(op, ip->d.addrs[0]);
        ip->d = (struct fs_dinode){.type = 0};
        if (op->wrote)
            inode_save(op, ip);
        namecache_forget_all(&ip->names);
        inode_unalloc(ip);
        return err;
    }
    if (what->type == NODE_DIR) {
        dp->d.nlink++;
        inode_save(op, dp);
    }
    inode_save(op, ip);
    inode_unlock(ip);
    *out = ip;
    return 0;
}

static int create_in(struct log_op *op, struct inode *dp, const struct dir_name *name,
                     const struct node_kind *what, struct inode **out) {
    struct dir_slot slot;
    int err = nameop_lock_dir(dp);
    if (err)
        return err;
    err = dir_find(dp, name, &slot);
    if (!err)
        err = -K_EEXIST;
    else if (err == -K_ENOENT)
        err = make(op, dp, &slot, name, what, out);
    dir_slot_put(&slot);
    inode_unlock(dp);
    return err;
}

int entry_make(struct inode *dp, const struct dir_name *name, const struct node_kind *what,
               struct inode **out) {
    struct log_op op;
    struct inode *ip = NULL;
    int err = nameop_begin(&op,
                           what->type == NODE_DIR ? nameop_mkdir_cost() : nameop_create_cost());
    if (err)
        return err;
    err = create_in(&op, dp, name, what, &ip);
    err = nameop_end(&op, err);
    if (err && ip)
        inode_put(ip);
    else if (!err)
        *out = ip;
    return err;
}

/* ---- link ---- */

/* Enters ip, which is no directory, into the locked directory dp. */
static int enter(struct log_op *op, struct inode *dp, const struct dir_name *name,
                 struct inode *ip) {
    struct dir_slot slot;
    int err = dir_find(dp, name, &slot);
    if (!err)
        err = -K_EEXIST;
    else if (err == -K_ENOENT)
        err = dir_set(op, dp, &slot, name, ip->inum);
    dir_slot_put(&slot);
    if (!err) {
        ip->d.nlink++;
        inode_save(op, ip);
    }
    return err;
}

static int link_in(struct log_op *op, struct inode *dp, const struct dir_name *name,
                   struct inode *ip) {
    int err = nameop_lock_dir(dp);
    if (err)
        return err;
    err = nameop_lock_other(ip, dp, NULL);
    if (err == -K_EIO && ip == dp)
        err = -K_EPERM;
    if (!err) {
        if (ip->d.type == ABI_T_DIR)
            err = -K_EPERM;
        else if (ip->d.nlink == 0) /* its last name went away since we looked */
            err = -K_ENOENT;
        else if (ip->d.nlink >= NLINK_MAX)
            err = -K_EMLINK;
        else
            err = enter(op, dp, name, ip);
        inode_unlock(ip);
    }
    inode_unlock(dp);
    return err;
}

int entry_link(struct inode *dp, const struct dir_name *name, struct inode *ip) {
    struct log_op op;
    int err = nameop_begin(&op, nameop_create_cost());
    return err ? err : nameop_end(&op, link_in(&op, dp, name, ip));
}

/* ---- unlink ---- */

/* Takes a name's inode out of the locked directory dp. Both are edited. */
static int remove_entry(struct log_op *op, struct inode *dp, struct dir_slot *slot,
                        struct inode *ip) {
    bool is_dir = ip->d.type == ABI_T_DIR, empty = true;
    if (ip->inum == FS_ROOT_INODE || node_has_mount(&ip->node))
        return -K_EBUSY;
    if (ip->d.nlink == 0 || (is_dir && dp->d.nlink <= 1))
        return -K_EIO;
    int err = is_dir ? dir_is_empty(ip, &empty) : 0;
    if (err)
        return err;
    if (!empty)
        return -K_ENOTEMPTY;
    dir_clear(op, dp, slot);
    if (is_dir) {
        namecache_forget_all(&ip->names);
        dp->d.nlink--;
        inode_save(op, dp);
    }
    ip->d.nlink--;
    inode_save(op, ip);
    return 0;
}

static int unlink_slot(struct log_op *op, struct inode *dp, struct dir_slot *slot) {
    struct inode *ip;
    int err = inode_get(slot->inum, &ip);
    if (err)
        return err;
    err = nameop_lock_other(ip, dp, NULL);
    if (!err) {
        err = remove_entry(op, dp, slot, ip);
        inode_unlock(ip);
    }
    inode_put(ip);
    return err;
}

static int unlink_in(struct log_op *op, struct inode *dp, const struct dir_name *name) {
    struct dir_slot slot;
    int err = nameop_lock_dir(dp);
    if (err)
        return err;
    err = dir_find(dp, name, &slot);
    if (!err)
        err = unlink_slot(op, dp, &slot);
    dir_slot_put(&slot);
    inode_unlock(dp);
    return err;
}

int entry_unlink(struct inode *dp, const struct dir_name *name) {
    struct log_op op;
    if (dir_name_is_dot(name) || dir_name_is_dotdot(name))
        return -K_EINVAL;
    int err = nameop_begin(&op, NAMEOP_UNLINK_COST);
    return err ? err : nameop_end(&op, unlink_in(&op, dp, name));
}
