/* What the machine uses of <stdio.h>: machine/wasm/print.c. */
#pragma once
#include <stddef.h>

/* %c, %s, %d, %u, %x and %%, with l and ll, with a width and 0, and of %s with the most that is
 * taken of it. Any other format aborts. */
int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
    __attribute__((format(printf, 3, 4)));
