/* What processes have used, and waiting for children, which tells it. All time is the program's
 * own: what the kernel has done for it is not counted apart. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/proc.h"
#include "syscall/syscall.h"

#define CENTISECOND 10000000UL

uint64_t linux_time_used(uint64_t ticks) { return clock_microseconds(ticks) * 1000; }

struct linux_rusage {
    uint64_t user_sec, user_usec, system_sec, system_usec;
    uint64_t peak; /* KiB */
    uint64_t sizes[3], faults, disk_faults, others[8];
};
_Static_assert(sizeof(struct linux_rusage) == 144, "struct rusage");

static int tell(uint64_t address, const struct usage *used) {
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
    return tell(arg[1], &used);
}

int linux_times(const uint64_t arg[6], uint64_t *result) {
    const uint64_t used[4] = {linux_time_used(usage_self().time) / CENTISECOND, 0,
                              linux_time_used(usage_children().time) / CENTISECOND, 0};
    *result = clock_nanoseconds() / CENTISECOND;
    return arg[0] ? copyout(UA(arg[0]), used, sizeof(used)) : 0;
}

/* ---- waiting for children ---- */

#define WAIT_FLAGS (ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED)
#define WAIT_ALL 0xe0000000 /* __WALL and its kin: all children are alike */

static int tell_news(const struct child_news *news, uint64_t word, uint64_t usage) {
    int err = word ? copyout(UA(word), &news->word, sizeof(news->word)) : 0;
    return err || !usage ? err : tell(usage, &news->used);
}

int linux_wait4(const uint64_t arg[6], uint64_t *result) {
    struct child_news news;
    uint32_t options = (uint32_t)arg[2];
    if (options & ~(uint32_t)(WAIT_FLAGS | WAIT_ALL))
        return -K_EINVAL;
    int err = proc_wait((int32_t)arg[0], options & WAIT_FLAGS, &news);
    if (err || !news.child)
        return err;
    err = tell_news(&news, arg[1], arg[3]);
    return syscall_end_wait(&news, err, result);
}
