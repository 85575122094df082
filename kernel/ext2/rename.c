/* Renaming: two names change in one operation, and no directory gets into itself. See names.h. */
#include "ext2/names.h"
#include "lib/errno.h"

static const struct name dotdot = {"..", 2};

/* -K_EINVAL if ip is dp or above it. The image may tie directories to a ring: after more steps than
 * there are inodes, the walk is in one. */
static int check_not_within(struct ext2_inode *dp, const struct ext2_inode *ip) {
    struct ext2_inode *at = ext2_inode_dup(dp);
    int err = at == ip ? -K_EINVAL : 0;
    for (uint32_t steps = 0; !err && at->inum != EXT2_ROOT_INODE; steps++) {
        struct ext2_inode *up;
        err = steps > ext2.inodes ? -K_EIO : ext2_step(at, &dotdot, &up);
        if (err)
            break;
        ext2_inode_put(at);
        at = up;
        err = at == ip ? -K_EINVAL : 0;
    }
    ext2_inode_put(at);
    return err;
}

/* A rename on its way. All inodes are locked and edited; target is NULL when the new name is free;
 * up is the entry ".." of a directory that changes its parent. */
struct renaming {
    struct ext2_inode *from, *to, *child, *target;
    struct ext2_slot old, new, up;
    const struct name *old_name, *new_name;
    bool fresh; /* the new name is to be free */
};

/* Whether what has the new name may lose it to a directory, or to something else. */
static int check_target(struct ext2_inode *target, bool is_dir) {
    if (ext2_is_dir(target) != is_dir)
        return is_dir ? -K_ENOTDIR : -K_EISDIR;
    if (node_has_mount(&target->node))
        return -K_EBUSY;
    return is_dir ? ext2_dir_must_be_empty(target) : 0;
}

static int check(const struct renaming *r) {
    bool is_dir = ext2_is_dir(r->child);
    int err = r->target ? check_target(r->target, is_dir) : 0;
    if (err)
        return err;
    if (node_has_mount(&r->child->node) || r->child->inum == EXT2_ROOT_INODE)
        return -K_EBUSY;
    return is_dir && r->from != r->to && r->to->d.links >= EXT2_LINKS_MAX ? -K_EMLINK : 0;
}

/* The new name first: it alone can fail. Who looks meanwhile with nothing locked does not find the
 * new name and then the old one, nor what was above. */
static int do_rename(struct log_op *op, struct renaming *r) {
    bool moves = ext2_is_dir(r->child) && r->from != r->to;
    int err = check(r);
    if (!err && moves)
        err = ext2_dir_find(r->child, &dotdot, &r->up) ? -K_EIO : 0;
    if (err)
        return err;
    ext2_dir_forget(r->from, r->old_name);
    if (moves)
        ext2_dir_forget(r->child, &dotdot);
    if (r->target)
        ext2_dir_change(op, r->to, r->new_name, &r->new, r->child);
    else
        err = ext2_dir_enter(op, r->to, r->new_name, r->child);
    if (!err) {
        ext2_dir_remove(op, r->from, r->old_name, &r->old);
        if (r->target)
            ext2_lose_name(op, r->to, r->target);
        if (moves) {
            ext2_dir_change(op, r->child, &dotdot, &r->up, r->to);
            r->from->d.links = (uint16_t)MAX(r->from->d.links - 1, 1);
            r->to->d.links++;
        }
        ext2_touch(r->child, false);
        ext2_inode_save(op, r->child);
        ext2_touch(r->from, true);
        ext2_touch(r->to, true);
    }
    ext2_inode_save(op, r->from);
    ext2_inode_save(op, r->to);
    return err;
}

static int with_target(struct log_op *op, struct renaming *r) {
    int err = ext2_inode_get(r->new.inum, &r->target);
    if (err)
        return err;
    bool is_parent = r->target == r->from || r->target == r->to;
    int parent_err = ext2_is_dir(r->child) ? -K_ENOTEMPTY : -K_EISDIR;
    err = is_parent ? parent_err : ext2_lock_other(r->target, r->child, NULL);
    if (!err) {
        err = do_rename(op, r);
        ext2_inode_unlock(r->target);
    }
    ext2_inode_put(r->target);
    return err;
}

/* Both directories are locked, and both names were looked for. */
static int rename_found(struct log_op *op, struct renaming *r) {
    if (r->old.inum != r->child->inum) /* cannot be, with the name lock held */
        return -K_EIO;
    if (r->new.inum && r->fresh)
        return -K_EEXIST;
    if (r->new.inum == r->old.inum)
        return 0;
    int err = ext2_lock_other(r->child, r->from, r->to);
    if (err)
        return err;
    err = r->new.inum ? with_target(op, r) : do_rename(op, r);
    ext2_inode_unlock(r->child);
    return err;
}

static int rename_in(struct log_op *op, struct renaming *r) {
    int err = ext2_lock_dir(r->from);
    if (err)
        return err;
    err = r->to != r->from ? ext2_lock_dir(r->to) : 0;
    if (!err) {
        err = ext2_dir_find(r->from, r->old_name, &r->old);
        if (!err) {
            err = ext2_dir_find(r->to, r->new_name, &r->new);
            if (!err || err == -K_ENOENT)
                err = rename_found(op, r);
        }
        ext2_slot_end(&r->old);
        ext2_slot_end(&r->new);
        ext2_slot_end(&r->up);
        if (r->to != r->from)
            ext2_inode_unlock(r->to);
    }
    ext2_inode_unlock(r->from);
    return err;
}

/* With the name lock, so that what is seen here is so until the end. */
static int rename_at(struct log_op *op, struct renaming *r) {
    int err = ext2_step(r->from, r->old_name, &r->child);
    if (err)
        return err;
    if (r->from != r->to)
        err = check_not_within(r->to, r->child);
    if (!err)
        err = rename_in(op, r);
    ext2_inode_put(r->child);
    return err;
}

int ext2_rename(struct ext2_inode *from, const struct name *old, struct ext2_inode *to,
                const struct name *new, bool fresh) {
    struct renaming r = {.from = from, .to = to, .old_name = old, .new_name = new, .fresh = fresh};
    struct log_op op;
    int err = ext2_is_special(old) || ext2_is_special(new) ? -K_EINVAL : ext2_names_begin(&op, old);
    if (err)
        return err;
    err = new->length > EXT2_NAME_MAX ? -K_ENAMETOOLONG : rename_at(&op, &r);
    return ext2_names_end(&op, err);
}
