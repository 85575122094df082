/* Calls whose answer is always the same: hints, and what there is one of. */
#include "arch/hart.h"
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "vfs/descriptor.h"

/* ---- hints ---- */

int linux_done(const uint64_t arg[6], uint64_t *result) { return 0; }

static int of_file(struct file *f, const uint64_t arg[6], uint64_t *result) { return 0; }

/* Of an open file. */
int linux_done_of_file(const uint64_t arg[6], uint64_t *result) {
    return fd_call(of_file, arg, result);
}

/* Blocks cannot be had in advance. */
static int not_supported(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return -K_ENOTSUP;
}

int linux_fallocate(const uint64_t arg[6], uint64_t *result) {
    return fd_call(not_supported, arg, result);
}

/* ---- what there is one of ---- */

/* As the kernel tells it, 20 less the nice value. */
int linux_getpriority(const uint64_t arg[6], uint64_t *result) {
    *result = 20;
    return 0;
}
