/* Paths: from a name to a node, one directory at a time.
 *
 * A path that begins with a slash starts at the running process's root, any other at its
 * current directory. Nothing leads up from its root, which is that of all unless it has taken
 * another one (root_enter). Slashes may be repeated, and stand at the end.
 * The empty path names the starting point, as in xv6.
 * In a directory that has no links any more nothing is found but itself.
 * A symbolic link on the way is followed, in the directory where it stands; so is one with a slash
 * behind it. -K_ELOOP: there are too many, or too many in one another.
 * -K_ENAMETOOLONG: a name is longer than its file system has names.
 *
 * The caller holds no lock. */
#pragma once
#include "vfs/node.h"

#define PATH_LINKS 40 /* that are followed on one path */

/* A reference to what the path names; a link that is the last name is followed. -K_ENOENT,
 * -K_ENOTDIR, -K_EIO, -K_ENFILE, and the two above. */
int path_lookup(const char *path, struct node **out) must_check;

/* The same from another starting point; NULL: the current directory. follow: what a link that is
 * the last name leads to, not the link. */
int path_lookup_from(struct node *start, const char *path, bool follow,
                     struct node **out) must_check;

/* A reference to the directory that the last name of the path is to be looked up
 * in, and that name, which is part of the path. It may be "." or "..", and need not exist.
 * -K_EBUSY: the path is the root, which has no name. -K_ENOENT also when the path is empty. */
int path_parent(struct node *start, const char *path, struct node **out,
                struct name *name) must_check;

/* What name is in the directory dir, with a reference; through what is mounted.
 * -K_ENOENT, -K_ENOTDIR, -K_EIO, -K_ENFILE: there is no reference to give back. */
int path_step(struct node *dir, const struct name *name, struct node **out) must_check;

/* Paths of the running process begin at the directory n from now on; the reference is taken over.
 * -K_ENOTDIR, -K_EIO: they begin where they did, and it is given back. */
int cwd_enter(struct node *n) must_check;

/* Its paths with a slash, and links with one, begin at the directory n from now on; the rest as
 * above. Where it is does not change. What program it runs is known no more, for its path was
 * another root's. */
int root_enter(struct node *n) must_check;

/* The running process's root, with a reference. */
struct node *root_get(void);
