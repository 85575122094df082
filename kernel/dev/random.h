/* Random bytes for programs and for the kernel itself.
 *
 * The generator is ChaCha20 (RFC 8439, 2.3) with its key as the state. For each request one block
 * is made: half of it is the next key, and the other half the key of the bytes that are given. So
 * who learns the state later cannot compute what was given before, and one request says nothing of
 * another.
 *
 * The first key is as good as what the platform gives: the device tree's /chosen/rng-seed, which an
 * emulator or a boot loader takes from its own system. Without one it is made of the clock and the
 * date alone, which others can guess. */
#pragma once
#include "lib/types.h"

/* At boot, after fdt_init and rtc_init. */
void random_init(void);

/* From now on the bytes are the same in each run, as far as the order of requests is. At boot, for
 * runs that are to be compared. */
void random_repeat(uint64_t seed);

/* n bytes; from any context, after clock_init. */
void random_bytes(void *to, size_t n);
