/* A machine around a device of the emulator: a little RAM, a clock that the test sets, and what
 * the device did to its wires and to the console. */
#pragma once
#include "between.h"
#include "machine/dev/env.h"
#include "random64.h"
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define RAM_START 0x80000000UL
#define RAM_BYTES (256 * 1024)
#define WIRES 96

extern struct world {
    uint64_t now;
    bool wire[WIRES];
    char console[64];
    size_t console_size;
    uint8_t *ram; /* RAM_BYTES, of which the sanitizer knows the ends; NULL: none */
} world;

extern struct dev_env env; /* of the world */

/* A world where nothing has happened, without RAM; and the device, full of bits that its reset has
 * to clear. */
void world_begin(void *device, size_t bytes);

/* An access as a hostile guest makes it: of any size, near a register or far from all. */
struct access {
    bool write;
    uint64_t offset, value;
    unsigned size;
};

static inline struct access any_access(uint64_t bytes) {
    uint64_t r = random64(), offset = random64() % (r & 8 ? bytes : 64);
    static const uint64_t values[] = {0, 1, 2, 0xff, UINT32_MAX, UINT64_MAX};
    uint64_t value = r & 16 ? random64() : values[(r >> 32) % 6];
    if (r & 32)
        offset &= ~7UL;
    if ((r >> 6 & 63) == 0)
        offset = random64();
    return (struct access){r & 1, offset, value, 1u << (r >> 1 & 3)};
}
