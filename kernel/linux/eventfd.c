/* Open files that are there to be waited for: counters and timers. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "vfs/counterfile.h"
#include "vfs/descriptor.h"
#include "vfs/timerfile.h"

#define FILE_FLAGS (LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)

/* ---- eventfd ---- */

#define EFD_SEMAPHORE 1U

static int make_counter(void *ctx, struct file **out) {
    const uint64_t *arg = ctx;
    return counter_create((uint32_t)arg[0], (arg[1] & EFD_SEMAPHORE) != 0, out);
}

int linux_eventfd2(const uint64_t arg[6], uint64_t *result) {
    uint64_t of[2] = {arg[0], arg[1]};
    if ((uint32_t)arg[1] & ~(FILE_FLAGS | EFD_SEMAPHORE))
        return -K_EINVAL;
    return linux_open_made(make_counter, of, (uint32_t)arg[1] & FILE_FLAGS, result);
}

/* ---- timerfd ---- */

#define TFD_TIMER_ABSTIME 1U
#define TFD_TIMER_CANCEL_ON_SET 2U /* nobody sets the date */

static int make_timer(void *ctx, struct file **out) {
    const bool *by_date = ctx;
    return timer_file_create(*by_date, out);
}

int linux_timerfd_create(const uint64_t arg[6], uint64_t *result) {
    int32_t clock = (int32_t)arg[0];
    bool by_date = clock == LINUX_REALTIME;
    if (((uint32_t)arg[1] & ~FILE_FLAGS) ||
        (!by_date && clock != LINUX_MONOTONIC && clock != LINUX_BOOTTIME))
        return -K_EINVAL;
    return linux_open_made(make_timer, &by_date, (uint32_t)arg[1], result);
}

static int set_timer(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct timer_file *t = timer_file_of(f);
    struct timer_setting s;
    int err = linux_timer_setting(arg[2], &s);
    if (err)
        return err;
    if (!t || ((uint32_t)arg[1] & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
        return -K_EINVAL;
    struct timer_setting before = timer_file_get(t);
    if (arg[3])
        err = linux_tell_timer_setting(&before, arg[3]); /* before anything has changed */
    if (!err)
        timer_file_set(t, &s, (arg[1] & TFD_TIMER_ABSTIME) != 0);
    return err;
}

static int get_timer(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct timer_file *t = timer_file_of(f);
    if (!t)
        return -K_EINVAL;
    struct timer_setting s = timer_file_get(t);
    return linux_tell_timer_setting(&s, arg[1]);
}

int linux_timerfd_settime(const uint64_t arg[6], uint64_t *result) {
    return fd_call(set_timer, arg, result);
}

int linux_timerfd_gettime(const uint64_t arg[6], uint64_t *result) {
    return fd_call(get_timer, arg, result);
}
