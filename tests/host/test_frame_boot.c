/* The frame allocator at boot: what RAM it finds, and where its records are. */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
#include "frametest.h"

/* Whether a frame overlaps memory that boot has taken for good. */
static bool overlaps(paddr_t pa, const void *p, uint64_t bytes) {
    uint64_t start = ptr_pa(p).v;
    return pa.v < start + bytes && start < pa.v + PAGE_SIZE;
}

static bool is_a_record(paddr_t pa) {
    bool is = overlaps(pa, sections.table, sections.count * sizeof sections.table[0]);
    for (uint64_t i = 0; i < sections.count; i++)
        if (sections.table[i])
            is |= overlaps(pa, sections.table[i], SECTION_FRAMES * sizeof(struct frame));
    return is;
}

static void test_boot_takes_exactly_the_whole_pages(void **state) {
    fresh_arena(MIB(ARENA_MIB));
    uint64_t s = HOST_RAM_START;
    frame_add_range(PA(s + MIB(5) + 1), PA(s + MIB(9) - 1)); /* borders inside pages */
    frame_add_range(PA(s + MIB(12)), PA(s + MIB(14)));
    frame_add_range(PA(s + MIB(11)), PA(s + MIB(24)));          /* the same, and more around */
    frame_add_range(PA(s + MIB(1) + 5), PA(s + MIB(1) + 4000)); /* no whole page */
    frame_add_range(PA(s + MIB(3)), PA(s + MIB(2)));            /* upside down */
    frame_add_range(PA(DIRECT_SIZE - PAGE_SIZE + 1), PA(UINT64_MAX)); /* out of reach */

    unsigned char *a = frame_boot_alloc(100, 8);
    unsigned char *b = frame_boot_alloc(5000, 4096);
    assert_non_null(a);
    assert_true(IS_ALIGNED((uint64_t)b, 4096));
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(b[i] | (i < 100 ? a[i] : 0), 0);
    assert_null(frame_boot_alloc(MIB(11), 8));
    frame_init();
    frame_check();

    struct frame_stats st;
    frame_stats(&st);
    assert_int_equal(st.free, st.total);
    assert_int_equal(st.committed + st.cached, 0);
    /* 4 MiB less two pages, and 13 MiB less a, b and some 130 KiB of records. */
    assert_between(st.total, 1022 + 3328 - 45, 1022 + 3328 - 34);

    static bool seen[ARENA_FRAMES];
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < st.total; i++) {
        paddr_t pa = frame_take();
        uint32_t at = index_of(pa);
        assert_false(seen[at]);
        seen[at] = true;
        assert_true((pa.v >= s + MIB(5) + PAGE_SIZE && pa.v < s + MIB(9) - PAGE_SIZE) ||
                    (pa.v >= s + MIB(11) && pa.v < s + MIB(24)));
        assert_false(overlaps(pa, a, 100) || overlaps(pa, b, 5000) || is_a_record(pa));
    }
    assert_int_equal(free_now(), 0);
    frame_check();
}

static void test_boot_with_holes(void **state) {
    fresh_arena(MIB(ARENA_MIB));
    frame_add_range(PA(HOST_RAM_START + MIB(66)), PA(HOST_RAM_START + MIB(72)));
    frame_add_range(PA(HOST_RAM_START), PA(HOST_RAM_START + MIB(8)));
    frame_init();
    frame_check();
    struct frame_stats st;
    frame_stats(&st);
    assert_between(st.total, MIB(14) / PAGE_SIZE - 68, MIB(14) / PAGE_SIZE - 64);
    /* Between them there are not even records. */
    assert_true(HOST_PANICS(frame_put(frame_single(PA(HOST_RAM_START + MIB(40))))));
    assert_true(HOST_PANICS(frame_put(frame_single(PA(HOST_RAM_START + MIB(10))))));
}

static void test_boot_with_little_or_nothing(void **state) {
    fresh_arena(MIB(2));
    assert_null(frame_boot_alloc(8, 8));
    frame_init();
    paddr_t pa;
    assert_int_equal(frame_alloc(&pa), -K_ENOMEM);
    assert_int_equal(free_now(), 0);

    fresh_arena(MIB(2)); /* too small for any record: the RAM stays out of use */
    frame_add_range(PA(HOST_RAM_START), PA(HOST_RAM_START + KIB(64)));
    frame_init();
    assert_int_equal(frame_alloc(&pa), -K_ENOMEM);
}

static void test_boot_with_more_ranges_than_places(void **state) {
    fresh_arena(MIB(ARENA_MIB));
    frame_add_range(PA(HOST_RAM_START + MIB(16)), PA(HOST_RAM_START + MIB(24))); /* largest */
    for (uint64_t i = 0; i < 2 * RANGE_MAX; i++)
        frame_add_range(PA(HOST_RAM_START + i * KIB(8)), PA(HOST_RAM_START + i * KIB(8) + KIB(4)));
    frame_init();
    frame_check();
    struct frame_stats st;
    frame_stats(&st);
    assert_between(st.total, 2048 + RANGE_MAX - 1 - 34, 2048 + RANGE_MAX - 1);
}

static void test_boot_of_much_ram_touches_little(void **state) {
    forget_everything();
    host_ram_map(GIB(8));
    frame_add_range(PA(HOST_RAM_START + 3 * PAGE_SIZE), PA(HOST_RAM_START + GIB(8)));
    frame_init();
    struct frame_stats st;
    frame_stats(&st);
    uint64_t record_frames = GIB(8) / PAGE_SIZE * sizeof(struct frame) / PAGE_SIZE;
    uint64_t most = GIB(8) / PAGE_SIZE - record_frames;
    assert_between(st.total, most - 8, most);
    paddr_t pa;
    assert_int_equal(frame_take_large(&pa), 0);
    memset(pa_ptr(pa), 1, LARGE_SIZE);
    frame_split_large(pa);
    frame_check();
    assert_true(frame_put(large_ref(pa)));
    for (unsigned i = 0; i < 3000; i++)
        frame_take();
    frame_check();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boot_takes_exactly_the_whole_pages),
        cmocka_unit_test(test_boot_with_holes),
        cmocka_unit_test(test_boot_with_little_or_nothing),
        cmocka_unit_test(test_boot_with_more_ranges_than_places),
        cmocka_unit_test(test_boot_of_much_ram_touches_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
