/* The system calls: one line each. The error column is what errno is set to
 * when the kernel says -1, since it does not say why: the likeliest reason, or
 * EIO where there are several. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

int errno;

_Static_assert(SYS_exit == 2 && SYS_sbrk == 12, "crt0.S has these");

static inline long ecall(long number, long a, long b, long c) {
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
}

static long result(long value, int error) {
    if (value == -1)
        errno = error;
    return value;
}

#define CALL0(type, name, error) \
    type name(void) { return (type)result(ecall(SYS_##name, 0, 0, 0), error); }
#define CALL1(type, name, a, error) \
    type name(a x) { return (type)result(ecall(SYS_##name, (long)x, 0, 0), error); }
#define CALL2(type, name, a, b, error) \
    type name(a x, b y) { return (type)result(ecall(SYS_##name, (long)x, (long)y, 0), error); }
#define CALL3(type, name, a, b, c, error) \
    type name(a x, b y, c z) { \
        return (type)result(ecall(SYS_##name, (long)x, (long)y, (long)z), error); \
    }

CALL0(pid_t, fork, EAGAIN)
CALL0(pid_t, getpid, ESRCH)
CALL0(int, uptime, ENOSYS)
CALL1(pid_t, wait, int *, ECHILD)
CALL1(int, pipe, int *, EMFILE)
CALL1(int, kill, pid_t, ESRCH)
CALL1(int, chdir, const char *, ENOENT)
CALL1(int, dup, int, EBADF)
CALL1(int, unlink, const char *, ENOENT)
CALL1(int, close, int, EBADF)
CALL1(int, poweroff, int, ENOSYS)
CALL1(int, sysinfo, struct abi_sysinfo *, ENOSYS)
CALL1(int, vmprint, pid_t, ESRCH)
CALL2(int, vmtable, pid_t, struct abi_vmtable *, ESRCH)
CALL2(int, exec, const char *, char *const *, ENOENT)
CALL2(int, fstat, int, struct stat *, EBADF)
CALL2(int, link, const char *, const char *, EIO)
CALL2(int, procinfo, int, struct abi_procinfo *, ENOSYS)
CALL2(int, ftruncate, int, off_t, EIO)
CALL2(int, rename, const char *, const char *, EIO)
CALL3(ssize_t, read, int, void *, size_t, EIO)
CALL3(ssize_t, write, int, const void *, size_t, EIO)
CALL3(int, vmregions, pid_t, struct abi_vmregion *, int, ESRCH)
CALL3(int, mknod, const char *, short, short, EIO)
CALL3(off_t, lseek, int, off_t, int, ESPIPE)

int sleep_ticks(int ticks) { return (int)result(ecall(SYS_sleep, ticks, 0, 0), EINTR); }

int mkdir(const char *path, ...) { return (int)result(ecall(SYS_mkdir, (long)path, 0, 0), EIO); }

int open(const char *path, int flags, ...) {
    return (int)result(ecall(SYS_open, (long)path, flags, 0), flags & O_CREATE ? EIO : ENOENT);
}

void *sbrk(intptr_t increment) {
    if (increment > INT_MAX || increment < INT_MIN) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return (void *)result(ecall(SYS_sbrk, increment, 0, 0), ENOMEM);
}

void _exit(int status) {
    for (;;)
        ecall(SYS_exit, status, 0, 0);
}

void _Exit(int status) { _exit(status); }
