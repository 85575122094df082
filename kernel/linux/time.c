/* Time, and waiting. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/signal.h"
#include "syscall/syscall.h"

enum clocks {
    REALTIME,
    MONOTONIC,
    PROCESS_CPUTIME,
    THREAD_CPUTIME,
    MONOTONIC_RAW,
    REALTIME_COARSE,
    MONOTONIC_COARSE,
    BOOTTIME,
};

/* A negative number: ~pid << 3, and which time. That of a thread is asked for by its own process.
 */
#define OF_THREAD 4
#define WHICH 3
#define OF_FILE 3 /* of WHICH: a device that is a clock, of which there are none */

static int read_run_clock(int32_t clock, uint64_t *now) {
    int32_t pid = ~(clock >> 3);
    if ((clock & WHICH) == OF_FILE)
        return -K_EINVAL;
    int err = clock & OF_THREAD ? usage_of_thread(pid, now) : usage_of_process(pid, now);
    *now = err ? 0 : linux_time_used(*now);
    return err ? -K_EINVAL : 0;
}

static int read_clock(uint64_t clock, uint64_t *now) {
    if ((int32_t)clock < 0)
        return read_run_clock((int32_t)clock, now);
    switch ((int32_t)clock) {
    case REALTIME:
    case REALTIME_COARSE: *now = clock_date(); return 0;
    case MONOTONIC:
    case MONOTONIC_RAW:
    case MONOTONIC_COARSE:
    case BOOTTIME: *now = clock_nanoseconds(); return 0;
    case PROCESS_CPUTIME: *now = linux_time_used(usage_self().time); return 0;
    case THREAD_CPUTIME: *now = linux_time_used(usage_thread_time()); return 0;
    default: return -K_EINVAL;
    }
}

int linux_tell_time(uint64_t address, uint64_t nanoseconds) {
    struct linux_timespec t = {(int64_t)(nanoseconds / SECOND), (int64_t)(nanoseconds % SECOND)};
    return copyout(UA(address), &t, sizeof(t));
}

int linux_clock_gettime(const uint64_t arg[6], uint64_t *result) {
    uint64_t now;
    int err = read_clock(arg[0], &now);
    return err ? err : linux_tell_time(arg[1], now);
}

#define RESOLUTION 1 /* nanosecond: they are told so */

int linux_clock_getres(const uint64_t arg[6], uint64_t *result) {
    uint64_t now;
    int err = read_clock(arg[0], &now);
    return err || !arg[1] ? err : linux_tell_time(arg[1], RESOLUTION);
}

/* The date is the machine's: nobody sets it. */
int linux_clock_settime(const uint64_t arg[6], uint64_t *result) {
    uint64_t time;
    int err = linux_time(arg[1], &time);
    return err ? err : (int32_t)arg[0] == REALTIME ? -K_EPERM : -K_EINVAL;
}

int linux_settimeofday(const uint64_t arg[6], uint64_t *result) { return -K_EPERM; }

/* The time zone is that of the date. */
int linux_gettimeofday(const uint64_t arg[6], uint64_t *result) {
    static const int32_t zone[2];
    uint64_t now = clock_date();
    const int64_t told[2] = {(int64_t)(now / SECOND), (int64_t)(now % SECOND / 1000)};
    int err = arg[0] ? copyout(UA(arg[0]), told, sizeof(told)) : 0;
    return err || !arg[1] ? err : copyout(UA(arg[1]), zone, sizeof(zone));
}

int linux_nanoseconds(const struct linux_timespec *t, uint64_t *nanoseconds) {
    if (t->sec < 0 || t->nsec < 0 || t->nsec >= (int64_t)SECOND)
        return -K_EINVAL;
    bool fits = (uint64_t)t->sec < UINT64_MAX / SECOND;
    *nanoseconds = fits ? (uint64_t)t->sec * SECOND + (uint64_t)t->nsec : UINT64_MAX;
    return 0;
}

int linux_time(uint64_t address, uint64_t *nanoseconds) {
    struct linux_timespec t;
    int err = copyin(&t, UA(address), sizeof(t));
    if (err)
        return err;
    return linux_nanoseconds(&t, nanoseconds);
}

/* ---- sleeping ---- */

/* Until a time has passed. -K_EINTR: *left: what is left of it. */
static int sleep_for(uint64_t nanoseconds, uint64_t *left) {
    uint64_t began = clock_nanoseconds();
    int err = proc_sleep_until(signal_resume_until(clock_after(nanoseconds)));
    uint64_t slept = clock_nanoseconds() - began;
    *left = slept < nanoseconds ? nanoseconds - slept : 0;
    return err;
}

static int sleep_and_tell(uint64_t nanoseconds, uint64_t told) {
    uint64_t left;
    int err = sleep_for(nanoseconds, &left);
    int none = err == -K_EINTR && told ? linux_tell_time(told, left) : 0;
    return none ? none : err;
}

int linux_nanosleep(const uint64_t arg[6], uint64_t *result) {
    uint64_t time;
    int err = linux_time(arg[0], &time);
    return err ? err : sleep_and_tell(time, arg[1]);
}

#define TIMER_ABSTIME 1

int linux_clock_nanosleep(const uint64_t arg[6], uint64_t *result) {
    uint64_t time, now;
    int err = linux_time(arg[2], &time);
    if (!err)
        err = read_clock(arg[0], &now);
    if (err)
        return err;
    if (!(arg[1] & TIMER_ABSTIME))
        return sleep_and_tell(time, arg[3]);
    if (time <= now) {
        (void)signal_resume_until(0); /* it may be done again: then that was its end */
        return 0;
    }
    return sleep_and_tell(time - now, 0);
}

/* ---- timers ---- */

int linux_getitimer(const uint64_t arg[6], uint64_t *result) {
    const uint64_t ours[6] = {arg[0], 0, arg[1]};
    return arg[1] ? sys_setitimer(ours, result) : -K_EFAULT;
}
