/* The table of system calls. */
#include "syscall/syscall.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "proc/proc.h"
#include "syscall/exec.h"
#include "syscall/sysfile.h"
#include "syscall/sysproc.h"

#define CALL(name) [SYS_##name] = sys_##name

static const syscall_fn calls[] = {
    CALL(fork), CALL(exit), CALL(wait), CALL(pipe), CALL(read), CALL(kill), CALL(exec),
    CALL(fstat), CALL(chdir), CALL(dup), CALL(getpid), CALL(sbrk), CALL(sleep), CALL(uptime),
    CALL(open), CALL(write), CALL(mknod), CALL(unlink), CALL(link), CALL(mkdir), CALL(close),
    CALL(poweroff), CALL(sysinfo), CALL(procinfo), CALL(lseek), CALL(vmprint), CALL(ftruncate),
    CALL(rename),
};

static syscall_fn find(uint64_t number) {
    return number < ARRAY_LEN(calls) ? calls[number] : NULL;
}

void syscall_do(struct trapframe *tf) {
    uint64_t result = 0;
    syscall_fn fn = find(tf->a7);
    if (!fn) {
        struct proc *p = proc_self();
        kprintf("%d %s: unknown sys call %d\n", p->pid, p->name, (int)tf->a7);
        tf->a0 = -1;
        return;
    }
    int err = fn(&tf->a0, &result);
    tf->a0 = err ? (uint64_t)-1 : result;
}
