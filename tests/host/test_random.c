/* Random bytes: the block function by published vectors, and what the generator makes of a seed. */
/* sources: kernel/dev/fdt.c kernel/lib/string.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/fdtbuild.c tests/host/hostarch.c tests/host/kstub.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#define _GNU_SOURCE
#include "dev/random.c"
#include "fdtbuild.h"
#include "kstub.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

uint64_t clock_date(void) { return 7; }
uint64_t clock_nanoseconds(void) { return 9; }

/* RFC 8439, A.1: the first half of the first and of the third vector. */
static void published_vectors(void **state) {
    static const uint8_t first[32] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                                      0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
                                      0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a,
                                      0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7};
    static const uint8_t third[32] = {0x3a, 0xeb, 0x52, 0x24, 0xec, 0xf8, 0x49, 0x92,
                                      0x9b, 0x9d, 0x82, 0x8d, 0xb1, 0xce, 0xd4, 0xdd,
                                      0x83, 0x20, 0x25, 0xe8, 0x01, 0x8b, 0x81, 0x60,
                                      0xb8, 0x22, 0x84, 0xf3, 0xc9, 0x49, 0xaa, 0x5a};
    uint32_t out[BLOCK_WORDS];
    struct chacha zero = {.counter = 0}, one = {.key = {[7] = 0x01000000}, .counter = 1};
    next_block(&zero, out);
    assert_memory_equal(out, first, sizeof first);
    assert_int_equal(zero.counter, 1);
    next_block(&one, out);
    assert_memory_equal(out, third, sizeof third);
}

/* The first bytes after a start with this seed. */
static void start(const uint8_t *seed, uint32_t n, uint8_t out[40]) {
    fdtb_begin_machine(1);
    fdtb_begin("chosen");
    if (seed)
        fdtb_prop("rng-seed", seed, n);
    fdtb_end();
    fdtb_end_machine();
    memset(&generator.state, 0, sizeof generator.state);
    random_init();
    generator.state.nonce = 0;
    random_bytes(out, 40);
}

static void every_bit_of_the_seed_counts(void **state) {
    uint8_t seed[64] = {0}, without[40], last[40], now[40];
    start(seed, 64, last);
    start(NULL, 0, without);
    for (unsigned bit = 0; bit < 512; bit++) {
        seed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        start(seed, 64, now);
        assert_memory_not_equal(now, last, 40);
        assert_memory_not_equal(now, without, 40);
        memcpy(last, now, sizeof last);
    }
}

static void no_request_tells_of_another(void **state) {
    uint8_t one[200], other[200];
    struct chacha before = generator.state;
    random_bytes(one, sizeof one);
    assert_memory_not_equal(before.key, generator.state.key, sizeof before.key);
    random_bytes(other, sizeof other);
    for (unsigned i = 0; i + 16 <= sizeof one; i += 4) {
        assert_null(memmem(other, sizeof other, one + i, 16));
        assert_null(memmem(one, sizeof one, generator.state.key, 16));
    }
    memset(one, 0, sizeof one);
    random_bytes(one, 5);
    for (unsigned i = 5; i < sizeof one; i++)
        assert_int_equal(one[i], 0);
}

#define EACH 2000
static uint64_t taken[4 * EACH];

static void take(unsigned i) {
    for (unsigned k = 0; k < EACH; k++)
        random_bytes(&taken[i * EACH + k], sizeof taken[0]);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Two that had the same key would give the same. */
static void many_at_once(void **state) {
    kstub_parallel(4, take);
    qsort(taken, 4 * EACH, sizeof taken[0], by_size);
    for (unsigned i = 0; i + 1 < 4 * EACH; i++)
        assert_true(taken[i] != taken[i + 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(every_bit_of_the_seed_counts),
        cmocka_unit_test(no_request_tells_of_another),
        cmocka_unit_test(many_at_once),
    };
    kstub_reset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
