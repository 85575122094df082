/* Calls whose answer is always the same: hints, and what there is one of. */
#include "arch/hart.h"
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "syscall/syscall.h"
#include "vfs/descriptor.h"

/* ---- hints ---- */

int linux_done(const uint64_t arg[6], uint64_t *result) { return 0; }

static int of_file(struct file *f, const uint64_t arg[6], uint64_t *result) { return 0; }

/* Of an open file. */
int linux_done_of_file(const uint64_t arg[6], uint64_t *result) {
    return fd_call(of_file, arg, result);
}

/* All file systems: sync does them all. */
static int sync_all(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return sys_sync(arg, result);
}

int linux_syncfs(const uint64_t arg[6], uint64_t *result) { return fd_call(sync_all, arg, result); }

#define SYNC_FILE_RANGE_ALL 7U

/* A part of a file is synchronized with all of it. */
int linux_sync_file_range(const uint64_t arg[6], uint64_t *result) {
    bool range = (int64_t)arg[1] >= 0 && (int64_t)arg[2] >= 0 && arg[1] + arg[2] <= INT64_MAX;
    if (!range || ((uint32_t)arg[3] & ~SYNC_FILE_RANGE_ALL))
        return -K_EINVAL;
    return sys_fdatasync(arg, result);
}

static int of_readable(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return !f->readable ? -K_EBADF : f->ops->map ? 0 : -K_EINVAL;
}

int linux_readahead(const uint64_t arg[6], uint64_t *result) {
    return fd_call(of_readable, arg, result);
}

/* No file system finds a file again by anything but a path. */
int linux_name_to_handle_at(const uint64_t arg[6], uint64_t *result) { return -K_ENOTSUP; }

/* ---- what there is one of ---- */

/* As the kernel tells it, 20 less the nice value. */
int linux_getpriority(const uint64_t arg[6], uint64_t *result) {
    *result = 20;
    return 0;
}

#define PERSONALITY_ASK 0xffffffffU

/* Of all systems that a program could say it was made for there is one here, 0. */
int linux_personality(const uint64_t arg[6], uint64_t *result) {
    uint32_t wanted = (uint32_t)arg[0];
    return wanted == 0 || wanted == PERSONALITY_ASK ? 0 : -K_EINVAL;
}
