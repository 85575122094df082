/* Fields of words. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* `count` bits of w, from bit `low` on, at the right. */
static inline uint64_t field(uint64_t w, unsigned low, unsigned count) {
    return w >> low & ((1ull << count) - 1);
}
/* The lowest `bits` of value as a two's complement number. */
static inline int64_t sext(uint64_t value, unsigned bits) {
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}
