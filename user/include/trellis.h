/* What Trellis has beside the xv6 interface and the C library. */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/abi.h"

/* The i-th path at which a program is looked for: the name itself when there is a slash in
 * it, else in /bin, in /tests, in the current directory, and in / (where images of xv6 have
 * their programs). False: there are no more. */
bool program_path(char path[PATH_MAX], const char *name, size_t i);

/* In ticks of ABI_TICKS_PER_SECOND: 0, or -1 after a signal. */
int sleep_ticks(int ticks);

/* The system calls (docs/system-calls.md), with those that the standard headers declare as well;
 * and sys_NAME, which returns what the kernel answers: of an error its negative number, but -1 of
 * xv6's calls. abi.h has the structures. The errors of those that no other header has:
 *
 * sysinfo: EFAULT
 * vmstat: EFAULT
 * procinfo: EINVAL, EFAULT
 * vmprint: ESRCH
 * vmtable: ESRCH, EINVAL, EFAULT, ENOMEM
 * vmregions: ESRCH, EFAULT, ENOMEM
 * setpgid: ESRCH, EPERM
 * foreground: ESRCH, EPERM, ENOTTY
 * thread_signal: EINVAL, ESRCH
 * kill: ESRCH, EPERM (as sys_kill; the other is signal.h's)
 * design: EINVAL, EFAULT
 * designname: EINVAL, EFAULT
 * thread_create: ENOMEM, EAGAIN, EINTR
 * futex_wait: EAGAIN, ETIMEDOUT, EINTR, EINVAL, EFAULT
 * futex_wake: EINVAL, EFAULT
 *
 * A thread of thread_create whose tp is not as the library's (thread.h there) may use no errno, and
 * so no call but a sys_NAME; pthread_create (pthread.h) makes it right. */
struct stat;
struct sigaction;
struct sigaltstack;
struct itimerval;
struct timespec;
#define CALL(number, type, name, arguments) type name arguments;
#define WRAPPED(...)
#define WRAPPED_OWN(...)
#include "lib/calls.def"
#define CALL(number, type, name, arguments) type sys_##name arguments;
#include "lib/calls.def"

/* For the end of a program that prints: flushes stdout; 0, or -1 when something
 * could not be written. Then it has said so, except when stdout is a pipe that
 * nobody reads any more: so ends the left side of "ls | head". */
int finish_output(const char *program);
int output_failed(const char *program); /* the latter half alone; -1 */

/* The counters that user mode may read (Zicntr). */
static inline uint64_t rdtime(void) {
    uint64_t n;
    __asm__ volatile("rdtime %0" : "=r"(n));
    return n;
}

static inline uint64_t rdcycle(void) {
    uint64_t n;
    __asm__ volatile("rdcycle %0" : "=r"(n));
    return n;
}

static inline uint64_t rdinstret(void) {
    uint64_t n;
    __asm__ volatile("rdinstret %0" : "=r"(n));
    return n;
}
