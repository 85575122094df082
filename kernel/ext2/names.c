/* Steps, links, and the ends of names: see names.h. */
#include "ext2/names.h"
#include "lib/errno.h"

/* ---- step ---- */

/* The journal, for example, may not: who opens it could cut it under the log. */
static bool may_have_name(uint32_t inum) {
    return inum >= ext2.first_inode || inum == EXT2_ROOT_INODE;
}

/* By the name cache. -K_EAGAIN: it does not know, or has no inode at hand. */
static int find_known(struct ext2_inode *dp, const struct name *name, struct ext2_inode **out) {
    const struct known_name *known = ext2_dir_look(dp, name);
    int err = !known                       ? -K_EAGAIN
              : known->inum == 0           ? -K_ENOENT
              : may_have_name(known->inum) ? ext2_inode_find(known->inum, out)
                                           : -K_EIO;
    namecache_looked();
    return err;
}

/* dp is locked. The reference keeps what was found from being reaped; its contents are read with
 * nothing locked. */
static int find_in(struct ext2_inode *dp, const struct name *name, struct ext2_inode **out) {
    struct ext2_slot s;
    if (!ext2_is_dir(dp))
        return -K_ENOTDIR;
    if (name_is_dot(name)) {
        *out = ext2_inode_dup(dp);
        return 0;
    }
    if (dp->d.links == 0)
        return -K_ENOENT;
    int err = ext2_dir_find(dp, name, &s);
    if (!err)
        err = may_have_name(s.inum) ? ext2_inode_get(s.inum, out) : -K_EIO;
    ext2_slot_end(&s);
    return err;
}

int ext2_step(struct ext2_inode *dp, const struct name *name, struct ext2_inode **out) {
    int err = find_known(dp, name, out);
    if (err == -K_EAGAIN) {
        err = ext2_inode_lock(dp);
        if (err)
            return err;
        err = name->length > EXT2_NAME_MAX && ext2_is_dir(dp) ? -K_ENAMETOOLONG
                                                              : find_in(dp, name, out);
        ext2_inode_unlock(dp);
    }
    return err ? err : ext2_inode_known(*out);
}

/* ---- begin and end ---- */

int ext2_names_begin(struct log_op *op, const struct name *name) {
    if (name->length > EXT2_NAME_MAX)
        return -K_ENAMETOOLONG;
    int err = log_begin(op, EXT2_NAMES_ROOM);
    if (!err)
        sleeplock_acquire(&ext2_names);
    return err;
}

int ext2_names_end(struct log_op *op, int err) {
    sleeplock_release(&ext2_names);
    int end_err = log_end(op);
    ext2_inode_reap();
    return err ? err : end_err;
}

int ext2_lock_dir(struct ext2_inode *dp) {
    int err = ext2_inode_lock(dp);
    if (err)
        return err;
    err = !ext2_is_dir(dp) ? -K_ENOTDIR : dp->d.links == 0 ? -K_ENOENT : ext2_inode_edit(dp);
    if (err)
        ext2_inode_unlock(dp);
    return err;
}

int ext2_lock_other(struct ext2_inode *ip, const struct ext2_inode *locked,
                    const struct ext2_inode *locked2) {
    if (ip == locked || ip == locked2)
        return -K_EIO;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = ip->d.links == 0 ? -K_EIO : ext2_inode_edit(ip);
    if (err)
        ext2_inode_unlock(ip);
    return err;
}

/* ---- link ---- */

static int enter(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                 struct ext2_inode *ip) {
    struct ext2_slot s;
    if (ext2_is_dir(ip))
        return -K_EPERM;
    if (ip->d.links >= EXT2_LINKS_MAX)
        return -K_EMLINK;
    int err = ext2_dir_find(dp, name, &s);
    if (!err)
        err = -K_EEXIST;
    else if (err == -K_ENOENT)
        err = ext2_dir_enter(op, dp, name, ip);
    ext2_slot_end(&s);
    if (err != -K_EEXIST)
        ext2_inode_save(op, dp);
    if (err)
        return err;
    ip->d.links++;
    ext2_touch(ip, false);
    ext2_inode_save(op, ip);
    return 0;
}

static int link_in(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   struct ext2_inode *ip) {
    int err = ext2_lock_dir(dp);
    if (err)
        return err;
    err = ip == dp ? -K_EPERM : ext2_inode_lock(ip);
    if (!err) {
        err = ip->d.links == 0 ? -K_ENOENT : ext2_inode_edit(ip); /* its last name went away */
        if (!err)
            err = enter(op, dp, name, ip);
        ext2_inode_unlock(ip);
    }
    ext2_inode_unlock(dp);
    return err;
}

int ext2_link(struct ext2_inode *dp, const struct name *name, struct ext2_inode *ip) {
    struct log_op op;
    int err = ext2_names_begin(&op, name);
    return err ? err : ext2_names_end(&op, link_in(&op, dp, name, ip));
}

/* ---- unlink ---- */

void ext2_lose_name(struct log_op *op, struct ext2_inode *dp, struct ext2_inode *ip) {
    if (ext2_is_dir(ip)) {
        namecache_forget_all(&ip->names);
        ip->d.links = 0;
        dp->d.links = (uint16_t)MAX(dp->d.links - 1, 1);
    } else {
        ip->d.links--;
    }
    ext2_touch(ip, false);
    if (ip->d.links == 0)
        ext2_orphan_add(op, ip);
    else
        ext2_inode_save(op, ip);
}

static int check_unlink(struct ext2_inode *ip) {
    if (node_has_mount(&ip->node) || ip->inum == EXT2_ROOT_INODE)
        return -K_EBUSY;
    return ext2_is_dir(ip) ? ext2_dir_must_be_empty(ip) : 0;
}

static int unlink_found(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                        struct ext2_slot *s, struct ext2_inode *ip) {
    int err = ext2_lock_other(ip, dp, NULL);
    if (err)
        return err;
    err = check_unlink(ip);
    if (!err) {
        ext2_dir_remove(op, dp, name, s);
        ext2_lose_name(op, dp, ip);
        ext2_touch(dp, true);
        ext2_inode_save(op, dp);
    }
    ext2_inode_unlock(ip);
    return err;
}

static int unlink_in(struct log_op *op, struct ext2_inode *dp, const struct name *name) {
    struct ext2_slot s;
    struct ext2_inode *ip;
    int err = ext2_lock_dir(dp);
    if (err)
        return err;
    err = ext2_dir_find(dp, name, &s);
    if (!err)
        err = may_have_name(s.inum) ? ext2_inode_get(s.inum, &ip) : -K_EIO;
    if (!err) {
        err = unlink_found(op, dp, name, &s, ip);
        ext2_inode_put(ip);
    }
    ext2_slot_end(&s);
    ext2_inode_unlock(dp);
    return err;
}

int ext2_unlink(struct ext2_inode *dp, const struct name *name) {
    struct log_op op;
    int err = ext2_is_special(name) ? -K_EINVAL : ext2_names_begin(&op, name);
    return err ? err : ext2_names_end(&op, unlink_in(&op, dp, name));
}
