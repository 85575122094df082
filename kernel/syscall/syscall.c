/* The table of system calls. */
#include "syscall/syscall.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "proc/proc.h"
#include "syscall/exec.h"
#include "syscall/sysfile.h"
#include "syscall/sysproc.h"
#include "syscall/sysvm.h"

#define CALL(name) [SYS_##name] = sys_##name

const syscall_fn syscall_table[SYSCALL_END] = {
    CALL(fork),  CALL(exit),    CALL(wait),      CALL(pipe),     CALL(read),    CALL(kill),
    CALL(exec),  CALL(fstat),   CALL(chdir),     CALL(dup),      CALL(getpid),  CALL(sbrk),
    CALL(sleep), CALL(uptime),  CALL(open),      CALL(write),    CALL(mknod),   CALL(unlink),
    CALL(link),  CALL(mkdir),   CALL(close),     CALL(poweroff), CALL(sysinfo), CALL(procinfo),
    CALL(lseek), CALL(vmprint), CALL(ftruncate), CALL(rename),   CALL(vmtable), CALL(vmregions),
};

int syscall_unknown(void) {
    struct proc *p = proc_self();
    kprintf("%d %s: unknown sys call %d\n", p->pid, p->name, (int)p->tf->a7);
    return -K_ENOSYS;
}
