/* What the two benchmark programs share: the interface that xv6 and Trellis both
 * have, and the machine's counters.
 *
 * For xv6: copy bench*.c, bench*.h and true.c into user/, add the programs to
 * UPROGS, compile with -DXV6, and let user mode read the counters (scounteren = 7
 * in start()). Everything else is as on Trellis. */
#pragma once
#ifdef XV6
#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"
#define O_CREAT O_CREATE
#define fsync(fd) 0   /* each call is durable there */
#define PIPE_ROOM 512 /* bytes that a pipe takes without a reader */
#define IN_BIN ""     /* where programs stand */
#define IN_TESTS ""
#else
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>
typedef uint64_t uint64;
#define PIPE_ROOM 16384
#define IN_BIN "/bin/"
#define IN_TESTS "/tests/"
#endif

#define PAGE 4096
#define MIB (1024 * 1024)

static inline uint64 counter_instructions(void) {
    uint64 n;
    __asm__ volatile("rdinstret %0" : "=r"(n) : : "memory");
    return n;
}

static inline uint64 counter_time(void) {
    uint64 n;
    __asm__ volatile("rdtime %0" : "=r"(n) : : "memory");
    return n;
}

static inline void touch(volatile char *p) { *p = 1; }

static inline void need(int ok, const char *what) {
    if (!ok) {
        printf("bench: %s failed\n", what);
        exit(1);
    }
}
