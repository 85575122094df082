/* Names: create, mkdir, link, unlink, rename. Each prepares what can fail, and
 * then changes directories and inodes without failing. */
#include "fs/names.h"
#include "fs/balloc.h"
#include "fs/data.h"
#include "fs/namecache.h"
#include "lib/errno.h"
#include "proc/sleeplock.h"

#define NLINK_MAX INT16_MAX

static struct sleeplock name_lock;

void names_init(void) { sleeplock_init(&name_lock, "names"); }

/* Reservations: how many blocks an operation may write at most.
 *
 * A new entry: its block, the indirect block, the directory's inode, the bitmap. */
static uint32_t entry_cost(void) { return data_write_cost(1); }

/* The new or linked inode. */
static uint32_t create_cost(void) { return entry_cost() + 1; }

/* Writes the parent's block, indirect block and inode, and the new inode and its block; may
 * allocate the parent's block and indirect block, and the new directory's block. */
#define MKDIR_WRITES 5
#define MKDIR_ALLOCATES 3
static uint32_t mkdir_cost(void) { return MKDIR_WRITES + balloc_cost(MKDIR_ALLOCATES); }

/* The old entry, the old directory, what is replaced, and "..". */
static uint32_t rename_cost(void) { return entry_cost() + 4; }

#define UNLINK_COST 3 /* the entry, the directory, the inode */

uint32_t names_cost_max(void) { return MAX(mkdir_cost(), rename_cost()); }

static int begin(struct log_op *op, uint32_t cost) {
    int err = log_begin(op, cost);
    if (!err)
        sleeplock_acquire(&name_lock);
    return err;
}

/* Ends the operation; the result of the call is err, or else the commit's. */
static int end(struct log_op *op, int err) {
    sleeplock_release(&name_lock);
    int end_err = inode_end_op(op);
    return err ? err : end_err;
}

/* Locks a directory to change it, and edits it. */
static int lock_dir(struct inode *dp) {
    int err = inode_lock(dp);
    if (err)
        return err;
    if (dp->d.type != ABI_T_DIR)
        err = -K_ENOTDIR;
    else if (dp->d.nlink == 0)
        err = -K_ENOENT;
    else
        err = inode_edit(dp);
    if (err)
        inode_unlock(dp);
    return err;
}

/* Locks and edits another inode than those that are locked already: an image may
 * give one inode two places. */
static int lock_other(struct inode *ip, const struct inode *locked, const struct inode *locked2) {
    if (ip == locked || ip == locked2)
        return -K_EIO;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = inode_edit(ip);
    if (err)
        inode_unlock(ip);
    return err;
}

/* ---- create and mkdir ---- */

struct new_inode {
    int16_t type, major, minor;
};

/* Enters a new inode into the locked directory dp at slot. */
static int make(struct log_op *op, struct inode *dp, struct dir_slot *slot,
                const struct dir_name *name, const struct new_inode *what, struct inode **out) {
    struct inode *ip;
    if (what->type == ABI_T_DIR && dp->d.nlink >= NLINK_MAX)
        return -K_EMLINK;
    int err = inode_alloc((uint16_t)what->type, &ip);
    if (err)
        return err;
    ip->d.major = what->major;
    ip->d.minor = what->minor;
    if (what->type == ABI_T_DIR)
        err = dir_init(op, ip, dp->inum);
    if (!err)
        err = dir_set(op, dp, slot, name, ip->inum);
    if (err) {
        if (ip->d.addrs[0] != 0)
            block_unalloc(op, ip->d.addrs[0]);
        ip->d = (struct fs_dinode){.type = 0};
        if (op->wrote)
            inode_save(op, ip);
        namecache_forget_all(ip);
        inode_unalloc(ip);
        return err;
    }
    if (what->type == ABI_T_DIR) {
        dp->d.nlink++;
        inode_save(op, dp);
    }
    inode_save(op, ip);
    inode_unlock(ip);
    *out = ip;
    return 0;
}

static int create_in(struct log_op *op, struct inode *dp, const struct dir_name *name,
                     const struct new_inode *what, struct inode **out) {
    struct dir_slot slot;
    int err = lock_dir(dp);
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

static int create_at(struct inode *dp, const struct dir_name *name, const struct new_inode *what,
                     struct inode **out) {
    struct log_op op;
    struct inode *ip = NULL;
    int err = begin(&op, what->type == ABI_T_DIR ? mkdir_cost() : create_cost());
    if (err)
        return err;
    err = create_in(&op, dp, name, what, &ip);
    err = end(&op, err);
    if (err && ip)
        inode_put(ip);
    else if (!err)
        *out = ip;
    return err;
}

/* What is there already, if open(O_CREATE) takes it. */
static int existing(struct inode *dp, const struct dir_name *name, struct inode **out) {
    struct inode *ip;
    int err = path_step(dp, name, &ip);
    if (err)
        return err;
    err = inode_lock(ip);
    if (!err) {
        if (ip->d.type == ABI_T_DIR)
            err = -K_EEXIST;
        inode_unlock(ip);
    }
    if (err)
        inode_put(ip);
    else
        *out = ip;
    return err;
}

/* Somebody else may create or remove the name between the two looks: again. */
static int find_or_create(struct inode *dp, const struct dir_name *name,
                          const struct new_inode *what, struct inode **out) {
    int err;
    do {
        err = existing(dp, name, out);
        if (err == -K_ENOENT)
            err = create_at(dp, name, what, out);
        else
            break;
    } while (err == -K_EEXIST);
    return err;
}

int names_create(const char *path, int16_t type, int16_t major, int16_t minor, struct inode **out) {
    struct new_inode what = {.type = type, .major = major, .minor = minor};
    struct dir_name name;
    struct inode *dp;
    int err = path_parent(path, &dp, &name);
    if (err)
        return err;
    if (type == ABI_T_FILE)
        err = find_or_create(dp, &name, &what, out);
    else
        err = create_at(dp, &name, &what, out);
    inode_put(dp);
    inode_reap();
    return err;
}

int names_mkdir(const char *path) {
    struct inode *ip;
    int err = names_create(path, ABI_T_DIR, 0, 0, &ip);
    if (!err)
        inode_put(ip);
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
    int err = lock_dir(dp);
    if (err)
        return err;
    err = lock_other(ip, dp, NULL);
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

static int link_at(const char *new, struct inode *ip) {
    struct dir_name name;
    struct inode *dp;
    struct log_op op;
    int err = path_parent(new, &dp, &name);
    if (err)
        return err;
    err = begin(&op, create_cost());
    if (!err)
        err = end(&op, link_in(&op, dp, &name, ip));
    inode_put(dp);
    return err;
}

int names_link(const char *old, const char *new) {
    struct inode *ip;
    int err = path_lookup(old, &ip);
    if (err)
        return err;
    err = link_at(new, ip);
    inode_put(ip);
    inode_reap();
    return err;
}

/* ---- unlink ---- */

/* Takes a name's inode out of the locked directory dp. Both are edited. */
static int remove_entry(struct log_op *op, struct inode *dp, struct dir_slot *slot,
                        struct inode *ip) {
    bool is_dir = ip->d.type == ABI_T_DIR, empty = true;
    if (ip->inum == FS_ROOT_INODE)
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
        namecache_forget_all(ip);
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
    err = lock_other(ip, dp, NULL);
    if (!err) {
        err = remove_entry(op, dp, slot, ip);
        inode_unlock(ip);
    }
    inode_put(ip);
    return err;
}

static int unlink_in(struct log_op *op, struct inode *dp, const struct dir_name *name) {
    struct dir_slot slot;
    int err = lock_dir(dp);
    if (err)
        return err;
    err = dir_find(dp, name, &slot);
    if (!err)
        err = unlink_slot(op, dp, &slot);
    dir_slot_put(&slot);
    inode_unlock(dp);
    return err;
}

int names_unlink(const char *path) {
    struct dir_name name;
    struct inode *dp;
    struct log_op op;
    int err = path_parent(path, &dp, &name);
    if (err)
        return err;
    if (dir_name_is_dot(&name) || dir_name_is_dotdot(&name))
        err = -K_EINVAL;
    else
        err = begin(&op, UNLINK_COST);
    if (!err)
        err = end(&op, unlink_in(&op, dp, &name));
    inode_put(dp);
    inode_reap();
    return err;
}

/* ---- rename ---- */

static const struct dir_name dotdot = {.first = '.' | '.' << 8, .rest = 0};

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
            err = path_step(at, &dotdot, &up);
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
};

static int check_rename(const struct renaming *r) {
    bool is_dir = r->child->d.type == ABI_T_DIR;
    if (r->target && r->target->d.type == ABI_T_DIR)
        return -K_EISDIR;
    if (r->target && is_dir)
        return -K_ENOTDIR;
    if (r->child->inum == FS_ROOT_INODE || (r->target && r->target->d.nlink == 0))
        return -K_EIO;
    if (is_dir && r->from != r->to && r->to->d.nlink >= NLINK_MAX)
        return -K_EMLINK;
    if (is_dir && r->from != r->to && r->from->d.nlink <= 1)
        return -K_EIO;
    return 0;
}

/* The new entry first, it alone can fail; then nothing does. Who looks meanwhile without a
 * lock does not find the new name and then the old one, nor what was above. */
static int do_rename(struct log_op *op, struct renaming *r) {
    int err = check_rename(r);
    bool moves = r->child->d.type == ABI_T_DIR && r->from != r->to;
    if (!err && moves)
        err = dir_find(r->child, &dotdot, &r->up) ? -K_EIO : 0;
    if (!err) {
        namecache_forget(r->from, &r->old_name);
        namecache_forget(r->child, &dotdot);
        err = dir_set(op, r->to, &r->new, &r->name, r->child->inum);
    }
    if (!err) {
        dir_clear(op, r->from, &r->old);
        if (r->target) {
            r->target->d.nlink--;
            inode_save(op, r->target);
        }
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
    if (r->new.inum == r->old.inum)
        return 0;
    int err = lock_other(r->child, r->from, r->to);
    if (err)
        return err;
    if (r->new.inum != 0) {
        err = inode_get(r->new.inum, &r->target);
        if (!err) {
            err = lock_other(r->target, r->from, r->to);
            if (err == -K_EIO && (r->target == r->from || r->target == r->to))
                err = -K_EISDIR;
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
    int err = lock_dir(r->from);
    if (err)
        return err;
    if (r->to != r->from)
        err = lock_dir(r->to);
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
    int err = path_step(r->from, &r->old_name, &r->child);
    if (err)
        return err;
    if (r->from != r->to)
        err = check_not_within(r->to, r->child->inum);
    if (!err)
        err = rename_in(op, r, r->child->inum);
    inode_put(r->child);
    return err;
}

int names_rename(const char *from, const char *to) {
    struct renaming r = {.target = NULL};
    struct log_op op;
    int err = path_parent(from, &r.from, &r.old_name);
    if (err)
        return err;
    err = path_parent(to, &r.to, &r.name);
    if (err) {
        inode_put(r.from);
        inode_reap();
        return err;
    }
    if (dir_name_is_dot(&r.old_name) || dir_name_is_dotdot(&r.old_name) ||
        dir_name_is_dot(&r.name) || dir_name_is_dotdot(&r.name))
        err = -K_EINVAL;
    else
        err = begin(&op, rename_cost());
    if (!err)
        err = end(&op, rename_at(&op, &r));
    inode_put(r.from);
    inode_put(r.to);
    inode_reap();
    return err;
}
