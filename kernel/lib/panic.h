/* What happens when the kernel finds that it is wrong. Never for what a user
 * program, a disk image, a device or a lack of memory can cause. */
#pragma once
#include "lib/types.h"

/* Prints one sentence, the hart, the process and a backtrace; stops all harts;
 * then powers off with a failure status if the boot arguments say panic=exit.
 * Implemented in trap/panic.c; in host tests, by the test. */
void panic(const char *fmt, ...) printf_like(1, 2) never_returns;

/* States an invariant; one condition each. Always compiled in. */
#define ASSERT(cond) \
    do { \
        if (__builtin_expect(!(cond), 0)) \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond); \
    } while (0)
