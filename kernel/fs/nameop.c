/* What the calls that change names begin and end with: the name lock, locks, reservations. */
#include "fs/nameop.h"
#include "fs/balloc.h"
#include "fs/data.h"
#include "fs/entries.h"
#include "lib/errno.h"
#include "proc/sleeplock.h"

static struct sleeplock name_lock;

void entries_init(void) { sleeplock_init(&name_lock, RANK_NAMES); }

/* A new entry: its block, the indirect block, the directory's inode, the bitmap. */
static uint32_t entry_cost(void) { return data_write_cost(1); }

/* The new or linked inode. */
uint32_t nameop_create_cost(void) { return entry_cost() + 1; }

/* Writes the parent's block, indirect block and inode, and the new inode and its block; may
 * allocate the parent's block and indirect block, and the new directory's block. */
#define MKDIR_WRITES 5
#define MKDIR_ALLOCATES 3
uint32_t nameop_mkdir_cost(void) { return MKDIR_WRITES + balloc_cost(MKDIR_ALLOCATES); }

/* The old entry, the old directory, what is replaced, and "..". */
uint32_t nameop_rename_cost(void) { return entry_cost() + 4; }

uint32_t entries_cost_max(void) { return MAX(nameop_mkdir_cost(), nameop_rename_cost()); }

int nameop_begin(struct log_op *op, uint32_t cost) {
    int err = log_begin(op, cost);
    if (!err)
        sleeplock_acquire(&name_lock);
    return err;
}

int nameop_end(struct log_op *op, int err) {
    sleeplock_release(&name_lock);
    int end_err = inode_end_op(op);
    return err ? err : end_err;
}

int nameop_lock_dir(struct inode *dp) {
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

int nameop_lock_other(struct inode *ip, const struct inode *locked, const struct inode *locked2) {
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
