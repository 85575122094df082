/* The system calls with nothing in between: what these return is what the kernel
 * left in a0. Tests of the interface use these and not the C library, which may
 * round, retry or check on the way. lib/abi.h has the numbers and structures. */
#pragma once
#include "lib/abi.h"
#include <stdint.h>

/* Numbers are passed whole, so that a test can pass what no C prototype would. */
static inline long ecall3(long number, uint64_t a, uint64_t b, uint64_t c) {
    register uint64_t a0 __asm__("a0") = a;
    register uint64_t a1 __asm__("a1") = b;
    register uint64_t a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return (long)a0;
}

#define ARG(x) ((uint64_t)(x))

static inline int sys_fork(void) { return ecall3(SYS_fork, 0, 0, 0); }
static inline void __attribute__((__noreturn__)) sys_exit(int status) {
    for (;;)
        ecall3(SYS_exit, ARG(status), 0, 0);
}
static inline int sys_wait(int *status) { return ecall3(SYS_wait, ARG(status), 0, 0); }
static inline int sys_pipe(int fd[2]) { return ecall3(SYS_pipe, ARG(fd), 0, 0); }
static inline int sys_read(int fd, void *p, int n) {
    return ecall3(SYS_read, ARG(fd), ARG(p), ARG(n));
}
static inline int sys_kill(int pid) { return ecall3(SYS_kill, ARG(pid), 0, 0); }
static inline int sys_exec(const char *path, char *const argv[]) {
    return ecall3(SYS_exec, ARG(path), ARG(argv), 0);
}
static inline int sys_fstat(int fd, struct abi_stat *st) {
    return ecall3(SYS_fstat, ARG(fd), ARG(st), 0);
}
static inline int sys_chdir(const char *path) { return ecall3(SYS_chdir, ARG(path), 0, 0); }
static inline int sys_dup(int fd) { return ecall3(SYS_dup, ARG(fd), 0, 0); }
static inline int sys_getpid(void) { return ecall3(SYS_getpid, 0, 0, 0); }
static inline char *sys_sbrk(int n) { return (char *)ecall3(SYS_sbrk, ARG(n), 0, 0); }
static inline int sys_sleep(int ticks) { return ecall3(SYS_sleep, ARG(ticks), 0, 0); }
static inline int sys_uptime(void) { return ecall3(SYS_uptime, 0, 0, 0); }
static inline int sys_open(const char *path, int mode) {
    return ecall3(SYS_open, ARG(path), ARG(mode), 0);
}
static inline int sys_write(int fd, const void *p, int n) {
    return ecall3(SYS_write, ARG(fd), ARG(p), ARG(n));
}
static inline int sys_mknod(const char *path, int major, int minor) {
    return ecall3(SYS_mknod, ARG(path), ARG(major), ARG(minor));
}
static inline int sys_unlink(const char *path) { return ecall3(SYS_unlink, ARG(path), 0, 0); }
static inline int sys_link(const char *from, const char *to) {
    return ecall3(SYS_link, ARG(from), ARG(to), 0);
}
static inline int sys_mkdir(const char *path) { return ecall3(SYS_mkdir, ARG(path), 0, 0); }
static inline int sys_close(int fd) { return ecall3(SYS_close, ARG(fd), 0, 0); }

static inline int sys_sysinfo(struct abi_sysinfo *si) { return ecall3(SYS_sysinfo, ARG(si), 0, 0); }
static inline int sys_procinfo(int slot, struct abi_procinfo *pi) {
    return ecall3(SYS_procinfo, ARG(slot), ARG(pi), 0);
}
static inline long sys_lseek(int fd, int64_t offset, int whence) {
    return ecall3(SYS_lseek, ARG(fd), ARG(offset), ARG(whence));
}
static inline int sys_vmprint(int pid) { return ecall3(SYS_vmprint, ARG(pid), 0, 0); }
static inline int sys_vmtable(int pid, struct abi_vmtable *t) {
    return ecall3(SYS_vmtable, ARG(pid), ARG(t), 0);
}
static inline int sys_vmregions(int pid, struct abi_vmregion *r, int max) {
    return ecall3(SYS_vmregions, ARG(pid), ARG(r), ARG(max));
}
static inline int sys_ftruncate(int fd, uint64_t size) {
    return ecall3(SYS_ftruncate, ARG(fd), size, 0);
}
static inline int sys_rename(const char *from, const char *to) {
    return ecall3(SYS_rename, ARG(from), ARG(to), 0);
}
