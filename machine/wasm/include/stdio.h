/* What the machine uses of <stdio.h>: machine/wasm/print.c. */
#pragma once
#include <stddef.h>

/* %c, %s, %d, %u, %x and %%, with l and ll, and with a width and 0. Any other format aborts. */
int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
    __attribute__((format(printf, 3, 4)));
