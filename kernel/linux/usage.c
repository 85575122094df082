/* What processes have used. All time is the program's own: what the kernel has done for it is not
 * counted apart. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/proc.h"

#define CENTISECOND 10000000UL

uint64_t linux_time_used(uint64_t ticks) { return clock_microseconds(ticks) * 1000; }

struct linux_rusage {
    uint64_t user_sec, user_usec, system_sec, system_usec;
    uint64_t peak; /* KiB */
    uint64_t sizes[3], faults, disk_faults, others[8];
};
_Static_assert(sizeof(struct linux_rusage) == 144, "struct rusage");

int linux_tell_usage(uint64_t address, const struct usage *used) {
    uint64_t time = linux_time_used(used->time);
    const struct linux_rusage usage = {.user_sec = time / SECOND,
                                       .user_usec = time % SECOND / 1000,
                                       .peak = used->peak * (PAGE_SIZE / 1024),
                                       .faults = used->faults};
    return copyout(UA(address), &usage, sizeof(usage));
}

enum { OF_CHILDREN = -1, OF_SELF = 0, OF_THREAD = 1 };

int linux_getrusage(const uint64_t arg[6], uint64_t *result) {
    struct usage used = {0};
    switch ((int32_t)arg[0]) {
    case OF_CHILDREN: used = usage_children(); break;
    case OF_SELF: used = usage_self(); break;
    case OF_THREAD: used.time = usage_thread_time(); break;
    default: return -K_EINVAL;
    }
    return linux_tell_usage(arg[1], &used);
}

int linux_times(const uint64_t arg[6], uint64_t *result) {
    const uint64_t used[4] = {linux_time_used(usage_self().time) / CENTISECOND, 0,
                              linux_time_used(usage_children().time) / CENTISECOND, 0};
    *result = clock_nanoseconds() / CENTISECOND;
    return arg[0] ? copyout(UA(arg[0]), used, sizeof(used)) : 0;
}
