/* What changes directories: each is one operation of the log, under the name lock. The directories
 * are not locked, and no operation runs. Errors: see vfs/node.h. */
#pragma once
#include "ext2/dir.h"

/* What name is in dp, with a reference. */
int ext2_step(struct ext2_inode *dp, const struct name *name, struct ext2_inode **out) must_check;

int ext2_make(struct ext2_inode *dp, const struct name *name, const struct node_kind *kind,
              struct ext2_inode **out) must_check;
int ext2_link(struct ext2_inode *dp, const struct name *name, struct ext2_inode *ip) must_check;
int ext2_unlink(struct ext2_inode *dp, const struct name *name) must_check;
int ext2_rename(struct ext2_inode *from, const struct name *old, struct ext2_inode *to,
                const struct name *new, bool fresh) must_check;

/* ---- what these begin and end with: names.c, for make.c and rename.c */

/* Blocks that any of them may change: two entries, one of them in a new block of its directory;
 * five inodes; a new inode's number, with its first block. */
#define EXT2_NAMES_ROOM (EXT2_ENTER_ROOM + 1 + 5 + 2 + 4)

static inline bool ext2_is_special(const struct name *name) {
    return name_is_dot(name) || name_is_dotdot(name);
}

/* Begins the operation and takes the name lock. -K_EROFS: did neither; -K_ENAMETOOLONG. */
int ext2_names_begin(struct log_op *op, const struct name *name) must_check;
int ext2_names_end(struct log_op *op, int err) must_check;
/* Locks a directory to change it, and edits it. -K_ENOTDIR; -K_ENOENT: it has been removed; -K_EIO.
 */
int ext2_lock_dir(struct ext2_inode *dp) must_check;
/* Locks and edits another inode than those that are locked already (they may be NULL). -K_EIO: it
 * is one of them, since an image may give one inode two places. */
int ext2_lock_other(struct ext2_inode *ip, const struct ext2_inode *locked,
                    const struct ext2_inode *locked2) must_check;
/* An inode that is locked and edited loses a name; a directory its last one, and dp, which it was
 * in, a link. It is saved, dp is to be. */
void ext2_lose_name(struct log_op *op, struct ext2_inode *dp, struct ext2_inode *ip);
