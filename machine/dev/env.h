/* What the machine gives its devices. It is handed to each call, so the devices' own state holds no
 * pointers and a snapshot copies it by assignment.
 *
 * A device NAME has a struct NAME and
 *     void NAME_reset(struct NAME *)                          as the power or a reset leaves it
 *     uint64_t NAME_read(env, dev, offset, size)
 *     void NAME_write(env, dev, offset, size, value)
 * for accesses of 1, 2, 4 or 8 bytes, any offset from the start of its registers. Where there is no
 * register of that size, 0 is read and nothing is written. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct dev_env {
    void *ctx; /* the machine's, for the functions below */

    /* Puts the wire from a device to the PLIC's source high or low. */
    void (*irq)(void *ctx, unsigned source, bool level);

    /* A byte has left by the serial line. */
    void (*console)(void *ctx, uint8_t byte);

    /* The guest memory [pa, pa + bytes), or NULL where not all of that is RAM; a sum that
     * overflows is not. With write the device is about to store there. */
    void *(*ram)(void *ctx, uint64_t pa, uint64_t bytes, bool write);

    /* Nanoseconds of guest time since the start; never less than before. */
    uint64_t (*now)(void *ctx);
};
