/* Timers by number, which send signals. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "proc/ptimer.h"
#include "proc/signal.h"

enum { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 4 };

struct sigevent {
    uint64_t value;
    int32_t signal, notify, tid, unused[11];
};
_Static_assert(sizeof(struct sigevent) == 64, "struct sigevent");

/* That of a process or a thread, which must be the caller's. */
static int read_run_clock(int32_t clock, struct ptimer_wish *w) {
    struct linux_run_clock c;
    int err = linux_run_clock(clock, &c);
    if (err)
        return err;
    w->clock = c.of_thread ? PTIMER_OF_THREAD : PTIMER_OF_PROCESS;
    w->clock_tid = c.of_thread && !c.id ? thread_self()->tid : c.id;
    return c.of_thread || !c.id || c.id == proc_self()->pid ? 0 : -K_EINVAL;
}

static int read_clock(int32_t clock, struct ptimer_wish *w) {
    switch (clock) {
    case LINUX_REALTIME: w->clock = PTIMER_BY_DATE; return 0;
    case LINUX_MONOTONIC:
    case LINUX_BOOTTIME: w->clock = PTIMER_SINCE_BOOT; return 0;
    case LINUX_PROCESS_CPUTIME: w->clock = PTIMER_OF_PROCESS; return 0;
    case LINUX_THREAD_CPUTIME:
        w->clock = PTIMER_OF_THREAD;
        w->clock_tid = thread_self()->tid;
        return 0;
    case LINUX_MONOTONIC_RAW:
    case LINUX_REALTIME_COARSE:
    case LINUX_MONOTONIC_COARSE: return -K_ENOTSUP;
    default: return clock < 0 ? read_run_clock(clock, w) : -K_EINVAL;
    }
}

/* Who is told. The C library's SIGEV_THREAD is a thread of its own that waits for a signal; asked
 * for here, it is a signal for the process. */
static int read_event(uint64_t address, struct ptimer_wish *w) {
    struct sigevent e = {.signal = ABI_SIGALRM};
    int err = address ? copyin(&e, UA(address), sizeof(e)) : 0;
    if (err)
        return err;
    w->tells_number = !address;
    w->value = e.value;
    switch (e.notify) {
    case SIGEV_NONE: return 0;
    case SIGEV_THREAD_ID: w->tid = e.tid; break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD: break;
    default: return -K_EINVAL;
    }
    w->signal = e.signal;
    return signal_exists(e.signal) && (w->tid > 0 || e.notify != SIGEV_THREAD_ID) ? 0 : -K_EINVAL;
}

int linux_timer_create(const uint64_t arg[6], uint64_t *result) {
    struct ptimer_wish w = {0};
    int32_t id;
    int err = read_clock((int32_t)arg[0], &w);
    if (!err)
        err = read_event(arg[1], &w);
    if (!err)
        err = ptimer_make(&w, &id);
    if (err)
        return err;
    err = copyout(UA(arg[2]), &id, sizeof(id));
    if (err) /* nobody knows its number; another thread may have guessed it */
        (void)!ptimer_delete(id);
    return err;
}

#define TIMER_ABSTIME 1U

int linux_timer_settime(const uint64_t arg[6], uint64_t *result) {
    struct timer_setting s, before;
    int err = arg[2] ? linux_timer_setting(arg[2], &s) : -K_EINVAL;
    if (!err)
        err = ptimer_set((int32_t)arg[0], &s, (arg[1] & TIMER_ABSTIME) != 0, &before);
    return err || !arg[3] ? err : linux_tell_timer_setting(&before, arg[3]);
}

int linux_timer_gettime(const uint64_t arg[6], uint64_t *result) {
    struct timer_setting s;
    int err = ptimer_get((int32_t)arg[0], &s);
    return err ? err : linux_tell_timer_setting(&s, arg[1]);
}

int linux_timer_getoverrun(const uint64_t arg[6], uint64_t *result) {
    uint32_t n = 0;
    int err = ptimer_overruns((int32_t)arg[0], &n);
    *result = n;
    return err;
}

int linux_timer_delete(const uint64_t arg[6], uint64_t *result) {
    return ptimer_delete((int32_t)arg[0]);
}
