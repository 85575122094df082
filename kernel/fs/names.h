/* Names: the calls that change directories.
 *
 * Each is one operation of the log, so that a crash leaves all of it or nothing.
 *
 * Lock order: the operation begins, then the name lock, then inodes. The name lock
 * is one sleeplock for all of them; only its holder has more than one inode
 * locked. So no image, however its directories are tied, makes two threads
 * wait for each other, and what a holder has looked up stays so.
 *
 * Paths are in kernel memory. The caller holds no lock and is in no operation.
 * Errors of all: those of path.h, -K_EIO, -K_EROFS (the log has aborted), and
 * -K_ENOENT when a directory on the way has been removed. On error nothing
 * changed, but for -K_EIO from the disk in the commit (log.h). */
#pragma once
#include "fs/path.h"

/* At mount. */
void names_init(void);

/* Makes a file or a device; *out has a reference to it. If the name exists already
 * and is a file or a device, and type is file, *out is that. -K_EEXIST; -K_ENOSPC. */
int names_create(const char *path, int16_t type, int16_t major, int16_t minor,
                 struct inode **out) must_check;

/* -K_EEXIST, -K_ENOSPC; -K_EMLINK: the parent has too many directories. */
int names_mkdir(const char *path) must_check;

/* -K_EPERM: old is a directory; -K_EEXIST, -K_ENOSPC, -K_EMLINK. */
int names_link(const char *old, const char *new) must_check;

/* Removes a name; a directory must be empty. -K_EINVAL: the last name is "." or
 * ".."; -K_ENOTEMPTY; -K_EBUSY: the root. */
int names_unlink(const char *path) must_check;

/* Renames: what `from` names gets the name `to`; a file or device that had that name
 * loses it in the same moment. Both names for one inode: nothing happens. -K_EINVAL: a name
 * is "." or "..", or a directory would get into itself; -K_EISDIR: to is a
 * directory; -K_ENOTDIR: to exists and from is a directory; -K_ENOSPC, -K_EMLINK. */
int names_rename(const char *from, const char *to) must_check;

/* The blocks that the largest of these operations reserves: the least log. */
uint32_t names_cost_max(void);
