/* The page-table core when tables run out: the n-th allocation fails, for each n, in each
 * call that needs one. */
/* sources: kernel/mm/pt.c tests/host/pttree.c tests/host/pttables.c tests/host/walker.c */
/* sources: tests/host/hostarch.c */
#include "arch/pte.h"
#include "lib/errno.h"
#include "ptborder.h"
#include "pttree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Runs op on trees made alike until it succeeds, with failures at its 1st, 2nd ...
 * allocation; after each failure the tree is as before. Returns how many tables
 * op takes. */
static unsigned fail_each(void (*prepare)(struct pt *), int (*op)(struct pt *)) {
    for (unsigned n = 1;; n++) {
        struct pt pt = pttree_fresh();
        prepare(&pt);
        uint64_t before = pttree_tidy(&pt).hash;
        pttables_fail = n;
        int err = op(&pt);
        bool failed = pttables_fail == 0;
        pttables_fail = 0;
        assert_int_equal(err, failed ? -K_ENOMEM : 0);
        if (failed)
            assert_int_equal(pttree_tidy(&pt).hash, before);
        else
            assert_int_not_equal(pttree_tidy(&pt).hash, before);
        pttree_destroy(&pt);
        if (!failed)
            return n - 1;
    }
}

static void prepare_nothing(struct pt *pt) {}
static void prepare_neighbours(struct pt *pt) {
    assert_int_equal(pt_map(pt, VA(GIB(1) - MIB(6)), PA(0), PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_map(pt, VA(GIB(3)), PA(0), GIB(1), RW, 2), 0);
}
static int op_map_wide(struct pt *pt) {
    return pt_map(pt, VA(GIB(1) - MIB(5)), PA(PAGE_SIZE), MIB(10), RW, 2);
}
static int op_map_mixed(struct pt *pt) {
    return pt_map(pt, VA(GIB(1) - MIB(2) - PAGE_SIZE), PA(GIB(1) - MIB(2) - PAGE_SIZE),
                  GIB(1) + MIB(4) + 2 * PAGE_SIZE, RW, 2);
}
static int op_set_leaf(struct pt *pt) {
    pte_t old;
    return pt_set_leaf(pt, VA(GIB(7)), 0, pte_leaf(PA(0), PTE_R), &old);
}
static int op_split_giga(struct pt *pt) { return pt_split(pt, VA(GIB(3) + MIB(5))); }

static void test_failed_allocations_change_nothing(void **state) {
    unsigned above = paging.levels - 3; /* tables that Sv39 does not have */
    assert_int_equal(fail_each(prepare_nothing, op_map_wide),
                     above + 2 + 6); /* 5 MiB: 3 tables a side */
    assert_int_equal(fail_each(prepare_neighbours, op_map_wide), 1 + 5); /* two are there */
    assert_int_equal(fail_each(prepare_nothing, op_map_mixed), above + 2 + 2);
    assert_int_equal(fail_each(prepare_neighbours, op_map_mixed), 3);
    assert_int_equal(fail_each(prepare_nothing, op_set_leaf), above + 2);
    assert_int_equal(fail_each(prepare_neighbours, op_split_giga), 1);
    struct pt pt;
    uint32_t before = pttables_out;
    pttables_fail = 1;
    assert_int_equal(pt_init(&pt, paging.levels, &pttables), -K_ENOMEM);
    assert_int_equal(pttables_out, before);
}

/* A leaf may be split of those at the two borders, but no translation has changed. */
static void test_failed_split_changes_no_translation(void **state) {
    for (unsigned n = 1; n <= 4; n++) {
        struct pt pt = pttree_fresh();
        assert_int_equal(pt_map(&pt, VA(0), PA(GIB(1)), GIB(2), RW, 2), 0);
        pttables_fail = n;
        int err = borders_at(&pt, PAGE_SIZE, GIB(1) + 3 * PAGE_SIZE);
        assert_int_equal(err, -K_ENOMEM);
        for (uint64_t va = 0; va < GIB(2); va += MIB(1) + PAGE_SIZE)
            pttree_expect_at(&pt, va, GIB(1) + va);
        pttree_tidy(&pt);
        pttree_destroy(&pt);
    }
}

/* ---- copies -------------------------------------------------------------- */

static void test_copy(void **state) {
    struct pt src = pttree_fresh(), dst;
    uint64_t start = MIB(2) - PAGE_SIZE;
    assert_int_equal(pt_map(&src, VA(start), PA(start), MIB(6), RW | PTE_U, 2), 0);
    assert_int_equal(pt_map(&src, VA(GIB(2)), PA(GIB(1)), GIB(1), RW | PTE_U, 2), 0);
    assert_int_equal(pt_map(&src, VA(GIB(4)), PA(0), PAGE_SIZE, RW | PTE_U, 2), 0);
    uint32_t base = pttables_out;
    for (unsigned n = 1;; n++) {
        assert_int_equal(pt_init(&dst, paging.levels, &pttables), 0);
        pttables_fail = n;
        uint64_t bytes = 0;
        int err = pttree_copy(&dst, &src, 0, GIB(4), PTE_W, pttree_sum_leaves, &bytes);
        bool failed = pttables_fail == 0;
        pttables_fail = 0;
        assert_int_equal(err, failed ? -K_ENOMEM : 0);
        struct walker_survey s = pttree_survey(&dst);
        if (failed) {
            uint64_t back = 0;
            pttree_clear_all(&dst, pttree_sum_leaves, &back);
            assert_int_equal(back, bytes); /* as many were counted as there are */
            assert_int_equal(pttables_out, base);
            continue;
        }
        assert_int_equal(n, paging.levels - 3 + 1 + 3);
        assert_int_equal(bytes, MIB(6) + GIB(1));
        assert_int_equal(s.leaves, 511 + 1 + 2 + 1);
        assert_int_equal(s.empty, 0);
        break;
    }
    unsigned level;
    for (uint64_t va = 0; va < MIB(10); va += PAGE_SIZE) {
        pte_t e = *pt_walk(&src, VA(va), &level);
        assert_int_equal(*pt_walk(&dst, VA(va), &level), e);
        assert_int_equal(e & PTE_W, 0);
    }
    assert_int_equal(*pt_walk(&dst, VA(GIB(2)), &level), *pt_walk(&src, VA(GIB(2)), &level));
    assert_int_equal(*pt_walk(&dst, VA(GIB(4)), &level), 0);
    assert_true(*pt_walk(&src, VA(GIB(4)), &level) & PTE_W); /* was not in the range */
    pttree_clear_all(&dst, NULL, NULL);
    pttree_destroy(&src);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_allocations_change_nothing),
        cmocka_unit_test(test_failed_split_changes_no_translation),
        cmocka_unit_test(test_copy),
    };
    int failed = 0;
    for (unsigned levels = LEVELS_MIN; levels <= LEVELS_MAX; levels++) {
        use_levels(levels);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
