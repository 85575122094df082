/* What a file is. The kernel's layout, each field under its xv6 and its POSIX
 * name; the interface has no permission bits, so st_mode is the type alone. */
#pragma once
#include <sys/types.h>
#include "lib/abi.h"

#define T_DIR ABI_T_DIR
#define T_FILE ABI_T_FILE
#define T_DEVICE ABI_T_DEVICE

struct stat {
    union {
        int32_t dev;
        int32_t st_dev;
    };
    union {
        uint32_t ino;
        uint32_t st_ino;
    };
    union {
        int16_t type;
        int16_t st_mode;
    };
    union {
        int16_t nlink;
        int16_t st_nlink;
    };
    union {
        uint64_t size;
        uint64_t st_size;
    };
};
_Static_assert(sizeof(struct stat) == sizeof(struct abi_stat), "as the kernel fills it in");

#define S_ISDIR(mode) ((mode) == T_DIR)
#define S_ISREG(mode) ((mode) == T_FILE)
#define S_ISCHR(mode) ((mode) == T_DEVICE)

/* Each 0, or -1 with errno set; stat has the errors of open and of fstat. A mode argument is
 * accepted and ignored.
 *
 * fstat: EBADF, EINVAL, EFAULT, EIO
 * mkdir: path errors, disk errors, EEXIST, ENOSPC, EMLINK
 * mknod: path errors, disk errors, EEXIST, ENOSPC */
int fstat(int fd, struct stat *st);
int stat(const char *path, struct stat *st);
int mkdir(const char *path, ...);
int mknod(const char *path, short major, short minor);
