/* Names: the calls that change what paths stand for.
 *
 * Paths are in kernel memory, and begin at the directory that is given before each, or, NULL, at
 * the current one; the caller holds no lock. Errors of all: those of path.h, -K_EIO,
 * -K_EROFS, and -K_ENOENT when a directory on the way has been removed. After an error nothing has
 * changed, but for -K_EIO from the disk. */
#pragma once
#include "vfs/path.h"

/* Makes a file; *out has a reference to it. If the name exists already and is a file or a device,
 * *out is that; if it is a link, what that leads to is found or made in the same way. -K_EEXIST: a
 * directory; -K_ENOSPC. */
int names_create(struct node *start, const char *path, const struct node_kind *kind,
                 struct node **out) must_check;

/* Makes what kind says, where nothing has the name; *out has a reference to it. -K_EEXIST, also for
 * a link that leads nowhere; -K_ENOSPC; -K_EPERM: the file system has no such thing; -K_EMLINK: the
 * parent has too many directories. */
int names_create_new(struct node *start, const char *path, const struct node_kind *kind,
                     struct node **out) must_check;

/* The same, for who needs no reference. */
int names_make(struct node *start, const char *path, const struct node_kind *kind) must_check;

/* One more name. The second: a link gets it itself. -K_EPERM: old is a directory; -K_EXDEV: of
 * another file system; -K_ENOENT: it has lost its last one; -K_EEXIST, -K_ENOSPC, -K_EMLINK. */
int names_link_node(struct node *old, struct node *to, const char *new) must_check;
int names_link(struct node *from, const char *old, struct node *to, const char *new) must_check;

/* Removes a name; a directory must be empty. -K_EINVAL: the last name is "." or
 * ".."; -K_ENOTEMPTY; -K_EBUSY: the root, or something is mounted there. */
int names_unlink(struct node *start, const char *path) must_check;
int names_remove(struct node *dir, const struct name *name) must_check;

/* Gives what from names the name to; a file, a device or an empty directory that has that name
 * loses it in the same moment, unless fresh is true: then it is -K_EEXIST. Both names for one node:
 * nothing happens. -K_EINVAL: a name is "." or "..", or a directory would get into itself;
 * -K_EISDIR: to is a directory and from is not; -K_ENOTDIR: the other way; -K_ENOTEMPTY: to is a
 * directory with names in it; -K_EBUSY: something is mounted on one of them; -K_EXDEV: to would be
 * in another file system; -K_ENOSPC, -K_EMLINK. */
int names_rename(struct node *from_dir, const char *from, struct node *to_dir, const char *to,
                 bool fresh) must_check;
