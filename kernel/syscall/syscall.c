/* The table of system calls. */
#include "syscall/syscall.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "proc/proc.h"

#define CALL(number, type, name, arguments, error) [number] = sys_##name,
const syscall_fn syscall_table[SYSCALL_END] = {
#include "lib/calls.def"
};

int syscall_unknown(void) {
    struct proc *p = proc_self();
    kprintf("%d %s: unknown sys call %d\n", p->pid, p->name, (int)p->tf->a7);
    return -K_ENOSYS;
}
