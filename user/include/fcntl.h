/* Opening files.
 *
 * open: path errors, disk errors, EMFILE, ENOMEM, EISDIR, EEXIST, ETXTBSY, ENODEV, ENOSPC
 * fcntl: EBADF, EINVAL, EMFILE, ENOMEM */
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
#define O_CLOEXEC ABI_O_CLOEXEC
#define O_NONBLOCK ABI_O_NONBLOCK

#define F_DUPFD ABI_F_DUPFD
#define F_DUPFD_CLOEXEC ABI_F_DUPFD_CLOEXEC
#define F_GETFD ABI_F_GETFD
#define F_SETFD ABI_F_SETFD
#define F_GETFL ABI_F_GETFL
#define F_SETFL ABI_F_SETFL
#define FD_CLOEXEC ABI_FD_CLOEXEC

/* The lowest free descriptor, or -1. A mode is accepted and ignored. */
int open(const char *path, int flags, ...);

/* F_DUPFD, F_DUPFD_CLOEXEC: another descriptor, from the third argument on; F_GETFD, F_SETFD:
 * FD_CLOEXEC, of this descriptor; F_GETFL, F_SETFL: how the file was opened, of which O_APPEND
 * alone can be changed, for all that share it. */
int fcntl(int fd, int command, ...);
