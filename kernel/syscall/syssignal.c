/* System calls about signals. */
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/sigpage.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/itimer.h"
#include "proc/signal.h"
#include "syscall/syscall.h"

int sys_sigsend(const uint64_t arg[6], uint64_t *result) {
    return signal_send((int32_t)arg[0], (int32_t)arg[1]);
}

int sys_thread_signal(const uint64_t arg[6], uint64_t *result) {
    return signal_send_thread(proc_self()->pid, (int32_t)arg[0], (int32_t)arg[1]);
}

/* ---- actions ---- */

static int map_page(uint64_t *page) {
    struct map_request r = {.bytes = PAGE_SIZE,
                            .place = MAP_HINT,
                            .object = &signal_page,
                            .prot = ABI_PROT_READ | ABI_PROT_EXEC,
                            .limit = ABI_PROT_READ | ABI_PROT_EXEC};
    return aspace_map(proc_self()->as, &r, page);
}

/* Of two threads that map the page, one has done it in vain. */
static int set_action(int32_t signal, const struct abi_sigaction *action) {
    bool handles = action->handler != ABI_SIG_DFL && action->handler != ABI_SIG_IGN;
    uint64_t page = 0;
    int err = handles && !signal_page_address() ? map_page(&page) : 0;
    if (err)
        return err;
    err = signal_set_action(signal, action, page);
    if (page && (err || signal_page_address() != page))
        (void)!aspace_unmap(proc_self()->as, page, page + PAGE_SIZE);
    return err;
}

int sys_sigaction(const uint64_t arg[6], uint64_t *result) {
    int32_t signal = (int32_t)arg[0];
    struct abi_sigaction action, old;
    bool sure = signal == ABI_SIGKILL || signal == ABI_SIGSTOP;
    if (!signal_exists(signal) || (arg[1] && sure))
        return -K_EINVAL;
    int err = arg[1] ? copyin(&action, UA(arg[1]), sizeof(action)) : 0;
    signal_get_action(signal, &old);
    if (!err && arg[2])
        err = copyout(UA(arg[2]), &old, sizeof(old));
    return err || !arg[1] ? err : set_action(signal, &action);
}

/* ---- masks ---- */

static uint64_t changed(uint64_t how, uint64_t old, uint64_t set) {
    return how == ABI_SIG_BLOCK ? old | set : how == ABI_SIG_UNBLOCK ? old & ~set : set;
}

int sys_sigprocmask(const uint64_t arg[6], uint64_t *result) {
    uint64_t set, old = thread_self()->signals.blocked;
    int err = arg[1] ? copyin(&set, UA(arg[1]), sizeof(set)) : 0;
    if (!err && arg[1] && arg[0] > ABI_SIG_SETMASK)
        err = -K_EINVAL;
    if (!err && arg[2])
        err = copyout(UA(arg[2]), &old, sizeof(old));
    return err || !arg[1] ? err : signal_block(changed(arg[0], old, set));
}

int sys_sigpending(const uint64_t arg[6], uint64_t *result) {
    uint64_t set = signal_pending();
    return copyout(UA(arg[0]), &set, sizeof(set));
}

int sys_sigsuspend(const uint64_t arg[6], uint64_t *result) {
    uint64_t mask;
    int err = copyin(&mask, UA(arg[0]), sizeof(mask));
    return err ? err : signal_suspend(mask);
}

/* ---- handlers ---- */

int sys_sigaltstack(const uint64_t arg[6], uint64_t *result) {
    struct abi_sigstack stack, old;
    int err = arg[0] ? copyin(&stack, UA(arg[0]), sizeof(stack)) : 0;
    signal_get_stack(&old);
    if (!err && arg[0] && (stack.flags & ~(uint32_t)ABI_SS_DISABLE))
        err = -K_EINVAL;
    if (!err && arg[0] && !stack.flags && stack.size < ABI_SIGSTACK_MIN)
        err = -K_ENOMEM;
    if (!err && arg[0])
        err = signal_set_stack(&stack);
    if (!err && arg[1])
        err = copyout(UA(arg[1]), &old, sizeof(old));
    return err;
}

int sys_sigreturn(const uint64_t arg[6], uint64_t *result) {
    signal_return();
    *result = thread_self()->tf->a0; /* as it was, like all registers */
    return 0;
}

/* ---- timers ---- */

#define MICROSECONDS 1000000

static bool is_span(int64_t seconds, int64_t us) {
    return seconds >= 0 && us >= 0 && us < MICROSECONDS;
}

/* In cpu_time; a span too long to be told is for ever. */
static uint64_t span(int64_t seconds, int64_t us) {
    if (seconds > UINT32_MAX)
        return INT64_MAX;
    return clock_span((uint64_t)seconds * MICROSECONDS + (uint64_t)us);
}

static struct abi_itimerval told(uint64_t first, uint64_t every) {
    uint64_t value = clock_microseconds(first), interval = clock_microseconds(every);
    return (struct abi_itimerval){.interval = (int64_t)(interval / MICROSECONDS),
                                  .interval_us = (int64_t)(interval % MICROSECONDS),
                                  .value = (int64_t)(value / MICROSECONDS),
                                  .value_us = (int64_t)(value % MICROSECONDS)};
}

int sys_setitimer(const uint64_t arg[6], uint64_t *result) {
    struct abi_itimerval v = {0};
    if (arg[0] > ABI_ITIMER_PROF)
        return -K_EINVAL;
    int err = arg[1] ? copyin(&v, UA(arg[1]), sizeof(v)) : 0;
    if (!err && !(is_span(v.value, v.value_us) && is_span(v.interval, v.interval_us)))
        err = -K_EINVAL;
    if (err)
        return err;
    uint64_t first = span(v.value, v.value_us), every = span(v.interval, v.interval_us);
    if (arg[1])
        itimer_set((unsigned)arg[0], &first, &every);
    else
        itimer_get((unsigned)arg[0], &first, &every);
    v = told(first, every);
    return arg[2] ? copyout(UA(arg[2]), &v, sizeof(v)) : 0;
}
