/* The generator of random bytes: see random.h. Its lock guards the key alone, for the time of one
 * block; what a request is given is made without it. */
#include "dev/random.h"
#include "dev/fdt.h"
#include "lib/string.h"
#include "proc/clock.h"
#include "sync/spinlock.h"

#define KEY_WORDS 8
#define BLOCK_WORDS 16
#define ROUNDS 20

struct chacha {
    uint32_t key[KEY_WORDS];
    uint32_t nonce;
    uint32_t counter;
};

static struct {
    struct spinlock lock;
    struct chacha state;
    bool repeats;
} generator = {.lock = SPINLOCK_INIT(RANK_RANDOM)};

/* ---- the block function (RFC 8439, 2.1 to 2.3) ---- */

static uint32_t rotate(uint32_t x, unsigned by) { return x << by | x >> (32 - by); }

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b, *d = rotate(*d ^ *a, 16);
    *c += *d, *b = rotate(*b ^ *c, 12);
    *a += *b, *d = rotate(*d ^ *a, 8);
    *c += *d, *b = rotate(*b ^ *c, 7);
}

static void next_block(struct chacha *c, uint32_t out[BLOCK_WORDS]) {
    uint32_t in[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(in + 4, c->key, sizeof(c->key));
    in[12] = c->counter++;
    in[13] = c->nonce;
    memcpy(out, in, sizeof(in));
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0, turn = round % 2; i < 4; i++)
            quarter_round(&out[i], &out[4 + (i + turn) % 4], &out[8 + (i + 2 * turn) % 4],
                          &out[12 + (i + 3 * turn) % 4]);
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        out[i] += in[i];
}

/* ---- the key ---- */

/* A generator for one request. The counter goes on, and the clock goes in, so that the same key
 * would not make the same bytes again. */
static struct chacha begin_request(void) {
    uint32_t block[BLOCK_WORDS];
    struct chacha request = {.nonce = 0};
    spin_lock(&generator.lock);
    if (!generator.repeats)
        generator.state.nonce = (uint32_t)clock_nanoseconds();
    next_block(&generator.state, block);
    memcpy(generator.state.key, block, sizeof(generator.state.key));
    spin_unlock(&generator.lock);
    memcpy(request.key, block + KEY_WORDS, sizeof(request.key));
    return request;
}

void random_bytes(void *to, size_t n) {
    struct chacha request = begin_request();
    for (char *at = to; n > 0;) {
        uint32_t block[BLOCK_WORDS];
        next_block(&request, block);
        size_t part = MIN(n, sizeof(block));
        memcpy(at, block, part);
        at += part;
        n -= part;
    }
}

/* Into the key, of which each part of it changes every bit that comes later. */
static void mix_in(const void *bytes, size_t n) {
    for (const uint8_t *from = bytes; n > 0;) {
        uint8_t key[sizeof(generator.state.key)];
        size_t part = MIN(n, sizeof(key));
        memcpy(key, generator.state.key, sizeof(key));
        for (size_t i = 0; i < part; i++)
            key[i] ^= from[i];
        memcpy(generator.state.key, key, sizeof(key));
        (void)begin_request();
        from += part;
        n -= part;
    }
}

void random_init(void) {
    uint32_t bytes = 0;
    fdt_node chosen = fdt_path("/chosen");
    const void *seed = chosen == FDT_NONE ? NULL : fdt_prop(chosen, "rng-seed", &bytes);
    const uint64_t times[2] = {clock_nanoseconds(), clock_date()};
    if (seed)
        mix_in(seed, bytes);
    mix_in(times, sizeof(times));
}

void random_repeat(uint64_t seed) {
    generator.state = (struct chacha){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)}};
    generator.repeats = true;
}
