/* The table of system calls. */
#include "syscall/syscall.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "proc/signal.h"
#include "syscall/unknown.h"

#define CALL(number, type, name, arguments) [number] = sys_##name,
#define XV6(number, type, name, arguments) \
    [number] = sys_##name, [TELLING_NUMBER(number)] = sys_##name,
const syscall_fn syscall_table[SYSCALL_END] = {
#include "lib/calls.def"
};

uint64_t syscall_error(const struct trapframe *tf, int err) {
    if (err == -K_EINTR)
        signal_interrupted();
    bool tells = tf->a7 >= SYSCALL_OWN && err != -K_ENOSYS;
    return tells ? (uint64_t)(int64_t)err : (uint64_t)-1;
}

int syscall_unknown(void) {
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
