/* Random numbers (xorshift64), the same in every run. */
#pragma once
#include <stdint.h>

static inline uint64_t random64(void) {
    static uint64_t seed = 88172645463325252ULL;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
