/* Where directories are, and what is in them: their paths. */
#pragma once
#include "lib/types.h"

struct node;

/* Writes the path of the directory n from the running process's root, terminated, to the last
 * *bytes of the buffer; the reference is taken over. It is found from below, by what each directory
 * on the way up is called in the one above it; one that is moved meanwhile may have a path that it
 * never had. Of one that is not below that root, the path from the root of all, behind
 * "(unreachable)". -K_ENOENT: it, or one above it, has been removed; -K_ERANGE: there is no room;
 * -K_ENFILE, -K_ENOMEM, -K_EIO. */
int node_path(struct node *n, char *buffer, size_t size, size_t *bytes) must_check;

/* The same of the current directory. */
int cwd_path(char *buffer, size_t size, size_t *bytes) must_check;

/* Writes a path of the file that `path` names, which begins with a slash, to the buffer's start:
 * the same one, if it does and does not end with a link; else that of the directory which has the
 * file, and its name there. What a link tells that leads where no path may is taken as it is.
 * -K_ENOENT: also when there is none from the running process's root; -K_ELOOP; others as above and
 * as of path_parent. The buffer is undefined after an error. */
int path_from_root(const char *path, char *buffer, size_t size) must_check;
