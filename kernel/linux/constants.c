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

/* ---- scheduling: one policy, SCHED_OTHER, in which all are alike ---- */

#define POLICIES 7
#define SCHED_FIFO 1
#define SCHED_RR 2

int linux_sched_getparam(const uint64_t arg[6], uint64_t *result) {
    static const int32_t priority = 0;
    return copyout(UA(arg[1]), &priority, sizeof(priority));
}

static int priority_of(uint64_t policy, uint64_t of_realtime, uint64_t *result) {
    if ((uint32_t)policy >= POLICIES)
        return -K_EINVAL;
    *result = policy == SCHED_FIFO || policy == SCHED_RR ? of_realtime : 0;
    return 0;
}

int linux_sched_get_priority_max(const uint64_t arg[6], uint64_t *result) {
    return priority_of(arg[0], 99, result);
}

int linux_sched_get_priority_min(const uint64_t arg[6], uint64_t *result) {
    return priority_of(arg[0], 1, result);
}

/* As the kernel tells it, 20 less the nice value. */
int linux_getpriority(const uint64_t arg[6], uint64_t *result) {
    *result = 20;
    return 0;
}

int linux_getcpu(const uint64_t arg[6], uint64_t *result) {
    static const uint32_t node = 0;
    uint32_t hart = hart_self()->index;
    int err = arg[0] ? copyout(UA(arg[0]), &hart, sizeof(hart)) : 0;
    return !err && arg[1] ? copyout(UA(arg[1]), &node, sizeof(node)) : err;
}
