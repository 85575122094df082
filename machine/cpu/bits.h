/* Fields of words, and words in memory. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* `count` bits of w, from bit `low` on, at the right. */
static inline uint64_t field(uint64_t w, unsigned low, unsigned count) {
    return w >> low & ((1ull << count) - 1);
}
/* The lowest `bits` of value as a two's complement number. */
static inline int64_t sext(uint64_t value, unsigned bits) {
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

/* 1, 2, 4 or 8 bytes as a number: single loads and stores, where a copy of so many bytes would be a
 * call. */
static inline uint64_t get_bytes(const uint8_t *at, unsigned size) {
    uint8_t b;
    uint16_t h;
    uint32_t w;
    uint64_t d;
    switch (size) {
    case 1: return memcpy(&b, at, 1), b;
    case 2: return memcpy(&h, at, 2), h;
    case 4: return memcpy(&w, at, 4), w;
    default: return memcpy(&d, at, 8), d;
    }
}
static inline void put_bytes(uint8_t *at, unsigned size, uint64_t value) {
    switch (size) {
    case 1: memcpy(at, &value, 1); break;
    case 2: memcpy(at, &value, 2); break;
    case 4: memcpy(at, &value, 4); break;
    default: memcpy(at, &value, 8); break;
    }
}
