/* Paths: from a name to an inode, one directory at a time.
 *
 * A path that begins with a slash starts at the root, any other at the running
 * process's current directory. Slashes may be repeated, and stand at the end.
 * Names are cut to 14 bytes. The empty path names the starting point, as in xv6.
 * In a directory that has no links any more nothing is found but itself.
 *
 * Locks one directory at a time; the caller holds no inode's lock and is in no
 * operation. Both calls reap what they were the last to refer to. */
#pragma once
#include "fs/dir.h"

/* A reference to what the path names, not locked. -K_ENOENT, -K_ENOTDIR, -K_EIO,
 * -K_ENFILE. */
int path_lookup(const char *path, struct inode **out) must_check;

/* A reference to the directory that the last name of the path is to be looked up
 * in, and that name. The last name may be "." or "..", and need not exist.
 * -K_ENOENT also when the path has no name. */
int path_parent(const char *path, struct inode **out, struct dir_name *name) must_check;

/* What name is in the directory dp, with a reference. dp is not locked, before and after.
 * -K_ENOENT, -K_ENOTDIR, -K_EIO, -K_ENFILE: there is no reference to give back. */
int path_step(struct inode *dp, const struct dir_name *name, struct inode **out) must_check;
