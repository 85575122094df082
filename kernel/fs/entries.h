/* Entries: the calls that change directories.
 *
 * Each is one operation of the log, so that a crash leaves all of it or nothing.
 *
 * Lock order: the operation begins, then the name lock, then inodes. The name lock
 * is one sleeplock for all of them; only its holder has more than one inode
 * locked. So no image, however its directories are tied, makes two threads
 * wait for each other, and what a holder has looked up stays so.
 *
 * The caller has references to the inodes, holds no lock and is in no operation.
 * Errors of all: -K_ENOTDIR, -K_EIO, -K_ENFILE, -K_EROFS (the log has aborted), and
 * -K_ENOENT when the directory has been removed. On error nothing
 * changed, but for -K_EIO from the disk in the commit (log.h). */
#pragma once
#include "fs/dir.h"
#include "vfs/node.h"

/* At mount. */
void entries_init(void);

/* Makes a file, a device or a directory; *out has a reference to it. -K_EEXIST; -K_ENOSPC;
 * -K_EMLINK: the directory has too many others. */
int entry_make(struct inode *dp, const struct dir_name *name, const struct node_kind *kind,
               struct inode **out) must_check;

/* One more name for ip. -K_EPERM: ip is a directory; -K_ENOENT: it has lost its last name;
 * -K_EEXIST, -K_ENOSPC, -K_EMLINK. */
int entry_link(struct inode *dp, const struct dir_name *name, struct inode *ip) must_check;

/* Removes a name; a directory must be empty. -K_EINVAL: the last name is "." or
 * ".."; -K_ENOTEMPTY; -K_EBUSY: the root. */
int entry_unlink(struct inode *dp, const struct dir_name *name) must_check;

/* Gives what has the name old in `from` the name new in `to`; what has that name loses it in the
 * same moment, unless fresh is true. Errors: see names_rename. */
int entry_rename(struct inode *from, const struct dir_name *old, struct inode *to,
                 const struct dir_name *new, bool fresh) must_check;

/* The blocks that the largest of these operations reserves: the least log. */
uint32_t entries_cost_max(void);
