/* What programs ask of the machine. */
#include "dev/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/limits.h"
#include "proc/proc.h"

/* ---- names ---- */

#define NAME_BYTES 65 /* with its end */
enum { HOST = 1, DOMAIN = 5 };

/* What the system is called; two of them may be set, and are read under the lock. */
static char names[6][NAME_BYTES] = {"Linux",   "trellis", "6.6.0-trellis",
                                    "Trellis", "riscv64", "(none)"};
static struct spinlock names_lock = SPINLOCK_INIT(RANK_SYSTEM_NAMES);

int linux_uname(const uint64_t arg[6], uint64_t *result) {
    char now[6][NAME_BYTES];
    spin_lock(&names_lock);
    memcpy(now, names, sizeof(now));
    spin_unlock(&names_lock);
    return copyout(UA(arg[0]), now, sizeof(now));
}

static int set_name(unsigned which, const uint64_t arg[6]) {
    char name[NAME_BYTES] = "";
    if ((uint32_t)arg[1] >= NAME_BYTES)
        return -K_EINVAL;
    int err = copyin(name, UA(arg[0]), (uint32_t)arg[1]);
    if (err)
        return err;
    spin_lock(&names_lock);
    memcpy(names[which], name, sizeof(name));
    spin_unlock(&names_lock);
    return 0;
}

int linux_sethostname(const uint64_t arg[6], uint64_t *result) { return set_name(HOST, arg); }
int linux_setdomainname(const uint64_t arg[6], uint64_t *result) { return set_name(DOMAIN, arg); }

struct linux_sysinfo {
    int64_t uptime;
    uint64_t loads[3], ram, free_ram, shared_ram, buffer_ram, swap, free_swap;
    uint16_t procs, pad;
    uint64_t high, free_high;
    uint32_t unit;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");

int linux_sysinfo(const uint64_t arg[6], uint64_t *result) {
    struct linux_sysinfo info;
    struct frame_stats frames;
    frame_stats(&frames);
    memset(&info, 0, sizeof(info));
    info.uptime = (int64_t)(clock_nanoseconds() / 1000000000);
    info.ram = frames.total;
    info.free_ram = frames.free;
    info.buffer_ram = frames.cached;
    info.procs = (uint16_t)proc_count();
    info.unit = PAGE_SIZE;
    return copyout(UA(arg[0]), &info, sizeof(info));
}

int linux_prlimit64(const uint64_t arg[6], uint64_t *result) {
    struct limit set, old;
    int err = arg[2] ? copyin(&set, UA(arg[2]), sizeof(set)) : 0;
    if (!err)
        err = limit_change((int32_t)arg[0], (unsigned)arg[1], arg[2] ? &set : NULL, &old);
    return err || !arg[3] ? err : copyout(UA(arg[3]), &old, sizeof(old));
}

int linux_getrlimit(const uint64_t arg[6], uint64_t *result) {
    const uint64_t newer[6] = {0, arg[0], 0, arg[1]};
    return arg[1] ? linux_prlimit64(newer, result) : -K_EFAULT;
}

int linux_setrlimit(const uint64_t arg[6], uint64_t *result) {
    const uint64_t newer[6] = {0, arg[0], arg[1], 0};
    return arg[1] ? linux_prlimit64(newer, result) : -K_EFAULT;
}

/* ---- random bytes ---- */

int linux_getrandom(const uint64_t arg[6], uint64_t *result) {
    char bytes[256];
    uint64_t most = MIN(arg[1], MIB(1)); /* as other calls, it may do less than all */
    while (*result < most) {
        size_t part = MIN(most - *result, sizeof(bytes));
        random_bytes(bytes, part);
        int err = copyout(UA(arg[0] + *result), bytes, part);
        if (err)
            return *result ? 0 : err;
        *result += part;
    }
    return 0;
}
