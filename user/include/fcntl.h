/* Opening files.
 *
 * open: path errors, disk errors, EMFILE, EISDIR, EEXIST, ETXTBSY, ENODEV, ENOSPC */
#pragma once
#include "lib/abi.h"

#define O_RDONLY ABI_O_RDONLY
#define O_WRONLY ABI_O_WRONLY
#define O_RDWR ABI_O_RDWR
#define O_CREATE ABI_O_CREATE
#define O_CREAT ABI_O_CREATE
#define O_TRUNC ABI_O_TRUNC
#define O_APPEND ABI_O_APPEND
#define O_SYNC ABI_O_SYNC
#define O_DSYNC ABI_O_SYNC

/* The lowest free descriptor, or -1. A mode is accepted and ignored. */
int open(const char *path, int flags, ...);
