/* Bits in words. The base instruction set has no instruction for these, and the
 * compiler's own would call a library that the kernel does not have. */
#pragma once
#include "lib/types.h"

/* The number of the lowest bit that is set; x is not 0. */
static inline unsigned bit_lowest(uint64_t x) {
    unsigned n = 0;
    for (unsigned half = 32; half; half /= 2)
        if (!(x & ((1ULL << half) - 1))) {
            x >>= half;
            n += half;
        }
    return n;
}

/* How many are set. */
static inline unsigned bits_set(uint64_t x) {
    unsigned n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}
