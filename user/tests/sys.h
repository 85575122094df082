/* The system calls with nothing in between: what sys_NAME returns is what the kernel
 * left in a0, to xv6's number of the call if it has one. Tests of the interface use these and not
 * the C library, which may round, retry or check on the way. lib/abi.h has the numbers and
 * structures. */
#pragma once
#include "lib/abi.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

struct timespec;
#define CALL(number, type, name, arguments) type sys_##name arguments;
#include "lib/calls.def"

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

/* What a test asks of sbrk is promised, unless it says so. */
static inline char *sys_sbrklazy(intptr_t n) { return sys_sbrk(n, ABI_SBRK_LAZY); }
#define sys_sbrk(n) sys_sbrk(n, ABI_SBRK_EAGER)
