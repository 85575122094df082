/* What libFuzzer gives, as decisions: the rest of the input, byte by byte. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *next, *end;

/* One of n numbers; 0 when the input is used up. */
static uint64_t from_input(uint64_t n) {
    uint64_t value = 0;
    for (uint64_t left = n - 1; left > 0 && next < end; left >>= 8)
        value = value << 8 | *next++;
    return value % n;
}
