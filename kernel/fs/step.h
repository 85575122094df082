/* One step of a path within this file system. */
#pragma once
#include "fs/dir.h"

/* What name is in the directory dp, with a reference. dp is not locked, before and after.
 * -K_ENOENT, -K_ENOTDIR, -K_EIO, -K_ENFILE: there is no reference to give back. */
int inode_step(struct inode *dp, const struct dir_name *name, struct inode **out) must_check;
