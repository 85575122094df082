/* Bits in words. The base instruction set has no instruction for these, and the
 * compiler's own would call a library that the kernel does not have. */
#pragma once
#include "lib/types.h"

/* The number of the lowest bit that is set; x is not 0. Of a de Bruijn sequence each shift has
 * other bits at the top: those say how far it was shifted, which is what a power of two does. */
static inline unsigned bit_lowest(uint64_t x) {
    static const uint8_t shifts[64] = {
        0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
        43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
        44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
    };
    return shifts[(x & -x) * 0x03f79d71b4cb0a89UL >> 58];
}

/* How many are set. */
static inline unsigned bits_set(uint64_t x) {
    unsigned n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}
