/* The page-table core, call by call: every level, permission and border. */
/* sources: kernel/mm/pt.c tests/host/pttree.c tests/host/pttables.c tests/host/walker.c */
/* sources: tests/host/hostarch.c */
#include "arch/pte.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "ptborder.h"
#include "pttree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool mapped(const struct pt *pt, uint64_t va) {
    uint64_t pa;
    return walker_access(pt->root.v, va, WALKER_LOAD, WALKER_SUPERVISOR, &pa);
}

static void test_arithmetic_of_entries(void **state) {
    pte_t e = pte_leaf(PA(0x123456789000), PTE_R | PTE_X | PTE_U);
    assert_int_equal(e, 0x123456789ULL << 10 | 0x5b);                        /* V R X U A */
    assert_int_equal(pte_leaf(PA(0x80000000), RW), 0x80000ULL << 10 | 0xc7); /* V R W A D */
    assert_int_equal(pte_pa(e).v, 0x123456789000);
    assert_int_equal(pte_pa(UINT64_MAX).v, 0xfffffffffff000); /* 56 bits, no reserved ones */
    assert_int_equal(pte_table(PA(0x80001000)), 0x80001ULL << 10 | 1);
    assert_true(pte_is_table(pte_table(PA(0))));
    assert_false(pte_is_leaf(pte_table(PA(0))));
    assert_false(pte_is_table(e));
    assert_true(pte_is_leaf(e));
    assert_false(pte_is_leaf(e & ~PTE_V));
    assert_false(pte_is_table(0));
    static const uint64_t low_end[] = {[3] = 1ULL << 38, [4] = 1ULL << 47, [5] = 1ULL << 56};
    static const uint64_t satp[] = {
        [3] = 0x8abcd00000080001, [4] = 0x9abcd00000080001, [5] = 0xaabcd00000080001};
    for (unsigned levels = 3; levels <= 5; levels++) {
        assert_int_equal(satp_make(levels, PA(0x80001000), 0xabcd), satp[levels]);
        assert_true(va_canonical(VA(0), levels));
        assert_true(va_canonical(VA(low_end[levels] - 1), levels));
        assert_false(va_canonical(VA(low_end[levels]), levels));
        assert_false(va_canonical(VA(INT64_MAX), levels));
        assert_false(va_canonical(VA(-low_end[levels] - 1), levels));
        assert_true(va_canonical(VA(-low_end[levels]), levels));
        assert_true(va_canonical(VA(UINT64_MAX), levels));
    }
    assert_int_equal(va_index(VA(UINT64_MAX), 2), 511);
    assert_int_equal(va_index(VA(0x40201000), 2) << 8 | va_index(VA(0x40201000), 1) << 4 |
                         va_index(VA(0x40201000), 0),
                     0x111);
}

/* Each permission at each level grants what the specification says, no more. */
static void test_permissions_at_every_level(void **state) {
    static const uint64_t sensible[] = {PTE_R, RW, PTE_X, PTE_R | PTE_X, PTE_RWX};
    for (unsigned level = 0; level < paging.levels; level++)
        for (unsigned i = 0; i < ARRAY_LEN(sensible) * 4; i++) {
            uint64_t flags = sensible[i / 4] | (i & 1 ? PTE_U : 0) | (i & 2 ? PTE_G : 0);
            struct pt pt = pttree_fresh();
            uint64_t va = MAX(GIB(3), 3 * level_size(level));
            uint64_t pa = MAX(GIB(5), 5 * level_size(level)), last = va + level_size(level) - 1;
            assert_int_equal(pt_map(&pt, VA(va), PA(pa), level_size(level), flags, level), 0);
            assert_int_equal(pttree_tidy(&pt).leaves, 1);
            for (unsigned mode = WALKER_USER; mode <= WALKER_SUPERVISOR_SUM; mode++)
                for (unsigned access = WALKER_LOAD; access <= WALKER_FETCH; access++) {
                    static const uint64_t needed[] = {0, PTE_R, PTE_W, PTE_X};
                    bool may = flags & needed[access];
                    if (mode == WALKER_USER)
                        may &= i & 1;
                    else if (i & 1)
                        may &= mode == WALKER_SUPERVISOR_SUM && access != WALKER_FETCH;
                    uint64_t got = 1;
                    assert_int_equal(walker_access(pt.root.v, last, access, mode, &got), may);
                    assert_int_equal(got, may ? pa + level_size(level) - 1 : 1);
                    assert_false(walker_access(pt.root.v, va - 1, access, mode, &got));
                    assert_false(walker_access(pt.root.v, last + 1, access, mode, &got));
                }
            pttree_destroy(&pt);
        }
}

static void expect_refused(struct pt *pt, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t flags,
                           unsigned max_level, int error) {
    uint64_t before = pttree_survey(pt).hash;
    uint32_t tables = pttables_out;
    assert_int_equal(pt_map(pt, VA(va), PA(pa), bytes, flags, max_level), error);
    assert_int_equal(pttree_survey(pt).hash, before);
    assert_int_equal(pttables_out, tables);
}

static void test_bad_arguments(void **state) {
    struct pt pt = pttree_fresh();
    expect_refused(&pt, 0x1008, 0, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 8, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE + 1, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, 0, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_W, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_W | PTE_X, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_U, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_R, paging.levels, -K_EINVAL);
    /* Across and beyond the borders of the halves. */
    expect_refused(&pt, USER_HALF_END, 0, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, USER_HALF_END - PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, high_half() - PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, USER_HALF_END - PAGE_SIZE, 0, high_half() - USER_HALF_END + 2 * PAGE_SIZE,
                   PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0, 0, high_half() + PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, -PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, PAGE_SIZE, 0, -PAGE_SIZE, PTE_R, 2, -K_EINVAL);

    pte_t old;
    assert_int_equal(pt_set_leaf(&pt, VA(0x1000), 1, pte_leaf(PA(0), PTE_R), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 1, pte_leaf(PA(0x1000), PTE_R), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 0, pte_leaf(PA(0), PTE_R) & ~PTE_V, &old), -K_EINVAL);
    expect_refused(&pt, 0x1000, 1ULL << 56, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, (1ULL << 56) - PAGE_SIZE, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 0, pte_table(PA(0)), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), paging.levels, pte_leaf(PA(0), PTE_R), &old),
                     -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(USER_HALF_END), 0, pte_leaf(PA(0), PTE_R), &old),
                     -K_EINVAL);
    assert_int_equal(pttree_tidy(&pt).tables, 1);
    unsigned level;
    assert_null(pt_walk(&pt, VA(USER_HALF_END), &level));
    assert_null(pt_walk(&pt, VA(high_half() - 1), &level));
    pttree_destroy(&pt);
}

static void test_borders_of_the_address_space(void **state) {
    const uint64_t page[] = {0, USER_HALF_END - PAGE_SIZE, high_half(), 0 - 2 * PAGE_SIZE};
    struct pt pt = pttree_fresh();
    for (unsigned i = 0; i < ARRAY_LEN(page); i++) {
        uint64_t pa = GIB(1) + i * PAGE_SIZE;
        assert_int_equal(pt_map(&pt, VA(page[i]), PA(pa), PAGE_SIZE, PTE_R, 2), 0);
        pttree_expect_at(&pt, page[i] + 0xfff, pa + 0xfff);
    }
    struct walker_survey s = pttree_tidy(&pt);
    assert_int_equal(s.leaves, 4);
    /* None of the four shares a table but the root. */
    assert_int_equal(s.tables, 1 + 4 * (paging.levels - 1));
    for (unsigned i = 0; i < ARRAY_LEN(page); i++)
        pttree_unmap(&pt, page[i], page[i] + PAGE_SIZE);
    assert_int_equal(pttree_tidy(&pt).tables, 1);

    /* All of the low half in the largest leaves, all of the high one but the last of them. */
    unsigned top = paging.levels - 1;
    assert_int_equal(pt_map(&pt, VA(0), PA(0), USER_HALF_END, PTE_R, top), 0);
    assert_int_equal(
        pt_map(&pt, VA(high_half()), PA(0), USER_HALF_END - level_size(top), PTE_R, top), 0);
    assert_int_equal(pttree_tidy(&pt).leaves, 256 + 255);
    pttree_expect_at(&pt, USER_HALF_END - 1, USER_HALF_END - 1);
    pttree_expect_at(&pt, high_half() + 5, 5);
    pttree_unmap(&pt, 0, USER_HALF_END);
    assert_int_equal(pttree_tidy(&pt).leaves, 255);
    pttree_destroy(&pt);
}

static uint64_t leaves_seen[PT_LEVELS_MAX];
static void count_leaf(void *ctx, uint64_t va, uint64_t entry, unsigned level) {
    leaves_seen[level]++;
}

static void expect_leaves(const struct pt *pt, uint64_t l0, uint64_t l1, uint64_t l2) {
    memset(leaves_seen, 0, sizeof leaves_seen);
    walker_survey(pt->root.v, 0, 512, count_leaf, NULL);
    assert_int_equal(leaves_seen[0], l0);
    assert_int_equal(leaves_seen[1], l1);
    assert_int_equal(leaves_seen[2], l2);
}

static void test_map_takes_the_largest_leaves(void **state) {
    struct pt pt = pttree_fresh();
    /* 3 pages, 2 x 2 MiB, 1 GiB, 1 x 2 MiB, 5 pages. */
    uint64_t start = GIB(1) - MIB(4) - 3 * PAGE_SIZE, end = GIB(2) + MIB(2) + 5 * PAGE_SIZE;
    assert_int_equal(pt_map(&pt, VA(start), PA(start + GIB(2)), end - start, RW, 2), 0);
    expect_leaves(&pt, 8, 3, 1);
    for (uint64_t va = start; va < end; va += PAGE_SIZE)
        pttree_expect_at(&pt, va, va + GIB(2));
    assert_false(mapped(&pt, start - 1));
    assert_false(mapped(&pt, end));
    pttree_unmap(&pt, start, end);
    assert_int_equal(pttree_tidy(&pt).tables, 1);

    assert_int_equal(pt_map(&pt, VA(GIB(1)), PA(GIB(1)), GIB(1), RW, 1), 0);
    expect_leaves(&pt, 0, 512, 0);
    pttree_unmap(&pt, GIB(1), GIB(2));
    assert_int_equal(pt_map(&pt, VA(0), PA(0), MIB(4), RW, 0), 0);
    expect_leaves(&pt, 1024, 0, 0);
    pttree_unmap(&pt, 0, MIB(4));
    /* Congruent modulo 4 KiB only, then modulo 2 MiB only. */
    assert_int_equal(pt_map(&pt, VA(0), PA(PAGE_SIZE), MIB(2), RW, 2), 0);
    expect_leaves(&pt, 512, 0, 0);
    assert_int_equal(pt_map(&pt, VA(GIB(1)), PA(MIB(2)), GIB(1), RW, 2), 0);
    expect_leaves(&pt, 512, 512, 0);
    pttree_destroy(&pt);
}

static void test_map_refuses_what_is_mapped(void **state) {
    struct pt pt = pttree_fresh();
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(0), MIB(2), PTE_R, 2), 0); /* level 1 */
    assert_int_equal(pt_map(&pt, VA(GIB(4)), PA(0), GIB(1), PTE_R, 2), 0); /* level 2 */
    assert_int_equal(pt_map(&pt, VA(MIB(6) - PAGE_SIZE), PA(0), PAGE_SIZE, PTE_R, 2), 0);
    expect_refused(&pt, MIB(2), 0, PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, MIB(4) - PAGE_SIZE, 0, PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, MIB(2), 0, MIB(2), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, 0, 0, MIB(4), PTE_R, 2, -K_EEXIST);      /* the first half would fit */
    expect_refused(&pt, MIB(4), 0, MIB(2), PTE_R, 2, -K_EEXIST); /* a table in a leaf's place */
    expect_refused(&pt, MIB(4) + PAGE_SIZE, 0, MIB(2), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, GIB(4) + MIB(7), 0, PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, 0, 0, GIB(1), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, GIB(3), 0, GIB(2), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, GIB(4) - PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    pte_t old;
    uint64_t before = pttree_tidy(&pt).hash;
    assert_int_equal(pt_set_leaf(&pt, VA(MIB(4)), 1, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pt_set_leaf(&pt, VA(MIB(2)), 0, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pt_set_leaf(&pt, VA(GIB(4)), 1, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 2, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pttree_tidy(&pt).hash, before);
    pttree_destroy(&pt);
}

static void test_set_leaf_replaces(void **state) {
    struct pt pt = pttree_fresh();
    for (unsigned level = 0; level < paging.levels; level++) {
        uint64_t va = MAX(GIB(level + 1), level_size(level));
        uint64_t pa = MAX(GIB(7), 7 * level_size(level)), other = pa + level_size(level);
        pte_t first = pte_leaf(PA(pa), PTE_R), second = pte_leaf(PA(other), RW), old = 1;
        assert_int_equal(pt_set_leaf(&pt, VA(va), level, first, &old), 0);
        assert_int_equal(old, 0);
        pttree_expect_at(&pt, va, pa);
        uint32_t tables = pt.tables;
        assert_int_equal(pt_set_leaf(&pt, VA(va), level, second, &old), 0);
        assert_int_equal(old, first);
        assert_int_equal(pt.tables, tables);
        pttree_expect_at(&pt, va, other);
        unsigned at;
        assert_int_equal(*pt_walk(&pt, VA(va + level_size(level) - 1), &at), second);
        assert_int_equal(at, level);
    }
    assert_int_equal(pttree_tidy(&pt).leaves, paging.levels);
    unsigned at;
    assert_int_equal(*pt_walk(&pt, VA(GIB(1) + PAGE_SIZE), &at), 0);
    assert_int_equal(at, 0);
    assert_int_equal(*pt_walk(&pt, VA(GIB(1) + MIB(2)), &at), 0);
    assert_int_equal(at, 1);
    assert_int_equal(*pt_walk(&pt, VA(GIB(200)), &at), 0);
    assert_int_equal(at, 2);
    pttree_destroy(&pt);
}

static void test_split_keeps_every_translation(void **state) {
    struct pt pt = pttree_fresh();
    uint64_t va = GIB(2), pa = GIB(6), flags = PTE_R | PTE_X | PTE_U | PTE_G | PTE_SPARE;
    pte_t old;
    assert_int_equal(pt_set_leaf(&pt, VA(va), 2, pte_leaf(PA(pa), flags), &old), 0);
    assert_int_equal(pt_split(&pt, VA(va + MIB(7))), 0);
    expect_leaves(&pt, 0, 512, 0);
    assert_int_equal(pt_split(&pt, VA(va + MIB(7))), 0); /* odd: 2 MiB leaf at 6 MiB */
    expect_leaves(&pt, 512, 511, 0);
    assert_int_equal(pt_split(&pt, VA(va + MIB(7))), 0); /* as small as can be */
    assert_int_equal(pt_split(&pt, VA(GIB(9))), 0);      /* nothing there */
    assert_int_equal(pt_split(&pt, VA(USER_HALF_END)), 0);
    expect_leaves(&pt, 512, 511, 0);
    assert_int_equal(pttree_tidy(&pt).tables, paging.levels);
    for (uint64_t off = 0; off < GIB(1); off += PAGE_SIZE) {
        uint64_t got;
        assert_true(walker_access(pt.root.v, va + off, WALKER_FETCH, WALKER_USER, &got));
        assert_int_equal(got, pa + off);
        unsigned level;
        assert_int_equal(*pt_walk(&pt, VA(va + off), &level) & PTE_FLAGS, flags | PTE_V | PTE_A);
    }
    pttree_destroy(&pt);

    pt = pttree_fresh();
    assert_int_equal(pt_map(&pt, VA(va), PA(pa), GIB(1), RW, 2), 0);
    assert_int_equal(borders_at(&pt, va + MIB(2), va + MIB(4)), 0);
    expect_leaves(&pt, 0, 512, 0);
    assert_int_equal(borders_at(&pt, va + PAGE_SIZE, va + MIB(900) - PAGE_SIZE), 0);
    expect_leaves(&pt, 1024, 510, 0);
    pttree_unmap(&pt, va + PAGE_SIZE, va + MIB(900) - PAGE_SIZE);
    pttree_expect_at(&pt, va + 4095, pa + 4095);
    assert_false(mapped(&pt, va + 4096));
    assert_false(mapped(&pt, va + MIB(900) - PAGE_SIZE - 1));
    pttree_expect_at(&pt, va + MIB(900) - PAGE_SIZE, pa + MIB(900) - PAGE_SIZE);
    pttree_tidy(&pt);
    pttree_destroy(&pt);
}

static void test_unmap_gives_back_only_after_the_flush(void **state) {
    struct pt pt = pttree_fresh();
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(0), MIB(2), RW, 0), 0);
    assert_int_equal(pt_map(&pt, VA(MIB(4)), PA(GIB(1)), MIB(2), RW, 1), 0);
    struct pt_gather g = {0};
    vaddr_t stop = pt_unmap(&pt, VA(MIB(2)), VA(MIB(6)), &g);
    assert_int_equal(stop.v, MIB(2) + PT_GATHER_LEAVES * PAGE_SIZE);
    assert_int_equal(g.count, PT_GATHER_LEAVES);
    assert_int_equal(g.tables, 0);
    for (unsigned i = 0; i < PT_GATHER_LEAVES; i++) {
        assert_int_equal(pte_pa(g.leaf[i]).v, i * PAGE_SIZE);
        assert_int_equal(g.level[i], 0);
    }
    assert_false(mapped(&pt, stop.v - 1));
    assert_true(mapped(&pt, stop.v));
    pt_gather_finish(&pt, &g, pttree_ignore_leaf, NULL);
    stop = pt_unmap(&pt, stop, VA(MIB(4)), &g);
    assert_int_equal(stop.v, MIB(4));
    stop = pt_unmap(&pt, stop, VA(MIB(6)), &g);
    assert_int_equal(stop.v, MIB(4)); /* full again; the table of 2 MiB fell empty */
    assert_int_equal(pttables_out, paging.levels);
    const pte_t *gone = pa_ptr(PA(g.tables));
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        assert_false(gone[i] & PTE_V); /* a late walk through it faults */
    pt_gather_finish(&pt, &g, pttree_ignore_leaf, NULL);
    assert_int_equal(pttables_out, paging.levels - 1);
    stop = pt_unmap(&pt, stop, VA(MIB(6)), &g);
    assert_int_equal(g.count, 1);
    assert_int_equal(g.level[0], 1);
    assert_int_equal(walker_survey(pt.root.v, 0, 512, NULL, NULL).tables, 1);
    assert_int_equal(pttables_out, paging.levels - 1);
    pt_gather_finish(&pt, &g, pttree_ignore_leaf, NULL);
    assert_int_equal(pttree_tidy(&pt).tables, 1);
    assert_int_equal(pt_unmap(&pt, VA(0), VA(USER_HALF_END), &g).v, USER_HALF_END);
    assert_int_equal(g.count, 0);
    assert_int_equal(pt_unmap(&pt, VA(0x1000), VA(0x1000), &g).v, 0x1000);
    pttree_destroy(&pt);
}

static void test_cutting_a_leaf_is_a_kernel_bug(void **state) {
    struct pt pt = pttree_fresh();
    struct pt_gather g = {0};
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(0), MIB(2), RW, 1), 0);
    assert_true(HOST_PANICS(pt_unmap(&pt, VA(MIB(2)), VA(MIB(3)), &g)));
    assert_true(HOST_PANICS(pt_unmap(&pt, VA(MIB(3)), VA(MIB(4)), &g)));
    assert_true(HOST_PANICS(pttree_protect(&pt, MIB(3), MIB(4), 0, PTE_W)));
    assert_true(HOST_PANICS(pt_unmap(&pt, VA(USER_HALF_END - PAGE_SIZE), VA(high_half()), &g)));
    pttree_expect_at(&pt, MIB(2), 0);
    pttree_destroy(&pt);
}

static void test_protect(void **state) {
    struct pt pt = pttree_fresh();
    uint64_t pa, start = MIB(2) - PAGE_SIZE;
    int err = pt_map(&pt, VA(start), PA(start), MIB(4) + 2 * PAGE_SIZE, RW | PTE_U, 1);
    assert_int_equal(err, 0);
    expect_leaves(&pt, 2, 2, 0);
    pttree_protect(&pt, MIB(2), MIB(4), PTE_SPARE, PTE_W);
    assert_int_equal(pt_protect(&pt, VA(MIB(4)), VA(MIB(4)), 0, PTE_W).v, MIB(4));
    for (uint64_t va = MIB(2) - PAGE_SIZE; va < MIB(6) + PAGE_SIZE; va += PAGE_SIZE) {
        bool inside = va >= MIB(2) && va < MIB(4);
        assert_true(walker_access(pt.root.v, va, WALKER_LOAD, WALKER_USER, &pa));
        assert_int_equal(walker_access(pt.root.v, va, WALKER_STORE, WALKER_USER, &pa), !inside);
        unsigned level;
        assert_int_equal(!!(*pt_walk(&pt, VA(va), &level) & PTE_SPARE), inside);
    }
    pttree_destroy(&pt);
}

struct visited {
    unsigned count, limit;
    uint64_t va[16];
    unsigned level[16];
};

static bool note_visit(void *ctx, vaddr_t va, unsigned level, pte_t *e) {
    struct visited *v = ctx;
    assert_true(v->count < ARRAY_LEN(v->va));
    v->va[v->count] = va.v;
    v->level[v->count++] = level;
    return v->count < v->limit;
}

static void test_visit(void **state) {
    struct pt pt = pttree_fresh();
    uint64_t high = KERNEL_HALF + GIB(1);
    assert_int_equal(pt_map(&pt, VA(MIB(2) - PAGE_SIZE), PA(0x1ff000), PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(MIB(2)), MIB(2), RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(GIB(1)), PA(GIB(1)), GIB(1), RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(high), PA(0), PAGE_SIZE, RW, 2), 0);

    /* Above them, one entry for each level that Sv39 does not have. */
    unsigned above = paging.levels - 3;
    struct visited v = {.limit = 16};
    pt_visit(&pt, VA(0), VA(USER_HALF_END), note_visit, &v);
    static const uint64_t va[] = {0, 0, MIB(2) - PAGE_SIZE, MIB(2), GIB(1)};
    static const unsigned level[] = {2, 1, 0, 1, 2};
    assert_int_equal(v.count, above + 5);
    assert_memory_equal(v.va + above, va, sizeof va);
    assert_memory_equal(v.level + above, level, sizeof level);
    for (unsigned i = 0; i < above; i++)
        assert_true(v.va[i] == 0 && v.level[i] == paging.levels - 1 - i);

    v = (struct visited){.limit = above + 3};
    pt_visit(&pt, VA(0), VA(USER_HALF_END), note_visit, &v);
    assert_int_equal(v.count, above + 3);

    v = (struct visited){.limit = 16}; /* overlaps the last page of the large leaf */
    pt_visit(&pt, VA(MIB(4) - PAGE_SIZE), VA(GIB(1)), note_visit, &v);
    assert_int_equal(v.count, above + 2);
    assert_int_equal(v.va[above + 1], MIB(2));

    v = (struct visited){.limit = 16};
    pt_visit(&pt, VA(high), VA(high + PAGE_SIZE), note_visit, &v);
    assert_int_equal(v.count, above + 3);
    for (unsigned i = 0; i < v.count; i++)
        assert_int_equal(v.va[i], ROUND_DOWN(high, level_size(v.level[i])));
    v = (struct visited){.limit = 16};
    pt_visit(&pt, VA(MIB(4)), VA(MIB(4)), note_visit, &v);
    assert_int_equal(v.count, 0);
    pttree_destroy(&pt);
}

static void test_destroy_leaves_the_shared_half_alone(void **state) {
    struct pt kernel = pttree_fresh(), pt;
    assert_int_equal(pt_map(&kernel, VA(KERNEL_HALF), PA(0), GIB(1) + PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_init(&pt, paging.levels, &pttables), 0);
    memcpy((pte_t *)pa_ptr(pt.root) + 256, (pte_t *)pa_ptr(kernel.root) + 256, 256 * sizeof(pte_t));
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(MIB(2)), MIB(2) + 3 * PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(GIB(9)), PA(0), GIB(1), RW, 2), 0);
    uint64_t bytes = 0, before = walker_survey(kernel.root.v, 0, 512, NULL, NULL).hash;
    pt_take_leaves(&pt, VA(0), VA(USER_HALF_END), pttree_sum_leaves, &bytes);
    pt_clear(&pt, VA(0), VA(USER_HALF_END), NULL);
    pt_free_root(&pt);
    assert_int_equal(bytes, GIB(1) + MIB(2) + 3 * PAGE_SIZE);
    assert_int_equal(pttree_tidy(&kernel).hash, before);
    pttree_expect_at(&kernel, KERNEL_HALF + GIB(1), GIB(1));
    pttree_destroy(&kernel);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic_of_entries),
        cmocka_unit_test(test_permissions_at_every_level),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_borders_of_the_address_space),
        cmocka_unit_test(test_map_takes_the_largest_leaves),
        cmocka_unit_test(test_map_refuses_what_is_mapped),
        cmocka_unit_test(test_set_leaf_replaces),
        cmocka_unit_test(test_split_keeps_every_translation),
        cmocka_unit_test(test_unmap_gives_back_only_after_the_flush),
        cmocka_unit_test(test_cutting_a_leaf_is_a_kernel_bug),
        cmocka_unit_test(test_protect),
        cmocka_unit_test(test_visit),
        cmocka_unit_test(test_destroy_leaves_the_shared_half_alone),
    };
    int failed = 0;
    for (unsigned levels = LEVELS_MIN; levels <= LEVELS_MAX; levels++) {
        use_levels(levels);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
