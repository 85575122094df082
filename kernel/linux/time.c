/* Time, and waiting. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/signal.h"
#include "syscall/syscall.h"

/* A negative number: ~id << 3, and which time. */
#define OF_THREAD 4
#define WHICH 3
#define OF_FILE 3 /* of WHICH: a device that is a clock, of which there are none */

int linux_run_clock(int32_t clock, struct linux_run_clock *out) {
    *out = (struct linux_run_clock){~(clock >> 3), (clock & OF_THREAD) != 0};
    return (clock & WHICH) == OF_FILE ? -K_EINVAL : 0;
}

/* That of a thread is asked for by its own process. */
static int read_run_clock(int32_t clock, uint64_t *now) {
    struct linux_run_clock c;
    int err = linux_run_clock(clock, &c);
    if (!err)
        err = c.of_thread ? usage_of_thread(c.id, now) : usage_of_process(c.id, now);
    *now = err ? 0 : linux_time_used(*now);
    return err ? -K_EINVAL : 0;
}

static int read_clock(uint64_t clock, uint64_t *now) {
    if ((int32_t)clock < 0)
        return read_run_clock((int32_t)clock, now);
    switch ((int32_t)clock) {
    case LINUX_REALTIME:
    case LINUX_REALTIME_COARSE: *now = clock_date(); return 0;
    case LINUX_MONOTONIC:
    case LINUX_MONOTONIC_RAW:
    case LINUX_MONOTONIC_COARSE:
    case LINUX_BOOTTIME: *now = clock_nanoseconds(); return 0;
    case LINUX_PROCESS_CPUTIME: *now = linux_time_used(usage_self().time); return 0;
    case LINUX_THREAD_CPUTIME: *now = linux_time_used(usage_thread_time()); return 0;
    default: return -K_EINVAL;
    }
}

static struct linux_timespec time_of(uint64_t nanoseconds) {
    return (struct linux_timespec){(int64_t)(nanoseconds / SECOND),
                                   (int64_t)(nanoseconds % SECOND)};
}

int linux_tell_time(uint64_t address, uint64_t nanoseconds) {
    struct linux_timespec t = time_of(nanoseconds);
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
    return err ? err : (int32_t)arg[0] == LINUX_REALTIME ? -K_EPERM : -K_EINVAL;
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

struct itimerspec {
    struct linux_timespec every, first;
};

int linux_timer_setting(uint64_t address, struct timer_setting *s) {
    struct itimerspec spec;
    int err = copyin(&spec, UA(address), sizeof(spec));
    if (!err)
        err = linux_nanoseconds(&spec.every, &s->every);
    return err ? err : linux_nanoseconds(&spec.first, &s->first);
}

int linux_tell_timer_setting(const struct timer_setting *s, uint64_t address) {
    struct itimerspec spec = {time_of(s->every), time_of(s->first)};
    return copyout(UA(address), &spec, sizeof(spec));
}

int linux_getitimer(const uint64_t arg[6], uint64_t *result) {
    const uint64_t ours[6] = {arg[0], 0, arg[1]};
    return arg[1] ? sys_setitimer(ours, result) : -K_EFAULT;
}
