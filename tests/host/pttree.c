/* The trees of pttree.h. */
#include "pttree.h"
#include "hostarch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct pt pttree_fresh(void) {
    struct pt pt;
    pttables_reset();
    assert_int_equal(pt_init(&pt, paging.levels, &pttables), 0);
    assert_int_equal(pttables_out, 1);
    return pt;
}

struct walker_survey pttree_survey(const struct pt *pt) {
    struct walker_survey s = walker_survey(pt->root.v, 0, 512, NULL, NULL);
    assert_string_equal(s.fault ? s.fault : "sound", "sound");
    assert_int_equal(s.kept, 0);
    assert_int_equal(s.tables, pt->tables);
    return s;
}

struct walker_survey pttree_tidy(const struct pt *pt) {
    struct walker_survey s = pttree_survey(pt);
    assert_int_equal(s.empty, 0);
    assert_int_equal(s.tables, pttables_out);
    return s;
}

void pttree_expect_at(const struct pt *pt, uint64_t va, uint64_t pa) {
    uint64_t got = 0;
    bool ok = walker_access(pt->root.v, va, WALKER_LOAD, WALKER_SUPERVISOR, &got);
    assert_true(ok);
    assert_int_equal(got, pa);
}

void pttree_ignore_leaf(void *ctx, pte_t e, unsigned level) {}

void pttree_clear_all(struct pt *pt, pt_leaves_fn leaf, void *ctx) {
    pt_take_leaves(pt, VA(0), VA(USER_HALF_END), leaf, ctx);
    pt_take_leaves(pt, VA(high_half()), VA(0 - PAGE_SIZE), leaf, ctx);
    pt_clear(pt, VA(0), VA(USER_HALF_END), NULL);
    pt_clear(pt, VA(high_half()), VA(0 - PAGE_SIZE), NULL);
    pt_free_root(pt);
}

void pttree_destroy(struct pt *pt) {
    pttree_clear_all(pt, NULL, NULL);
    assert_int_equal(pttables_out, 0);
}

void pttree_protect(struct pt *pt, uint64_t start, uint64_t end, uint64_t set, uint64_t clear) {
    while (start != end) {
        uint64_t stop = pt_protect(pt, VA(start), VA(end), set, clear).v;
        assert_true(stop > start && stop <= end);
        start = stop;
    }
}

int pttree_copy(struct pt *dst, struct pt *src, uint64_t start, uint64_t end, uint64_t clear,
                pt_leaves_fn leaves, void *ctx) {
    int err = 0;
    while (!err && start != end) {
        vaddr_t at = VA(start);
        err = pt_copy(dst, src, &at, VA(end), clear, leaves, ctx);
        assert_true(err || (at.v > start && at.v <= end));
        start = at.v;
    }
    return err;
}

void pttree_unmap(struct pt *pt, uint64_t start, uint64_t end) {
    struct pt_gather g = {0};
    while (start != end) {
        uint64_t stop = pt_unmap(pt, VA(start), VA(end), &g).v;
        assert_true(stop > start && stop <= end);
        pt_gather_finish(pt, &g, pttree_ignore_leaf, NULL);
        start = stop;
    }
}

void pttree_sum_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    uint64_t *sum = ctx;
    for (unsigned i = 0; i < count; i++)
        if (pte_valid(entry[i]))
            *sum += level_size(level);
}
