/* System calls about threads. */
#include "vfs/descriptor.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/signal.h"
#include "syscall/syscall.h"

int sys_thread_create(const uint64_t arg[6], uint64_t *result) {
    int32_t tid;
    fd_share();
    int err = thread_create(arg[0], arg[1], arg[2], arg[3], &tid);
    if (!err)
        *result = tid;
    return err;
}

/* Whoever waits for the word may reuse the thread's stack: it does not run in user mode again. A
 * word that cannot be written is the program's mistake, and nobody is left to be told. */
int sys_thread_exit(const uint64_t arg[6], uint64_t *result) {
    static const uint32_t gone = 0;
    uint32_t woken;
    if (arg[0] && !copyout(UA(arg[0]), &gone, sizeof(gone)))
        (void)!futex_wake(UA(arg[0]), UINT32_MAX, FUTEX_ALL, &woken);
    thread_exit(0);
}

int sys_thread_self(const uint64_t arg[6], uint64_t *result) {
    *result = thread_self()->tid;
    return 0;
}

int sys_futex_wait(const uint64_t arg[6], uint64_t *result) {
    uint64_t until = arg[2] == UINT64_MAX ? UINT64_MAX : signal_resume_until(clock_after(arg[2]));
    return futex_wait(UA(arg[0]), (uint32_t)arg[1], FUTEX_ALL, until);
}

int sys_futex_wake(const uint64_t arg[6], uint64_t *result) {
    uint32_t woken;
    int err = futex_wake(UA(arg[0]), (uint32_t)arg[1], FUTEX_ALL, &woken);
    *result = woken;
    return err;
}

int sys_yield(const uint64_t arg[6], uint64_t *result) {
    thread_yield();
    return 0;
}
