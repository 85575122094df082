/* The system calls, made of the list in lib/calls.def. sys_NAME is the call and nothing else, by
 * xv6's number if it has one; NAME sets errno. A call has its arguments where the C call already
 * has them, in a0 to a5, and changes no other register. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <trellis.h>
#include <unistd.h>
#include "lock.h"

_Thread_local int errno;

#define NAKED __attribute__((naked))

#define CALL(number, type, name, arguments) \
    NAKED type sys_##name arguments { __asm__("li a7, " #number "\n\tecall\n\tret"); }
#include "lib/calls.def"

/* Where a call goes on that has failed, with the negative of the number. */
__attribute__((used)) static long system_call_failed(long answer) {
    errno = (int)-answer;
    return -1;
}

/* From -4095 on it is an error. */
#define SETS_ERRNO(type, name, arguments, number) \
    NAKED type name arguments { \
        __asm__("li a7, %0\n\tecall\n\tli t0, -4096\n\tbltu t0, a0, 1f\n\tret\n" \
                "1:\ttail system_call_failed" ::"i"(number)); \
    }
#define CALL(number, type, name, arguments) SETS_ERRNO(type, name, arguments, number)
#define XV6(number, type, name, arguments) SETS_ERRNO(type, name, arguments, TELLING_NUMBER(number))
#define WRAPPED(number, type, name, arguments) \
    SETS_ERRNO(static __attribute__((unused)) type, call_##name, arguments, TELLING_NUMBER(number))
#define WRAPPED_OWN(number, type, name, arguments) \
    SETS_ERRNO(static type, call_##name, arguments, number)
#include "lib/calls.def"

/* Those of xv6 say less. */
pid_t wait(int *status) { return waitpid(-1, status, 0); }
int kill(pid_t pid, int signal) { return sigsend(pid, signal); }

int exec(const char *path, char *const argv[]) {
    return environ ? execve(path, argv, environ) : call_exec(path, argv);
}

pid_t fork(void) { return fork_hook ? fork_hook(call_fork) : call_fork(); }

int sleep_ticks(int ticks) { return call_sleep(ticks); }

int mkdir(const char *path, ...) { return call_mkdir(path); }

int open(const char *path, int flags, ...) { return call_open(path, flags); }

/* A command that needs no third argument does not look at it. */
int fcntl(int fd, int command, ...) {
    va_list ap;
    va_start(ap, command);
    long value = va_arg(ap, long);
    va_end(ap);
    return call_fcntl(fd, command, value);
}

void *mremap(void *addr, size_t old, size_t n, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    void *to = va_arg(ap, void *);
    va_end(ap);
    return call_mremap(addr, old, n, flags, to);
}

static void *move_break(intptr_t increment, int how) {
    if (increment > INT_MAX || increment < INT_MIN) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return call_sbrk(increment, how);
}

void *sbrk(intptr_t increment) { return move_break(increment, ABI_SBRK_EAGER); }
void *sbrklazy(intptr_t increment) { return move_break(increment, ABI_SBRK_LAZY); }

void _exit(int status) { call_exit(status); }

void _Exit(int status) { _exit(status); }
