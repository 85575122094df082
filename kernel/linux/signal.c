/* Signals that are read from a file, and signals with a value. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/signal.h"
#include "vfs/descriptor.h"
#include "vfs/signalfile.h"

/* ---- signalfd ---- */

static int make(void *ctx, struct file **out) {
    const uint64_t *set = ctx;
    return signal_file_create(*set, out);
}

static int change(struct file *f, const uint64_t arg[6], uint64_t *result) {
    *result = (uint32_t)arg[0];
    return signal_file_set(f, arg[1]);
}

int linux_signalfd4(const uint64_t arg[6], uint64_t *result) {
    uint64_t set;
    uint32_t flags = (uint32_t)arg[3];
    if (arg[2] != sizeof(set) || (flags & ~(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)))
        return -K_EINVAL;
    int err = copyin(&set, UA(arg[1]), sizeof(set));
    if (err)
        return err;
    if ((int32_t)arg[0] == -1)
        return linux_open_made(make, &set, flags, result);
    const uint64_t other[6] = {arg[0], set};
    return fd_call(change, other, result);
}

/* ---- signals with a value ---- */

/* What a program may say of another's signal: that a program has sent it. */
static bool may_say(int32_t code, int32_t pid) {
    return (code < 0 && code != ABI_SI_TKILL) || pid == proc_self()->pid;
}

int linux_send_info(int32_t pid, int32_t tid, int32_t signal, uint64_t address) {
    struct abi_siginfo info;
    int err = copyin(&info, UA(address), sizeof(info));
    if (err)
        return err;
    return may_say(info.code, pid) ? signal_send_value(pid, tid, signal, info.code, info.u.room[1])
                                   : -K_EPERM;
}

int linux_rt_sigqueueinfo(const uint64_t arg[6], uint64_t *result) {
    return linux_send_info((int32_t)arg[0], 0, (int32_t)arg[1], arg[2]);
}

int linux_rt_tgsigqueueinfo(const uint64_t arg[6], uint64_t *result) {
    if ((int32_t)arg[0] <= 0 || (int32_t)arg[1] <= 0)
        return -K_EINVAL;
    return linux_send_info((int32_t)arg[0], (int32_t)arg[1], (int32_t)arg[2], arg[3]);
}
