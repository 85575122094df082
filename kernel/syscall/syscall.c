/* The interface of xv6's programs and ours. */
#include "syscall/syscall.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/sigpage.h"
#include "proc/signal.h"
#include "syscall/unknown.h"

static uint64_t tell_error(const struct trapframe *tf, int err) {
    signal_call_failed(err);
    bool tells = tf->a7 >= SYSCALL_OWN && err != -K_ENOSYS;
    return tells ? (uint64_t)(int64_t)err : (uint64_t)-1;
}

static int unknown(const uint64_t arg[6], uint64_t *result) {
    const struct proc *p = proc_self();
    int32_t number = (int32_t)thread_self()->tf->a7;
    enum unknown_call what = unknown_call_note(p->name, number);
    if (what != UNKNOWN_KNOWN)
        kprintf("%d %s: unknown sys call %d\n", p->pid, p->name, number);
    if (what == UNKNOWN_LAST)
        kprintf("Trellis: %d different unknown calls have been told; others will not be\n",
                UNKNOWN_CALLS);
    return -K_ENOSYS;
}

static enum after_signal after_signal(const struct trapframe *tf) {
    switch (tf->a7) {
    case SYS_sigsuspend: return AFTER_SIGNAL_ENDS;
    case SYS_sleep:
    case TELLING_NUMBER(SYS_sleep): return AFTER_SIGNAL_ENDS_TIMED;
    case SYS_futex_wait: return tf->a2 != UINT64_MAX ? AFTER_SIGNAL_ENDS_TIMED : AFTER_SIGNAL_AGAIN;
    default: return AFTER_SIGNAL_AGAIN;
    }
}

#define CALL(number, type, name, arguments) [number] = sys_##name,
#define XV6(number, type, name, arguments) \
    [number] = sys_##name, [TELLING_NUMBER(number)] = sys_##name,
const struct interface interface_own = {
    .end = SYSCALL_END,
    .other = unknown,
    .error = tell_error,
    .after_signal = after_signal,
    .signal_return = SIGNAL_RETURN_OWN,
    .table =
        {
#include "lib/calls.def"
        },
};
