/* Numbers as memory and registers hold them: little-endian, whatever the host is. */
#pragma once
#include <stdint.h>

static inline uint64_t bytes_get(const uint8_t *p, unsigned bytes) {
    uint64_t v = 0;
    for (unsigned i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static inline void bytes_put(uint8_t *p, unsigned bytes, uint64_t v) {
    for (unsigned i = 0; i < bytes; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

static inline uint64_t set_low32(uint64_t old, uint64_t v) { return old >> 32 << 32 | (uint32_t)v; }
static inline uint64_t set_high32(uint64_t old, uint64_t v) { return (uint32_t)old | v << 32; }
