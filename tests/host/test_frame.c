/* The frame allocator at its limits, and the mistakes that it finds. (Boot: test_frame_boot.c.) */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
#include "frametest.h"

/* ---- the account and the limits ------------------------------------------ */

static void test_commit_is_exact(void **state) {
    fresh();
    uint64_t n = free_now();
    assert_int_equal(frame_commit(n + 1), -K_ENOMEM);
    assert_int_equal(frame_commit(UINT64_MAX), -K_ENOMEM);
    assert_int_equal(frame_commit(n - 1), 0);
    assert_int_equal(frame_commit(2), -K_ENOMEM);
    assert_int_equal(frame_commit(UINT64_MAX - n + 2), -K_ENOMEM);
    assert_int_equal(frame_commit(1), 0);
    assert_int_equal(frame_commit(0), 0);
    paddr_t pa;
    assert_int_equal(frame_alloc(&pa), -K_ENOMEM);
    frame_uncommit(n);
    assert_int_equal(frame_alloc(&pa), 0);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(((char *)pa_ptr(pa))[i], 0);
    struct frame_stats st;
    frame_stats(&st);
    assert_int_equal(st.committed, 1);
    assert_int_equal(st.free, n - 1);
    frame_free(pa);
    assert_true(HOST_PANICS(frame_uncommit(1)));
}

static uint64_t grant_left, grants;
static bool grant(uint64_t n, bool taken) {
    grants++;
    bool may = n <= grant_left;
    if (taken)
        grant_left -= n;
    return may;
}

static void test_reserve_is_kept(void **state) {
    fresh();
    uint64_t n = frame_total;
    grants = grant_left = 0;
    frame_keep_reserve(10, grant);
    assert_int_equal(frame_commit(n - 10), 0);
    assert_int_equal(grants, 0);
    assert_int_equal(frame_commit(1), -K_ENOMEM);
    assert_int_equal(frame_commit(0), 0);
    struct frame_stats st;
    frame_stats(&st);
    assert_int_equal(st.committed, n); /* promised to whom it is kept for */
    grant_left = 8;
    assert_int_equal(frame_commit(9), -K_ENOMEM);
    assert_int_equal(frame_commit(5), 0);
    assert_int_equal(grant_left, 3);
    frame_uncommit(6);
    assert_int_equal(frame_commit(1), 0); /* that is no part of the reserve */
    assert_int_equal(grant_left, 3);
    assert_int_equal(frame_commit(2), 0);
    assert_int_equal(grant_left, 1);
    grant_left = 100;
    assert_int_equal(frame_commit(9), -K_ENOMEM); /* nor does a grant make memory */
    frame_stats(&st);
    assert_int_equal(st.committed, n);
    frame_uncommit(committed);
    frame_keep_reserve(0, NULL);
    frame_stats(&st);
    assert_int_equal(st.committed, 0);
}

static void test_nth_commit_fails(void **state) {
    fresh();
    paddr_t pa[3];
    frame_fail_countdown = 3;
    assert_int_equal(frame_alloc(&pa[0]), 0);
    assert_int_equal(frame_commit(5), 0);
    assert_int_equal(frame_alloc(&pa[1]), DEBUG ? -K_ENOMEM : 0);
    assert_int_equal(frame_alloc(&pa[2]), 0);
    assert_int_equal(frame_commit(5), 0);
    struct frame_stats st;
    frame_stats(&st);
    assert_int_equal(st.committed, DEBUG ? 12 : 13);
}

/* What was promised can be taken, also from caches of harts that sleep. */
static void test_promises_reach_into_every_cache(void **state) {
    fresh();
    uint64_t n = free_now();
    paddr_t *pa = calloc(n, sizeof *pa);
    for (unsigned h = 0; h < NHART; h++) {
        host_hart_be(h);
        paddr_t some[CACHE_MAX];
        for (unsigned i = 0; i < CACHE_MAX; i++)
            some[i] = frame_take();
        for (unsigned i = 0; i < CACHE_MAX; i++)
            frame_put(frame_single(some[i]));
        assert_true(count(&caches[h]) >= CACHE_BATCH);
    }
    assert_int_equal(free_now(), n);
    host_hart_be(3);
    assert_int_equal(frame_commit(n), 0);
    for (uint64_t i = 0; i < n; i++) {
        pa[i] = frame_take();
        assert_int_equal(frame_refs(pa[i]), 1);
        *(uint64_t *)pa_ptr(pa[i]) = i;
    }
    assert_int_equal(free_now(), 0);
    for (uint64_t i = 0; i < n; i++) { /* all different */
        assert_int_equal(*(uint64_t *)pa_ptr(pa[i]), i);
        host_hart_be(i % NHART);
        assert_true(frame_put(frame_single(pa[i])));
    }
    frame_uncommit(n);
    assert_int_equal(free_now(), n);
    frame_check();
    free(pa);
}

/* Zeroed ones come back zeroed, the last one first, as far as a cache has room for them; all of
 * them can be taken as others can, and from harts that sleep. */
static void test_zeroed_frames(void **state) {
    fresh();
    uint64_t n = free_now();
    static paddr_t pa[ARENA_FRAMES], again[2 * ZEROED_MAX];
    for (unsigned i = 0; i < 2 * ZEROED_MAX; i++) {
        pa[i] = frame_take();
        memset(pa_ptr(pa[i]), i < ZEROED_MAX ? 0 : 0x77, PAGE_SIZE);
    }
    for (unsigned i = 0; i < ZEROED_MAX; i++)
        frame_put_zeroed(pa[i]);
    for (unsigned i = ZEROED_MAX; i < 2 * ZEROED_MAX; i++)
        frame_put(frame_single(pa[i]));
    assert_int_equal(free_now(), n);
    frame_check();
    for (unsigned i = 0; i < 2 * ZEROED_MAX; i++) {
        paddr_t got = frame_take_zeroed();
        assert_true(i >= ZEROED_MAX || got.v == pa[ZEROED_MAX - 1 - i].v);
        for (unsigned at = 0; at < PAGE_SIZE; at += 8)
            assert_int_equal(*(uint64_t *)((char *)pa_ptr(got) + at), 0);
        assert_int_equal(frame_refs(got), 1);
        again[i] = got;
    }
    for (unsigned i = 0; i < 2 * ZEROED_MAX; i++) /* more than there is room for */
        frame_put_zeroed(again[i]);
    assert_int_equal(free_now(), n);
    frame_check();
    host_hart_be(3);
    assert_int_equal(frame_commit(n), 0);
    for (uint64_t i = 0; i < n; i++)
        pa[i] = frame_take();
    assert_int_equal(free_now(), 0);
    for (uint64_t i = 0; i < n; i++)
        assert_true(frame_put(frame_single(pa[i])));
    frame_uncommit(n);
    frame_check();
}

static void test_taking_what_was_not_promised_panics(void **state) {
    fresh();
    uint64_t n = free_now();
    while (n-- > 0)
        frame_take();
    assert_true(HOST_PANICS(frame_take()));
    assert_non_null(strstr(host_panic_text, "not promised"));
    paddr_t pa;
    assert_int_equal(frame_take_large(&pa), -K_ENOMEM);
}

static void test_caches_give_way_to_promises(void **state) {
    fresh();
    use_page_cache(reclaim_pages);
    uint64_t n = free_now();
    while (free_now() > 7) {
        assert_int_equal(frame_commit(1), 0);
        page_cache[page_cache_count++] = frame_take();
        reclaim_begin(&pages, 1);
        frame_uncommit(1);
    }
    struct frame_stats st;
    frame_stats(&st);
    assert_int_equal(st.cached, n - 7);
    assert_int_equal(st.committed, 0);
    assert_int_equal(reclaim_asked, 0);
    assert_int_equal(frame_commit(n), 0);
    for (uint64_t i = 0; i < n; i++)
        frame_take();
    frame_stats(&st);
    assert_int_equal(st.cached, 0);
    assert_int_equal(st.free, 0);
    assert_int_equal(page_cache_count, 0);
    assert_true(HOST_PANICS(reclaim_end(&pages, 1)));
}

static uint64_t first_has, second_has, second_asked;
static uint64_t reclaim_first(uint64_t n) {
    uint64_t given = MIN(n, first_has);
    first_has -= given;
    return given;
}

static uint64_t reclaim_second(uint64_t n) {
    second_asked = n;
    uint64_t given = MIN(MIN(n, (uint64_t)97) + 2, second_has); /* in threes */
    second_has -= given;
    return given;
}

static void test_reclaimers_are_asked_in_order(void **state) {
    fresh();
    struct reclaimer first = {.reclaim = reclaim_first}, second = {.reclaim = reclaim_second};
    assert_int_equal(reclaim_frames(5), 0);
    reclaim_register(&first);
    reclaim_register(&second);
    first_has = 10;
    second_has = 9;
    second_asked = 0;
    reclaim_begin(&first, 10);
    reclaim_begin(&second, 9);
    assert_int_equal(reclaim_count(), 19);
    assert_int_equal(reclaim_frames(7), 7);
    assert_int_equal(second_asked, 0);
    assert_int_equal(reclaim_frames(7), 9); /* for the rest */
    assert_int_equal(second_asked, 4);
    assert_int_equal(reclaim_frames(UINT64_MAX), 3);
    assert_int_equal(reclaim_frames(1), 0);
    reclaim_end(&first, 10);
    assert_int_equal(reclaim_count(), 9);
    assert_true(HOST_PANICS(reclaim_end(&second, 10)));
}

/* ---- large frames -------------------------------------------------------- */

static void test_large_frames_form_again(void **state) {
    fresh();
    paddr_t large[ARENA_MIB / 2 + 1];
    unsigned most = take_all_large(large);
    assert_int_equal(most, LARGE_MOST);
    for (unsigned i = 0; i < most; i++) {
        assert_true(IS_ALIGNED(large[i].v, LARGE_SIZE));
        memset(pa_ptr(large[i]), (int)i, LARGE_SIZE);
    }
    for (unsigned i = 0; i < most; i++)
        assert_true(frame_put(large_ref(large[i])));

    /* Everything in single frames, given back in random order by random harts. */
    uint64_t n = free_now();
    paddr_t *pa = calloc(n, sizeof *pa);
    for (uint64_t i = 0; i < n; i++)
        pa[i] = frame_take();
    for (uint64_t i = n; i > 0; i--) {
        uint64_t j = host_random_below(i);
        host_hart_be(host_random_below(NHART));
        assert_true(frame_put(frame_single(pa[j])));
        pa[j] = pa[i - 1];
    }
    free(pa);
    frame_check();
    assert_int_equal(take_all_large(large), most);
    assert_int_equal(free_now(), n - most * LARGE_FRAMES);
    frame_check();
}

static void test_one_frame_in_each_2mib_leaves_no_large_one(void **state) {
    fresh();
    uint64_t n = free_now();
    for (uint64_t i = 0; i < n; i++)
        frame_take();
    static const uint32_t keep = 300;
    for (uint32_t i = 0; i < ARENA_FRAMES; i++)
        if (i % LARGE_FRAMES != keep && frame_refs(pa_of(i)))
            frame_put(frame_single(pa_of(i)));
    frame_check();
    paddr_t pa;
    uint64_t before = free_now();
    assert_int_equal(frame_take_large(&pa), -K_ENOMEM);
    assert_int_equal(free_now(), before);
    frame_put(frame_single(pa_of(5 * LARGE_FRAMES + keep)));
    assert_int_equal(frame_take_large(&pa), 0);
    assert_int_equal(index_of(pa), 5 * LARGE_FRAMES);
}

static void test_shared_large_frame_split_by_one(void **state) {
    fresh();
    uint64_t n = free_now();
    paddr_t pa;
    assert_int_equal(frame_take_large(&pa), 0);
    assert_int_equal(free_now(), n - LARGE_FRAMES);
    assert_true(frame_sole(large_ref(pa)));
    frame_get(large_ref(pa));
    assert_int_equal(frame_refs(pa), 2);
    assert_false(frame_sole(large_ref(pa)));

    frame_split_large(pa);
    for (uint32_t i = 0; i < LARGE_FRAMES; i++)
        assert_int_equal(frame_refs(PA(pa.v + i * PAGE_SIZE)), 2);
    frame_get(large_ref(pa));
    assert_int_equal(frame_refs(PA(pa.v + 17 * PAGE_SIZE)), 3);
    assert_false(frame_put(large_ref(pa)));

    /* One user has copied frame 17 and gives all others of its own back. */
    assert_false(frame_put(frame_single(PA(pa.v + 17 * PAGE_SIZE))));
    frame_split_large(pa); /* the other one does not know; nothing to do */
    assert_int_equal(frame_refs(PA(pa.v + 16 * PAGE_SIZE)), 2);
    assert_int_equal(frame_refs(PA(pa.v + 17 * PAGE_SIZE)), 1);
    for (uint32_t i = 0; i < LARGE_FRAMES; i++)
        if (i != 17 && i != 18)
            assert_false(frame_put(frame_single(PA(pa.v + i * PAGE_SIZE))));
    assert_false(frame_sole(large_ref(pa)));
    assert_false(frame_put(frame_single(PA(pa.v + 18 * PAGE_SIZE))));
    assert_true(frame_sole(large_ref(pa)));
    frame_get(frame_single(PA(pa.v + 3 * PAGE_SIZE)));
    assert_false(frame_sole(large_ref(pa)));
    assert_false(frame_put(large_ref(pa))); /* all but frame 3 are free now */
    assert_int_equal(free_now(), n - 1);
    assert_true(frame_put(frame_single(PA(pa.v + 3 * PAGE_SIZE))));
    assert_int_equal(free_now(), n);
    frame_check();

    assert_int_equal(frame_take_large(&pa), 0); /* and whole again */
    frame_get(large_ref(pa));
    assert_false(frame_put(large_ref(pa)));
    assert_true(frame_put(large_ref(pa)));
    assert_int_equal(free_now(), n);
    frame_check();
}

/* ---- kernel mistakes are caught ------------------------------------------ */

static void test_wrong_addresses_and_double_frees_panic(void **state) {
    fresh();
    paddr_t pa = frame_take();
    frame_put(frame_single(pa));
    assert_true(HOST_PANICS(frame_put(frame_single(pa))));
    fresh();
    pa = frame_take();
    frame_put(frame_single(pa));
    assert_true(HOST_PANICS(frame_get(frame_single(pa))));
    pa = frame_take();
    assert_true(HOST_PANICS(frame_put(frame_single(PA(pa.v + 8)))));
    assert_true(HOST_PANICS(frame_put(frame_single(PA(HOST_RAM_START + MIB(64))))));
    assert_true(HOST_PANICS(frame_put(frame_single(PA(0)))));
    assert_true(HOST_PANICS(frame_get(frame_single(PA(UINT64_MAX - PAGE_SIZE + 1)))));
    assert_true(HOST_PANICS(frame_put(frame_single(PA(HOST_RAM_START))))); /* boot memory */
    assert_int_equal(frame_alloc(&pa), 0);
    frame_get(frame_single(pa));
    assert_true(HOST_PANICS(frame_free(pa))); /* somebody else still uses it */

    fresh();
    assert_int_equal(frame_take_large(&pa), 0);
    assert_true(HOST_PANICS(frame_split_large(PA(pa.v + PAGE_SIZE))));
    assert_true(frame_put(large_ref(pa)));
    assert_true(HOST_PANICS(frame_put(large_ref(pa))));
    fresh();
    assert_int_equal(frame_take_large(&pa), 0);
    assert_true(frame_put(large_ref(pa)));
    assert_true(HOST_PANICS(frame_get(large_ref(pa))));
}

#if DEBUG
/* The first frame's record counts for all as long as they are not split. */
static void test_a_single_reference_to_a_large_frame_panics(void **state) {
    fresh();
    paddr_t pa;
    assert_int_equal(frame_take_large(&pa), 0);
    assert_true(HOST_PANICS(frame_get(frame_single(pa))));
    assert_true(HOST_PANICS(frame_put(frame_single(pa))));
    frame_split_large(pa);
    frame_get(frame_single(pa));
    assert_false(frame_put(frame_single(pa)));
    assert_true(frame_put(large_ref(pa)));
}

static void test_writing_to_a_freed_frame_panics(void **state) {
    fresh();
    paddr_t pa = frame_take();
    memset(pa_ptr(pa), 1, PAGE_SIZE);
    frame_put(frame_single(pa));
    assert_int_equal(frame_take().v, pa.v);
    frame_put(frame_single(pa));
    ((char *)pa_ptr(pa))[4095] = 1;
    assert_true(HOST_PANICS(frame_take()));
    assert_non_null(strstr(host_panic_text, "0xff8"));

    fresh();
    pa = frame_take();
    memset(pa_ptr(pa), 0, PAGE_SIZE);
    ((char *)pa_ptr(pa))[8] = 1;
    assert_true(HOST_PANICS(frame_put_zeroed(pa)));
    ((char *)pa_ptr(pa))[8] = 0;
    frame_put_zeroed(pa);
    assert_true(HOST_PANICS(frame_put_zeroed(pa)));
    ((char *)pa_ptr(pa))[4088] = 1;
    assert_true(HOST_PANICS(frame_take_zeroed()));
    assert_non_null(strstr(host_panic_text, "0xff8"));

    fresh();
    assert_int_equal(frame_take_large(&pa), 0);
    frame_put(large_ref(pa));
    ((char *)pa_ptr(pa))[MIB(1)] = 1;
    assert_true(HOST_PANICS((void)!frame_take_large(&pa)));
}
#endif

int main(void) {
    host_random_seed(20240607);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commit_is_exact),
        cmocka_unit_test(test_reserve_is_kept),
        cmocka_unit_test(test_nth_commit_fails),
        cmocka_unit_test(test_promises_reach_into_every_cache),
        cmocka_unit_test(test_zeroed_frames),
        cmocka_unit_test(test_taking_what_was_not_promised_panics),
        cmocka_unit_test(test_caches_give_way_to_promises),
        cmocka_unit_test(test_reclaimers_are_asked_in_order),
        cmocka_unit_test(test_large_frames_form_again),
        cmocka_unit_test(test_one_frame_in_each_2mib_leaves_no_large_one),
        cmocka_unit_test(test_shared_large_frame_split_by_one),
        cmocka_unit_test(test_wrong_addresses_and_double_frees_panic),
#if DEBUG
        cmocka_unit_test(test_a_single_reference_to_a_large_frame_panics),
        cmocka_unit_test(test_writing_to_a_freed_frame_panics),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
