/* On which harts a thread runs, and how it is scheduled. There is one way to schedule,
 * Linux's SCHED_OTHER with priority 0, and every thread runs on any hart: what says so is
 * accepted. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/proc.h"

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define POLICIES 7

/* Of the running process, or another one: that is alike. -K_ESRCH is not told. */
static int check_who(uint64_t pid) { return (int32_t)pid < 0 ? -K_EINVAL : 0; }

/* ---- harts ---- */

uint64_t linux_harts(void) { return (2UL << (hart_count - 1)) - 1; }

/* One bit for each hart; the result is how many bytes there are. */
int linux_sched_getaffinity(const uint64_t arg[6], uint64_t *result) {
    uint64_t mask = linux_harts();
    int err = check_who(arg[0]);
    if (err)
        return err;
    if (arg[1] < sizeof(mask) || arg[1] % sizeof(mask))
        return -K_EINVAL;
    *result = sizeof(mask);
    return copyout(UA(arg[2]), &mask, sizeof(mask));
}

/* A set with none of the harts is refused. */
int linux_sched_setaffinity(const uint64_t arg[6], uint64_t *result) {
    uint64_t mask = 0;
    int err = check_who(arg[0]);
    if (!err)
        err = copyin(&mask, UA(arg[2]), MIN(arg[1], sizeof(mask)));
    return err ? err : mask & linux_harts() ? 0 : -K_EINVAL;
}

int linux_getcpu(const uint64_t arg[6], uint64_t *result) {
    uint32_t hart = hart_self()->index, node = 0;
    int err = arg[0] ? copyout(UA(arg[0]), &hart, sizeof(hart)) : 0;
    return err || !arg[1] ? err : copyout(UA(arg[1]), &node, sizeof(node));
}

/* ---- priorities ---- */

int linux_sched_getscheduler(const uint64_t arg[6], uint64_t *result) { return check_who(arg[0]); }

int linux_sched_getparam(const uint64_t arg[6], uint64_t *result) {
    int32_t priority = 0;
    int err = check_who(arg[0]);
    return err ? err : copyout(UA(arg[1]), &priority, sizeof(priority));
}

static int set_priority(uint64_t pid, uint64_t param) {
    int32_t priority;
    int err = check_who(pid);
    if (!err)
        err = copyin(&priority, UA(param), sizeof(priority));
    return err ? err : priority ? -K_EINVAL : 0;
}

int linux_sched_setparam(const uint64_t arg[6], uint64_t *result) {
    return set_priority(arg[0], arg[1]);
}

int linux_sched_setscheduler(const uint64_t arg[6], uint64_t *result) {
    return (int32_t)arg[1] == SCHED_OTHER ? set_priority(arg[0], arg[2]) : -K_EINVAL;
}

/* The first version of what it is, and what later ones have behind it is 0. */
struct sched_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct sched_attr) == 48, "SCHED_ATTR_SIZE_VER0");

int linux_sched_getattr(const uint64_t arg[6], uint64_t *result) {
    const struct sched_attr a = {.size = sizeof(a)};
    uint32_t size = (uint32_t)arg[2];
    int err = check_who(arg[0]);
    if (err || !arg[1] || size < sizeof(a) || size > PAGE_SIZE || (uint32_t)arg[3])
        return -K_EINVAL;
    return copyout(UA(arg[1]), &a, sizeof(a));
}

int linux_sched_setattr(const uint64_t arg[6], uint64_t *result) {
    static const uint32_t known = sizeof(struct sched_attr);
    struct sched_attr a;
    int err = check_who(arg[0]);
    if (err || !arg[1] || (uint32_t)arg[2])
        return -K_EINVAL;
    err = copyin(&a, UA(arg[1]), sizeof(a));
    if (err)
        return err;
    a.size = a.size ? a.size : known;
    err = a.size < known || a.size > PAGE_SIZE
              ? -K_E2BIG
              : linux_nothing_more(arg[1] + known, arg[1] + a.size);
    if (err == -K_E2BIG && copyout(UA(arg[1]), &known, sizeof(known)))
        return -K_EFAULT;
    return err ? err : a.policy != SCHED_OTHER || a.priority || a.flags ? -K_EINVAL : 0;
}

/* ---- of a disk's requests, which come one after the other ---- */

#define IOPRIO_WHO_ALL 3U /* a thread, a group, a user */
#define IOPRIO_CLASSES 3U
#define IOPRIO_LEVELS 8U

static bool is_who(uint64_t which) { return which - 1 < IOPRIO_WHO_ALL; }

/* 0: none was set. */
int linux_ioprio_get(const uint64_t arg[6], uint64_t *result) {
    return is_who((uint32_t)arg[0]) ? 0 : -K_EINVAL;
}

int linux_ioprio_set(const uint64_t arg[6], uint64_t *result) {
    uint32_t class = (uint32_t)arg[2] >> 13, level = (uint32_t)arg[2] & 0x1fff;
    bool none = class == 0 && level == 0;
    bool fits = none || (class > 0 && class <= IOPRIO_CLASSES && level < IOPRIO_LEVELS);
    return is_who((uint32_t)arg[0]) && fits ? 0 : -K_EINVAL;
}

/* ---- what is told of policies ---- */

static int priority_of(uint64_t policy, uint64_t of_realtime, uint64_t *result) {
    if ((uint32_t)policy >= POLICIES)
        return -K_EINVAL;
    *result = policy == SCHED_FIFO || policy == SCHED_RR ? of_realtime : 0;
    return 0;
}

/* What Linux tells of each policy, though there is only one. */
int linux_sched_get_priority_max(const uint64_t arg[6], uint64_t *result) {
    return priority_of(arg[0], 99, result);
}

int linux_sched_get_priority_min(const uint64_t arg[6], uint64_t *result) {
    return priority_of(arg[0], 1, result);
}

/* How long one runs before it is the next one's turn. */
int linux_sched_rr_get_interval(const uint64_t arg[6], uint64_t *result) {
    int err = check_who(arg[0]);
    return err ? err : linux_tell_time(arg[1], 1000000000 / SLICES_PER_SECOND);
}
