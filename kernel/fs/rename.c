/* Renaming: two names change in one operation, and no directory gets into itself. */
#include "fs/entries.h"
#include "fs/namecache.h"
#include "fs/nameop.h"
#include "fs/step.h"
#include "fs/super.h"
#include "lib/errno.h"

static const struct dir_name dotdot = {{'.' | '.' << 8, 0}};

/* -K_EINVAL if inode inum is dp or above it. The image may tie directories to a
 * ring: after more steps than there are inodes, the walk is in one. */
static int check_not_within(struct inode *dp, uint32_t inum) {
    struct inode *at = inode_dup(dp);
    int err = 0;
    for (uint32_t steps = 0; !err && at->inum != FS_ROOT_INODE; steps++) {
        struct inode *up;
        if (at->inum == inum)
            err = -K_EINVAL;
        else if (steps > super.inode_end)
            err = -K_EIO;
        else
            err = inode_step(at, &dotdot, &up);
        if (err)
            break;
        inode_put(at);
        at = up;
    }
    if (!err && at->inum == inum)
        err = -K_EINVAL;
    inode_put(at);
    return err;
}

/* A rename on its way. All inodes are locked and edited; target is NULL when the
 * new name is free; up is the entry ".." of a directory that changes its parent. */
struct renaming {
    struct inode *from, *to, *child, *target;
    struct dir_slot old, new, up;
    struct dir_name old_name, name;
    bool fresh; /* the new name is to be free */
};

/* Whether what has the new name may lose it to a directory, or to something else. */
static int check_target(const struct renaming *r, bool is_dir) {
    struct inode *target = r->target;
    bool empty = true;
    if ((target->d.type == ABI_T_DIR) != is_dir)
        return is_dir ? -K_ENOTDIR : -K_EISDIR;
    if (node_has_mount(&target->node))
        return -K_EBUSY;
    int err = is_dir ? dir_is_empty(target, &empty) : 0;
    if (!err && is_dir && r->to->d.nlink <= 1)
        err = -K_EIO;
    return err ? err : empty ? 0 : -K_ENOTEMPTY;
}

static int check_rename(const struct renaming *r) {
    bool is_dir = r->child->d.type == ABI_T_DIR;
    int err = r->target ? check_target(r, is_dir) : 0;
    if (err)
        return err;
    if (node_has_mount(&r->child->node))
        return -K_EBUSY;
    if (r->child->inum == FS_ROOT_INODE || (r->target && r->target->d.nlink == 0))
        return -K_EIO;
    if (is_dir && r->from != r->to && r->to->d.nlink >= NLINK_MAX)
        return -K_EMLINK;
    if (is_dir && r->from != r->to && r->from->d.nlink <= 1)
        return -K_EIO;
    return 0;
}

static void lose_target(struct log_op *op, struct renaming *r) {
    if (r->target->d.type == ABI_T_DIR) {
        namecache_forget_all(&r->target->names);
        r->to->d.nlink--; /* its ".." */
        inode_save(op, r->to);
    }
    r->target->d.nlink--;
    inode_save(op, r->target);
}

/* The new entry first, it alone can fail; then nothing does. Who looks meanwhile without a
 * lock does not find the new name and then the old one, nor what was above. */
static int do_rename(struct log_op *op, struct renaming *r) {
    int err = check_rename(r);
    bool moves = r->child->d.type == ABI_T_DIR && r->from != r->to;
    if (!err && moves)
        err = dir_find(r->child, &dotdot, &r->up) ? -K_EIO : 0;
    if (!err) {
        namecache_forget(&r->from->names, r->old_name.word);
        namecache_forget(&r->child->names, dotdot.word);
        err = dir_set(op, r->to, &r->new, &r->name, r->child->inum);
    }
    if (!err) {
        inode_changed(op, r->child); /* an fsync of it answers for its name, too */
        dir_clear(op, r->from, &r->old);
        if (r->target)
            lose_target(op, r);
        if (moves) {
            err = dir_set(op, r->child, &r->up, &dotdot, r->to->inum);
            r->from->d.nlink--;
            r->to->d.nlink++;
            inode_save(op, r->from);
            inode_save(op, r->to);
        }
    }
    dir_slot_put(&r->up);
    return err;
}

/* Both directories are locked. Finds and locks what the names are. */
static int rename_found(struct log_op *op, struct renaming *r, uint32_t child_inum) {
    if (r->old.inum != child_inum) /* cannot be, with the name lock held */
        return -K_EIO;
    if (r->new.inum != 0 && r->fresh)
        return -K_EEXIST;
    if (r->new.inum == r->old.inum)
        return 0;
    int err = nameop_lock_other(r->child, r->from, r->to);
    if (err)
        return err;
    if (r->new.inum != 0) {
        err = inode_get(r->new.inum, &r->target);
        if (!err) {
            err = nameop_lock_other(r->target, r->from, r->to);
            if (err == -K_EIO && (r->target == r->from || r->target == r->to))
                err = r->child->d.type == ABI_T_DIR ? -K_ENOTEMPTY : -K_EISDIR;
            if (!err) {
                err = do_rename(op, r);
                inode_unlock(r->target);
            }
            inode_put(r->target);
        }
    } else {
        err = do_rename(op, r);
    }
    inode_unlock(r->child);
    return err;
}

static int rename_in(struct log_op *op, struct renaming *r, uint32_t child_inum) {
    int err = nameop_lock_dir(r->from);
    if (err)
        return err;
    if (r->to != r->from)
        err = nameop_lock_dir(r->to);
    if (!err) {
        err = dir_find(r->from, &r->old_name, &r->old);
        if (!err) {
            err = dir_find(r->to, &r->name, &r->new);
            if (!err || err == -K_ENOENT)
                err = rename_found(op, r, child_inum);
        }
        dir_slot_put(&r->old);
        dir_slot_put(&r->new);
        if (r->to != r->from)
            inode_unlock(r->to);
    }
    inode_unlock(r->from);
    return err;
}

/* With the name lock, so that what we see here is so until the end. */
static int rename_at(struct log_op *op, struct renaming *r) {
    int err = inode_step(r->from, &r->old_name, &r->child);
    if (err)
        return err;
    if (r->from != r->to)
        err = check_not_within(r->to, r->child->inum);
    if (!err)
        err = rename_in(op, r, r->child->inum);
    inode_put(r->child);
    return err;
}

int entry_rename(struct inode *from, const struct dir_name *old, struct inode *to,
                 const struct dir_name *new, bool fresh) {
    struct renaming r = {.from = from, .to = to, .old_name = *old, .name = *new, .fresh = fresh};
    struct log_op op;
    if (dir_name_is_dot(old) || dir_name_is_dotdot(old) || dir_name_is_dot(new) ||
        dir_name_is_dotdot(new))
        return -K_EINVAL;
    int err = nameop_begin(&op, nameop_rename_cost());
    return err ? err : nameop_end(&op, rename_at(&op, &r));
}
