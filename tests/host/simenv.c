/* The machine of simenv.h. */
#include "simenv.h"

struct world world;

static void world_irq(void *ctx, unsigned source, bool level) {
    assert_between(source, 1, WIRES - 1);
    world.wire[source] = level;
}

static void world_console(void *ctx, uint8_t byte) {
    world.console[world.console_size++ % sizeof world.console] = (char)byte;
}

static void *world_ram(void *ctx, uint64_t pa, uint64_t bytes, bool write) {
    uint64_t start = pa - RAM_START;
    if (!world.ram || bytes > RAM_BYTES || start > RAM_BYTES - bytes)
        return NULL;
    return world.ram + start;
}

static uint64_t world_now(void *ctx) { return world.now; }

struct dev_env env = {NULL, world_irq, world_console, world_ram, world_now};

void world_begin(void *device, size_t bytes) {
    memset(&world, 0, sizeof world);
    memset(device, 0xff, bytes);
}
