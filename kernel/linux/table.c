/* Linux's calls by number, errors as it tells them, and the trace of them. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "linux/linux.h"
#include "mm/sigpage.h"
#include "proc/proc.h"
#include "proc/signal.h"
#include "syscall/syscall.h"

static uint64_t tell_error(const struct trapframe *tf, int err) {
    signal_call_failed(err);
    return (uint64_t)(int64_t)err;
}

static int missing(const uint64_t arg[6], uint64_t *result) { return -K_ENOSYS; }

#define CALL(number, name, handler) CALL_##name = (number),
enum {
#include "linux/calls.def"
};
#undef CALL

static enum after_signal after_signal(const struct trapframe *tf) {
    switch (tf->a7) {
    case CALL_rt_sigsuspend: return AFTER_SIGNAL_ENDS;
    case CALL_rt_sigtimedwait: return tf->a2 ? AFTER_SIGNAL_ENDS_TIMED : AFTER_SIGNAL_ENDS;
    case CALL_msgsnd:
    case CALL_msgrcv:
    case CALL_semop: return AFTER_SIGNAL_ENDS;
    case CALL_semtimedop:
    case CALL_nanosleep:
    case CALL_clock_nanosleep:
    case CALL_ppoll:
    case CALL_epoll_pwait:
    case CALL_epoll_pwait2:
    case CALL_pselect6: return AFTER_SIGNAL_ENDS_TIMED;
    case CALL_futex:
        if (linux_futex_locks(tf->a1))
            return AFTER_SIGNAL_GOES_ON;
        return tf->a3 ? AFTER_SIGNAL_ENDS_TIMED : AFTER_SIGNAL_AGAIN;
    default: return AFTER_SIGNAL_AGAIN;
    }
}

#define CALL(number, name, handler) char name[(number) + 1];
union numbers {
#include "linux/calls.def"
};
#undef CALL

#define CALL(number, name, handler) [number] = (handler),
static const struct interface interface_linux = {
    .end = sizeof(union numbers),
    .other = missing,
    .error = tell_error,
    .after_signal = after_signal,
    .pipe_ends = true,
    .signal_return = SIGNAL_RETURN_LINUX,
    .table =
        {
#include "linux/calls.def"
        },
};
#undef CALL

/* ---- trace ---- */

#define CALL(number, name, handler) [number] = #name,
static const char *const names[] = {
#include "linux/calls.def"
};
#undef CALL

static void say(const char *what, const uint64_t arg[6], uint64_t number) {
    const struct proc *p = proc_self();
    char unknown[16];
    const char *name = number < ARRAY_LEN(names) ? names[number] : NULL;
    if (!name) {
        snprintf(unknown, sizeof(unknown), "call %lu", (unsigned long)number);
        name = unknown;
    }
    kprintf("[linux] %d %s: %s(0x%lx, 0x%lx, 0x%lx, 0x%lx)%s", p->pid, p->name, name,
            (unsigned long)arg[0], (unsigned long)arg[1], (unsigned long)arg[2],
            (unsigned long)arg[3], what);
}

static int traced(const uint64_t arg[6], uint64_t *result) {
    uint64_t number = thread_self()->tf->a7;
    const uint64_t before[6] = {arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]};
    syscall_fn fn = number < interface_linux.end ? interface_linux.table[number] : NULL;
    char end[40];
    if (number == CALL_exit || number == CALL_exit_group || number == CALL_rt_sigreturn)
        say("\n", arg, number); /* it does not come back, or as another */
    int err = fn ? fn(arg, result) : missing(arg, result);
    if (err)
        snprintf(end, sizeof(end), " = error %d\n", -err);
    else
        snprintf(end, sizeof(end), " = 0x%lx\n", (unsigned long)*result);
    if (number != CALL_rt_sigreturn)
        say(end, before, number);
    return err;
}

/* No number is in its table: all calls come to `traced`. */
static const struct interface interface_traced = {
    .other = traced,
    .error = tell_error,
    .after_signal = after_signal,
    .pipe_ends = true,
    .signal_return = SIGNAL_RETURN_LINUX,
};

void linux_init(bool trace) {
    linux_programs.interface = trace ? &interface_traced : &interface_linux;
    linux_vdso_init();
    linux_hwprobe_init();
    exec_add_foreign(&linux_programs);
}
