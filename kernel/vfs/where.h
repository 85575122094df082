/* Where the running process is: the path of its current directory. */
#pragma once
#include "lib/types.h"

/* Writes the path, terminated, to the last *bytes of the buffer. It is found from below, by what
 * each directory on the way up is called in the one above it; one that is moved meanwhile may have
 * a path that it never had. -K_ENOENT: it, or one above it, has been removed; -K_ERANGE: there is
 * no room; -K_ENFILE, -K_ENOMEM, -K_EIO. */
int cwd_path(char *buffer, size_t size, size_t *bytes) must_check;
