/* The emulator's medium: contents and copies against plain arrays, the cache and its loss,
 * failures on demand, and a host without memory. */
/* sources: machine/dev/disk.c machine/dev/blocks.c */
/* rename: malloc calloc realloc free */
#include "between.h"
#include "machine/dev/disk.h"
#include "random64.h"
#include <stdlib.h>
#include <string.h>
#undef malloc
#undef calloc
#undef realloc
#undef free
void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void free(void *);

#define SECTORS 600
#define BYTES (SECTORS * DISK_SECTOR)

/* ---- the host's memory -------------------------------------------------------- */
static size_t allocated;   /* bytes since it was set to 0 */
static int64_t until_none; /* allocations that succeed before all fail; below 0: any number */

static bool allowed(size_t n) {
    allocated += n;
    return until_none < 0 || until_none-- > 0 || (until_none = 0);
}
void *k_malloc(size_t n) { return allowed(n) ? malloc(n) : NULL; }
void *k_calloc(size_t n, size_t m) { return allowed(n * m) ? calloc(n, m) : NULL; }
void *k_realloc(void *p, size_t n) { return allowed(n) ? realloc(p, n) : NULL; }
void k_free(void *p) { free(p); }

/* ---- a disk ------------------------------------------------------------------- */
static struct disk d;

static int setup(void **state) {
    until_none = -1;
    d = (struct disk){0};
    assert_true(disk_open(&d, NULL, 0, SECTORS));
    return 0;
}

static int teardown(void **state) {
    disk_close(&d);
    return 0;
}

/* A sector that is full of one byte. */
static void fill(struct disk *disk, uint64_t sector, uint8_t with) {
    uint8_t bytes[DISK_SECTOR];
    memset(bytes, with, sizeof bytes);
    assert_true(disk_request(disk, DISK_WRITE, sector, 1));
    assert_true(disk_put(disk, sector, bytes, false));
}

static uint8_t filled_with(const struct disk *disk, uint64_t sector) {
    uint8_t bytes[DISK_SECTOR];
    disk_get(disk, sector, bytes);
    for (unsigned i = 1; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], bytes[0]); /* a torn one */
    return bytes[0];
}

static void assert_content(const struct disk *disk, const uint8_t *model) {
    static uint8_t bytes[BYTES];
    assert_true(disk_peek(disk, 0, bytes, BYTES));
    assert_memory_equal(bytes, model, BYTES);
}

static void begins_with_the_image(void **state) {
    static uint8_t image[BYTES];
    for (unsigned i = 0; i < sizeof image; i++)
        image[i] = i < 5 * BLOCK_BYTES || i >= 7 * BLOCK_BYTES ? (uint8_t)random64() : 0;
    static const uint64_t sizes[] = {0, 1, 511, 4096, 5000, 8 * BLOCK_BYTES, BYTES};
    for (unsigned i = 0; i < 7; i++) {
        static uint8_t model[BYTES];
        memset(model, 0, sizeof model);
        memcpy(model, image, sizes[i]);
        disk_close(&d);
        assert_true(disk_open(&d, image, sizes[i], SECTORS));
        assert_content(&d, model);
    }
    uint8_t byte;
    assert_true(disk_peek(&d, BYTES, &byte, 0));
    assert_false(disk_peek(&d, BYTES, &byte, 1));
    assert_false(disk_peek(&d, UINT64_MAX, &byte, 2));
    disk_close(&d);
    assert_false(disk_open(&d, image, BYTES, SECTORS - 1));
    assert_false(disk_open(&d, image, 1, UINT64_MAX));
}

static void big_and_small(void **state) {
    static const uint64_t sizes[] = {1, 8, 9, 512, 513, 1 << 15, 1 << 21, 1ULL << 40, 1ULL << 54};
    for (unsigned i = 0; i < 9; i++) {
        disk_close(&d);
        assert_true(disk_open(&d, "x", 1, sizes[i]));
        fill(&d, sizes[i] / 2, 2);
        fill(&d, sizes[i] - 1, 3);
        uint8_t byte = 0;
        assert_true(disk_peek(&d, 0, &byte, 1));
        assert_int_equal(byte, sizes[i] == 1 ? 3 : 'x');
        assert_int_equal(filled_with(&d, sizes[i] / 2), sizes[i] == 1 ? 3 : 2);
        assert_int_equal(filled_with(&d, sizes[i] - 1), 3);
        assert_false(disk_request(&d, DISK_READ, sizes[i], 1));
    }
}

/* ---- copies ------------------------------------------------------------------- */
#define COPIES 6

/* Anything that can happen to some disks, and what is durable after a loss of all that can be. */
static void copies_are_independent(void **state) {
    static struct disk disks[COPIES];
    static uint8_t model[COPIES][BYTES];
    for (unsigned i = 0; i < COPIES; i++) {
        assert_true(disk_open(&disks[i], NULL, 0, SECTORS));
        memset(model[i], 0, BYTES);
    }
    for (int step = 0; step < 20000; step++) {
        unsigned i = (unsigned)(random64() % COPIES), j = (unsigned)(random64() % COPIES);
        uint64_t sector = random64() % SECTORS, what = random64() % 100;
        if (what < 80) {
            uint8_t with = (uint8_t)random64();
            fill(&disks[i], sector, with);
            memset(model[i] + sector * DISK_SECTOR, with, DISK_SECTOR);
        } else if (what < 90) {
            assert_true(disk_flush(&disks[i], UINT64_MAX));
        } else if (what < 95) {
            assert_true(disk_copy(&disks[i], &disks[j]));
            memmove(model[i], model[j], BYTES);
        } else {
            assert_true(disk_flush(&disks[i], disks[i].written - random64() % 50));
        }
        if (step % 50 == 0)
            assert_content(&disks[i], model[i]);
    }
    for (unsigned i = 0; i < COPIES; i++) {
        assert_content(&disks[i], model[i]);
        disk_close(&disks[i]);
    }
}

static void a_copy_costs_what_changes(void **state) {
    static uint8_t image[1 << 22];
    memset(image, 1, sizeof image);
    struct disk copy = {0};
    disk_close(&d);
    assert_true(disk_open(&d, image, sizeof image, sizeof image / DISK_SECTOR));
    fill(&d, 7, 2);
    allocated = 0;
    assert_true(disk_copy(&copy, &d));
    assert_between(allocated, 1, 64);
    fill(&copy, 1000, 3);
    assert_between(allocated, 1, 8192);
    assert_int_equal(filled_with(&d, 1000), 1);
    disk_close(&copy);
    assert_int_equal(filled_with(&d, 7), 2);
}

/* ---- loss of power ------------------------------------------------------------- */
#define SEEDS 2000

static void what_was_flushed_stays(void **state) {
    fill(&d, 1, 1);
    fill(&d, 2, 2);
    assert_true(disk_flush(&d, UINT64_MAX));
    struct disk copy = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_true(disk_copy(&copy, &d));
        assert_true(disk_cut(&copy, seed));
        assert_int_equal(filled_with(&copy, 1), 1);
        assert_int_equal(filled_with(&copy, 2), 2);
    }
    disk_close(&copy);
}

static void every_outcome_is_met(void **state) {
    struct disk copy = {0};
    unsigned met[4][2] = {0};
    fill(&d, 10, 1);
    fill(&d, 11, 1);
    assert_true(disk_flush(&d, UINT64_MAX));
    fill(&d, 10, 2);
    fill(&d, 11, 2);
    fill(&d, 10, 3);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_true(disk_copy(&copy, &d));
        assert_true(disk_cut(&copy, seed));
        assert_between(filled_with(&copy, 10), 1, 3);
        assert_between(filled_with(&copy, 11), 1, 2);
        met[filled_with(&copy, 10)][filled_with(&copy, 11) - 1]++;
        uint8_t after = filled_with(&copy, 10);
        assert_true(disk_cut(&copy, ~seed)); /* there is nothing more to lose */
        assert_int_equal(filled_with(&copy, 10), after);
    }
    for (unsigned i = 1; i < 4; i++)
        assert_true(met[i][0] > SEEDS / 100 && met[i][1] > SEEDS / 100);
    assert_int_equal(filled_with(&d, 10), 3); /* it was the copies' power */
    disk_close(&copy);
}

/* Half of the seeds lose the last requests, tear the one before them, and keep the rest. */
static void in_order_or_not(void **state) {
    struct disk copy = {0};
    unsigned in_order = 0, torn = 0;
    uint8_t bytes[DISK_SECTOR] = {1};
    for (unsigned i = 0; i < 64; i++) {
        assert_true(disk_request(&d, DISK_WRITE, i * 8, 8));
        for (unsigned j = 0; j < 8; j++)
            assert_true(disk_put(&d, i * 8 + j, bytes, false));
    }
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_true(disk_copy(&copy, &d));
        assert_true(disk_cut(&copy, seed));
        unsigned first_lost = 512, last_kept = 0;
        for (unsigned i = 512; i-- > 0;) {
            disk_get(&copy, i, bytes);
            first_lost = bytes[0] ? first_lost : i;
            last_kept = bytes[0] && !last_kept ? i : last_kept;
        }
        bool orderly = first_lost < 512 && first_lost / 8 + 1 >= last_kept / 8 && last_kept > 20;
        in_order += orderly;
        torn += orderly && last_kept > first_lost;
    }
    assert_between(in_order, SEEDS / 3, SEEDS * 2 / 3);
    assert_true(torn > SEEDS / 5);
    disk_close(&copy);
}

static void a_seed_says_it_all(void **state) {
    struct disk a = {0}, b = {0};
    for (unsigned i = 0; i < 100; i++)
        fill(&d, i * 3, (uint8_t)i);
    for (uint64_t seed = 0; seed < 100; seed++) {
        static uint8_t model[BYTES];
        assert_true(disk_copy(&a, &d) && disk_copy(&b, &d));
        assert_true(disk_cut(&a, seed) && disk_cut(&b, seed));
        assert_true(disk_peek(&a, 0, model, BYTES));
        assert_content(&b, model);
    }
    disk_close(&a);
    disk_close(&b);
}

/* Lose all that can be lost: the least that any of these seeds keeps of sectors 0 to n - 1. */
static void assert_durable(uint64_t n, uint64_t durable) {
    struct disk copy = {0};
    uint64_t least = n;
    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_true(disk_copy(&copy, &d));
        assert_true(disk_cut(&copy, seed));
        uint64_t kept = 0;
        while (kept < n && filled_with(&copy, kept % SECTORS))
            kept++;
        least = kept < least ? kept : least;
    }
    assert_int_equal(least, durable);
    disk_close(&copy);
}

static void a_flush_of_the_older_ones(void **state) {
    for (unsigned i = 0; i < 20; i++)
        fill(&d, i, 1);
    assert_int_equal(d.written, 20);
    assert_durable(20, 0);
    assert_true(disk_flush(&d, 0));
    assert_durable(20, 0);
    assert_true(disk_flush(&d, 12));
    assert_durable(20, 12);
    assert_true(disk_flush(&d, 5)); /* had been done */
    assert_durable(20, 12);
    assert_true(disk_flush(&d, 20));
    assert_durable(20, 20);
}

static void a_durable_write(void **state) {
    uint8_t bytes[DISK_SECTOR];
    fill(&d, 0, 1);
    fill(&d, 1, 1);
    memset(bytes, 2, sizeof bytes);
    assert_true(disk_put(&d, 0, bytes, true));
    assert_durable(2, 2);
    assert_int_equal(filled_with(&d, 0), 2); /* and not what was cached before */
    assert_true(disk_cut(&d, 5));
    assert_int_equal(filled_with(&d, 0), 2);
}

static void a_full_cache(void **state) {
    for (unsigned i = 0; i < DISK_CACHE_SECTORS; i++)
        fill(&d, i < 5 ? i : 5 + i % 500, 1);
    assert_durable(5, 0);
    fill(&d, 599, 1);
    assert_durable(5, 5);
    assert_int_equal(d.written, DISK_CACHE_SECTORS + 1);
}

/* ---- failures ------------------------------------------------------------------ */

static void requests_fail_on_demand(void **state) {
    assert_true(disk_request(&d, DISK_READ, 0, SECTORS));
    assert_false(disk_request(&d, DISK_READ, 0, SECTORS + 1));
    assert_false(disk_request(&d, DISK_WRITE, UINT64_MAX, 2));
    assert_true(disk_request(&d, DISK_READ, SECTORS, 0));
    d.fail_request = 6;
    assert_true(disk_request(&d, DISK_WRITE, 0, 1));
    assert_false(disk_request(&d, DISK_FLUSH, 0, 0));
    assert_true(disk_request(&d, DISK_FLUSH, 0, 0));
    d.fail_from = 10;
    d.fail_to = 20;
    d.fail_writes = true;
    assert_true(disk_request(&d, DISK_WRITE, 8, 2));
    assert_false(disk_request(&d, DISK_WRITE, 8, 3));
    assert_false(disk_request(&d, DISK_WRITE, 19, 1));
    assert_true(disk_request(&d, DISK_WRITE, 20, 1));
    assert_true(disk_request(&d, DISK_READ, 10, 1));
    d.fail_reads = true;
    assert_false(disk_request(&d, DISK_READ, 0, SECTORS));
    assert_true(disk_request(&d, DISK_FLUSH, 10, 1));
    assert_int_equal(d.requests, 14);
    assert_int_equal(d.reads, 5);
    assert_int_equal(d.writes, 6);
    assert_int_equal(d.flushes, 3);
    assert_int_equal(d.failed, 6);
}

/* Each call fails at its first, second, ... allocation until it succeeds; a copy and a write
 * change nothing before. */
static void no_memory(void **state) {
    static uint8_t image[BYTES], bytes[DISK_SECTOR];
    memset(image, 7, sizeof image);
    int64_t n = 0;
    disk_close(&d);
    for (until_none = n; !disk_open(&d, image, BYTES, SECTORS); until_none = ++n)
        assert_int_equal(d.sectors, 0);
    assert_true(n > BYTES / BLOCK_BYTES);

    struct disk copy = {0};
    memset(bytes, 8, sizeof bytes);
    n = 0;
    for (until_none = n; !disk_put(&d, 3, bytes, false); until_none = ++n)
        assert_content(&d, image);
    assert_between(n, 3, 10);
    n = 0;
    for (until_none = n; !disk_copy(&copy, &d); until_none = ++n)
        assert_int_equal(copy.sectors, 0);
    assert_int_equal(n, 1);
    n = 0;
    for (until_none = 0; !disk_flush(&copy, UINT64_MAX); until_none = ++n)
        ;
    assert_int_equal(n, 0); /* never */
    until_none = 0;
    assert_false(disk_cut(&d, 1));
    disk_close(&copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(begins_with_the_image),
        T(big_and_small),
        T(copies_are_independent),
        T(a_copy_costs_what_changes),
        T(what_was_flushed_stays),
        T(every_outcome_is_met),
        T(in_order_or_not),
        T(a_seed_says_it_all),
        T(a_flush_of_the_older_ones),
        T(a_durable_write),
        T(a_full_cache),
        T(requests_fail_on_demand),
        T(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
