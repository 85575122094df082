/* The system calls, made of the list in lib/calls.def. sys_NAME is the call and nothing else;
 * NAME sets errno after -1, or after
 * what a TELLING call says. A call has its arguments where the C call already has them, in a0 to
 * a5, and changes no other register. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

int errno;

#define NAKED __attribute__((naked))
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

#define CALL(number, type, name, arguments, error) \
    NAKED type sys_##name arguments { __asm__("li a7, " #number "\n\tecall\n\tret"); }
#include "lib/calls.def"

/* Where a call goes on that has returned -1. */
__attribute__((used)) static long system_call_failed(long value, int error) {
    errno = error;
    return value;
}

#define CALL(number, type, name, arguments, error) \
    NAKED type name arguments { \
        __asm__("li a7, " #number "\n\tecall\n\tli t0, -1\n\tbeq a0, t0, 1f\n\tret\n" \
                "1:\tli a1, " TEXT(error) "\n\ttail system_call_failed"); \
    }
#define WRAPPED(...)
/* From -4095 on it is an error: errno is the number. */
#define TELLING(number, type, name, arguments, error) \
    NAKED type name arguments { \
        __asm__("li a7, " #number "\n\tecall\n\tli t0, -4096\n\tbltu t0, a0, 1f\n\tret\n" \
                "1:\tneg a1, a0\n\tli a0, -1\n\ttail system_call_failed"); \
    }
#include "lib/calls.def"

static long result(long value, int error) {
    return value == -1 ? system_call_failed(value, error) : value;
}

int sleep_ticks(int ticks) { return (int)result(sys_sleep(ticks), EINTR); }

int mkdir(const char *path, ...) { return (int)result(sys_mkdir(path), EIO); }

int open(const char *path, int flags, ...) {
    return (int)result(sys_open(path, flags), flags & O_CREATE ? EIO : ENOENT);
}

static void *move_break(intptr_t increment, int how) {
    if (increment > INT_MAX || increment < INT_MIN) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return (void *)result((long)sys_sbrk(increment, how), ENOMEM);
}

void *sbrk(intptr_t increment) { return move_break(increment, ABI_SBRK_EAGER); }
void *sbrklazy(intptr_t increment) { return move_break(increment, ABI_SBRK_LAZY); }

void _exit(int status) { sys_exit(status); }

void _Exit(int status) { _exit(status); }
