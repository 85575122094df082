/* What a thread asks of the kernel for itself: its end, its locks, signals for one. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/signal.h"

/* ---- the end ---- */

int linux_exit(const uint64_t arg[6], uint64_t *result) { thread_exit((int32_t)arg[0]); }

int linux_set_tid_address(const uint64_t arg[6], uint64_t *result) {
    struct thread *t = thread_self();
    t->end_words.cleared = arg[0];
    *result = (uint64_t)t->tid;
    return 0;
}

#define ROBUST_HEAD 24 /* bytes: see proc/endwords.h */

int linux_set_robust_list(const uint64_t arg[6], uint64_t *result) {
    if (arg[1] != ROBUST_HEAD)
        return -K_EINVAL;
    thread_self()->end_words.robust = arg[0];
    return 0;
}

/* Of the running thread alone. */
int linux_get_robust_list(const uint64_t arg[6], uint64_t *result) {
    static const uint64_t size = ROBUST_HEAD;
    const struct thread *t = thread_self();
    int32_t tid = (int32_t)arg[0];
    if (tid && tid != t->tid)
        return -K_EPERM;
    int err = copyout(UA(arg[2]), &size, sizeof(size));
    return err ? err : copyout(UA(arg[1]), &t->end_words.robust, sizeof(uint64_t));
}

/* ---- signals ---- */

int linux_tgkill(const uint64_t arg[6], uint64_t *result) {
    if ((int32_t)arg[0] <= 0 || (int32_t)arg[1] <= 0)
        return -K_EINVAL;
    return signal_send_thread((int32_t)arg[0], (int32_t)arg[1], (int32_t)arg[2]);
}

int linux_tkill(const uint64_t arg[6], uint64_t *result) {
    return (int32_t)arg[0] <= 0
               ? -K_EINVAL
               : signal_send_thread(proc_self()->pid, (int32_t)arg[0], (int32_t)arg[1]);
}

int linux_rt_sigtimedwait(const uint64_t arg[6], uint64_t *result) {
    uint64_t set, time, until = UINT64_MAX;
    struct abi_siginfo info;
    if (arg[3] != sizeof(set))
        return -K_EINVAL;
    int err = copyin(&set, UA(arg[0]), sizeof(set));
    if (!err && arg[2])
        err = linux_time(arg[2], &time);
    if (err)
        return err;
    if (arg[2])
        until = signal_resume_until(clock_after(time));
    err = signal_wait(set, until, &info);
    if (!err && arg[1])
        err = copyout(UA(arg[1]), &info, sizeof(info));
    *result = (uint64_t)info.signal;
    return err;
}
