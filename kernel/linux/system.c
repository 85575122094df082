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
#include "syscall/syscall.h"

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

/* ---- the end ---- */

#define REBOOT_FIRST 0xfee1deadU
static const uint32_t reboot_second[] = {672274793, 85072278, 369367448, 537993216};

enum reboot_command {
    RESTART = 0x01234567,
    RESTART_WITH = (int)0xa1b2c3d4, /* a word for the firmware */
    HALT = (int)0xcdef0123,
    POWER_OFF = 0x4321fedc,
    CTRL_ALT_DEL_ON = (int)0x89abcdef,
    CTRL_ALT_DEL_OFF = 0,
};

int linux_reboot(const uint64_t arg[6], uint64_t *result) {
    static const uint64_t well[6];
    bool meant = false;
    for (unsigned i = 0; i < ARRAY_LEN(reboot_second); i++)
        meant |= (uint32_t)arg[1] == reboot_second[i];
    if (!meant || (uint32_t)arg[0] != REBOOT_FIRST)
        return -K_EINVAL;
    switch ((int32_t)arg[2]) {
    case RESTART:
    case RESTART_WITH: sys_restart();
    case HALT:
    case POWER_OFF: return sys_poweroff(well, result);
    case CTRL_ALT_DEL_ON: /* there is no such key */
    case CTRL_ALT_DEL_OFF: return 0;
    default: return -K_EINVAL;
    }
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
