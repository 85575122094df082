/* The page-table core: units at every level, permission and border; random use
 * against a flat model; the n-th allocation fails. What the tree says is read by
 * walker.c, never by the code under test. */
/* sources: kernel/mm/pt.c tests/host/walker.c tests/host/hostarch.c */
#include "arch/pte.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/pt.h"
#include "walker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- where tables come from ---------------------------------------------- */

#define FRAMES 4096
static bool out[FRAMES];
static uint32_t outstanding, next_frame;
static int64_t fail_in; /* > 0: the n-th take from now fails */

static int take(paddr_t *table) {
    if (fail_in > 0 && --fail_in == 0)
        return -K_ENOMEM;
    if (outstanding == FRAMES)
        return -K_ENOMEM;
    while (out[next_frame])
        next_frame = (next_frame + 1) % FRAMES;
    out[next_frame] = true;
    outstanding++;
    *table = PA(HOST_RAM_START + next_frame * PAGE_SIZE);
    memset(pa_ptr(*table), 0, PAGE_SIZE);
    return 0;
}

static void give(paddr_t table) {
    uint64_t i = (table.v - HOST_RAM_START) / PAGE_SIZE;
    assert_true(IS_ALIGNED(table.v, PAGE_SIZE) && i < FRAMES);
    assert_true(out[i]);
    out[i] = false;
    outstanding--;
    memset(pa_ptr(table), 0xff, PAGE_SIZE); /* whoever still reads it finds rubbish */
}

static const struct pt_memory memory = {take, give};

static struct pt fresh(void) {
    struct pt pt;
    host_ram_map(FRAMES * PAGE_SIZE);
    memset(out, 0, sizeof out);
    outstanding = next_frame = 0;
    fail_in = 0;
    assert_int_equal(pt_init(&pt, &memory), 0);
    assert_int_equal(outstanding, 1);
    return pt;
}

static struct walker_survey survey(const struct pt *pt) {
    struct walker_survey s = walker_survey(pt->root.v, 0, 512, NULL, NULL);
    assert_string_equal(s.fault ? s.fault : "sound", "sound");
    assert_int_equal(s.tables, pt->tables);
    return s;
}

/* Also: no table that is empty, no frame taken but for the tree. */
static struct walker_survey tidy(const struct pt *pt) {
    struct walker_survey s = survey(pt);
    assert_int_equal(s.empty, 0);
    assert_int_equal(s.tables, outstanding);
    return s;
}

static void expect_at(const struct pt *pt, uint64_t va, uint64_t pa) {
    uint64_t got = 0;
    bool ok = walker_access(pt->root.v, va, WALKER_LOAD, WALKER_SUPERVISOR, &got);
    assert_true(ok);
    assert_int_equal(got, pa);
}

static bool mapped(const struct pt *pt, uint64_t va) {
    uint64_t pa;
    return walker_access(pt->root.v, va, WALKER_LOAD, WALKER_SUPERVISOR, &pa);
}

static void ignore_leaf(void *ctx, pte_t e, unsigned level) {}

static void clear_all(struct pt *pt, pt_leaves_fn leaf, void *ctx) {
    pt_clear(pt, VA(0), VA(USER_HALF_END), leaf, ctx);
    pt_clear(pt, VA(KERNEL_HALF), VA(KERNEL_HALF + GIB(255)), leaf, ctx);
    pt_free_root(pt);
}

static void destroy(struct pt *pt) {
    clear_all(pt, NULL, NULL);
    assert_int_equal(outstanding, 0);
}

static void unmap(struct pt *pt, uint64_t start, uint64_t end) {
    struct pt_gather g;
    while (start != end) {
        pt_gather_init(&g);
        uint64_t stop = pt_unmap(pt, VA(start), VA(end), &g).v;
        assert_true(stop > start && stop <= end);
        pt_gather_finish(pt, &g, ignore_leaf, NULL);
        start = stop;
    }
}

#define RW (PTE_R | PTE_W)

/* ---- units --------------------------------------------------------------- */

static void test_arithmetic_of_entries(void **state) {
    pte_t e = pte_leaf(PA(0x123456789000), PTE_R | PTE_X | PTE_U);
    assert_int_equal(e, 0x123456789ULL << 10 | 0x5b); /* V R X U A */
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
    assert_int_equal(satp_make(PA(0x80001000), 0xabcd), 0x8abcd00000080001);
    assert_true(va_canonical(VA(0x3fffffffff)));
    assert_false(va_canonical(VA(0x4000000000)));
    assert_false(va_canonical(VA(0xffffffbfffffffff)));
    assert_true(va_canonical(VA(0xffffffc000000000)));
    assert_true(va_canonical(VA(UINT64_MAX)));
    assert_int_equal(va_index(VA(UINT64_MAX), 2), 511);
    assert_int_equal(va_index(VA(0x40201000), 2) << 8 | va_index(VA(0x40201000), 1) << 4 |
                     va_index(VA(0x40201000), 0), 0x111);
}

/* Each permission at each level grants what the specification says, no more. */
static void test_permissions_at_every_level(void **state) {
    static const uint64_t sensible[] = {PTE_R, RW, PTE_X, PTE_R | PTE_X, PTE_RWX};
    for (unsigned level = 0; level < PT_LEVELS; level++)
        for (unsigned i = 0; i < ARRAY_LEN(sensible) * 4; i++) {
            uint64_t flags = sensible[i / 4] | (i & 1 ? PTE_U : 0) | (i & 2 ? PTE_G : 0);
            struct pt pt = fresh();
            uint64_t va = GIB(3), pa = GIB(5), last = va + level_size(level) - 1;
            assert_int_equal(pt_map(&pt, VA(va), PA(pa), level_size(level), flags, 2), 0);
            assert_int_equal(tidy(&pt).leaves, 1);
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
            destroy(&pt);
        }
}

static void expect_refused(struct pt *pt, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t flags,
                           unsigned max_level, int error) {
    uint64_t before = survey(pt).hash;
    uint32_t tables = outstanding;
    assert_int_equal(pt_map(pt, VA(va), PA(pa), bytes, flags, max_level), error);
    assert_int_equal(survey(pt).hash, before);
    assert_int_equal(outstanding, tables);
}

static void test_bad_arguments(void **state) {
    struct pt pt = fresh();
    expect_refused(&pt, 0x1008, 0, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 8, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE + 1, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, 0, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_W, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_W | PTE_X, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_U, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, 0, PAGE_SIZE, PTE_R, 3, -K_EINVAL);
    /* Across and beyond the borders of the halves. */
    expect_refused(&pt, USER_HALF_END, 0, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, USER_HALF_END - PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, KERNEL_HALF - PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, USER_HALF_END - PAGE_SIZE, 0, KERNEL_HALF - USER_HALF_END + 2 * PAGE_SIZE,
                   PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0, 0, KERNEL_HALF + PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, -PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, PAGE_SIZE, 0, -PAGE_SIZE, PTE_R, 2, -K_EINVAL);

    pte_t old;
    assert_int_equal(pt_set_leaf(&pt, VA(0x1000), 1, pte_leaf(PA(0), PTE_R), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 1, pte_leaf(PA(0x1000), PTE_R), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 0, pte_leaf(PA(0), PTE_R) & ~PTE_V, &old), -K_EINVAL);
    expect_refused(&pt, 0x1000, 1ULL << 56, PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    expect_refused(&pt, 0x1000, (1ULL << 56) - PAGE_SIZE, 2 * PAGE_SIZE, PTE_R, 2, -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 0, pte_table(PA(0)), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 3, pte_leaf(PA(0), PTE_R), &old), -K_EINVAL);
    assert_int_equal(pt_set_leaf(&pt, VA(USER_HALF_END), 0, pte_leaf(PA(0), PTE_R), &old),
                     -K_EINVAL);
    assert_int_equal(tidy(&pt).tables, 1);
    unsigned level;
    assert_null(pt_walk(&pt, VA(USER_HALF_END), &level));
    assert_null(pt_walk(&pt, VA(KERNEL_HALF - 1), &level));
    destroy(&pt);
}

static void test_borders_of_the_address_space(void **state) {
    static const uint64_t page[] = {0, USER_HALF_END - PAGE_SIZE, KERNEL_HALF, 0 - 2 * PAGE_SIZE};
    struct pt pt = fresh();
    for (unsigned i = 0; i < ARRAY_LEN(page); i++) {
        uint64_t pa = GIB(1) + i * PAGE_SIZE;
        assert_int_equal(pt_map(&pt, VA(page[i]), PA(pa), PAGE_SIZE, PTE_R, 2), 0);
        expect_at(&pt, page[i] + 0xfff, pa + 0xfff);
    }
    struct walker_survey s = tidy(&pt);
    assert_int_equal(s.leaves, 4);
    assert_int_equal(s.tables, 9); /* none of the four shares a table but the root */
    for (unsigned i = 0; i < ARRAY_LEN(page); i++)
        unmap(&pt, page[i], page[i] + PAGE_SIZE);
    assert_int_equal(tidy(&pt).tables, 1);

    /* All of the low half in leaves of 1 GiB, all of the high one but the last GiB. */
    assert_int_equal(pt_map(&pt, VA(0), PA(0), USER_HALF_END, PTE_R, 2), 0);
    assert_int_equal(pt_map(&pt, VA(KERNEL_HALF), PA(0), GIB(255), PTE_R, 2), 0);
    assert_int_equal(tidy(&pt).leaves, 256 + 255);
    expect_at(&pt, USER_HALF_END - 1, USER_HALF_END - 1);
    expect_at(&pt, KERNEL_HALF + 5, 5);
    unmap(&pt, 0, USER_HALF_END);
    assert_int_equal(tidy(&pt).leaves, 255);
    destroy(&pt);
}

static uint64_t leaves_seen[PT_LEVELS];
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
    struct pt pt = fresh();
    /* 3 pages, 2 x 2 MiB, 1 GiB, 1 x 2 MiB, 5 pages. */
    uint64_t start = GIB(1) - MIB(4) - 3 * PAGE_SIZE, end = GIB(2) + MIB(2) + 5 * PAGE_SIZE;
    assert_int_equal(pt_map(&pt, VA(start), PA(start + GIB(2)), end - start, RW, 2), 0);
    expect_leaves(&pt, 8, 3, 1);
    for (uint64_t va = start; va < end; va += PAGE_SIZE)
        expect_at(&pt, va, va + GIB(2));
    assert_false(mapped(&pt, start - 1));
    assert_false(mapped(&pt, end));
    unmap(&pt, start, end);
    assert_int_equal(tidy(&pt).tables, 1);

    assert_int_equal(pt_map(&pt, VA(GIB(1)), PA(GIB(1)), GIB(1), RW, 1), 0);
    expect_leaves(&pt, 0, 512, 0);
    unmap(&pt, GIB(1), GIB(2));
    assert_int_equal(pt_map(&pt, VA(0), PA(0), MIB(4), RW, 0), 0);
    expect_leaves(&pt, 1024, 0, 0);
    unmap(&pt, 0, MIB(4));
    /* Congruent modulo 4 KiB only, then modulo 2 MiB only. */
    assert_int_equal(pt_map(&pt, VA(0), PA(PAGE_SIZE), MIB(2), RW, 2), 0);
    expect_leaves(&pt, 512, 0, 0);
    assert_int_equal(pt_map(&pt, VA(GIB(1)), PA(MIB(2)), GIB(1), RW, 2), 0);
    expect_leaves(&pt, 512, 512, 0);
    destroy(&pt);
}

static void test_map_refuses_what_is_mapped(void **state) {
    struct pt pt = fresh();
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(0), MIB(2), PTE_R, 2), 0);           /* level 1 */
    assert_int_equal(pt_map(&pt, VA(GIB(4)), PA(0), GIB(1), PTE_R, 2), 0);           /* level 2 */
    assert_int_equal(pt_map(&pt, VA(MIB(6) - PAGE_SIZE), PA(0), PAGE_SIZE, PTE_R, 2), 0);
    expect_refused(&pt, MIB(2), 0, PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, MIB(4) - PAGE_SIZE, 0, PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, MIB(2), 0, MIB(2), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, 0, 0, MIB(4), PTE_R, 2, -K_EEXIST); /* the first half would fit */
    expect_refused(&pt, MIB(4), 0, MIB(2), PTE_R, 2, -K_EEXIST); /* a table in a leaf's place */
    expect_refused(&pt, MIB(4) + PAGE_SIZE, 0, MIB(2), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, GIB(4) + MIB(7), 0, PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, 0, 0, GIB(1), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, GIB(3), 0, GIB(2), PTE_R, 2, -K_EEXIST);
    expect_refused(&pt, GIB(4) - PAGE_SIZE, 0, 2 * PAGE_SIZE, PTE_R, 2, -K_EEXIST);
    pte_t old;
    uint64_t before = tidy(&pt).hash;
    assert_int_equal(pt_set_leaf(&pt, VA(MIB(4)), 1, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pt_set_leaf(&pt, VA(MIB(2)), 0, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pt_set_leaf(&pt, VA(GIB(4)), 1, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(pt_set_leaf(&pt, VA(0), 2, pte_leaf(PA(0), PTE_R), &old), -K_EEXIST);
    assert_int_equal(tidy(&pt).hash, before);
    destroy(&pt);
}

static void test_set_leaf_replaces(void **state) {
    struct pt pt = fresh();
    for (unsigned level = 0; level < PT_LEVELS; level++) {
        uint64_t va = GIB(level + 1);
        pte_t first = pte_leaf(PA(GIB(7)), PTE_R), second = pte_leaf(PA(GIB(9)), RW), old = 1;
        assert_int_equal(pt_set_leaf(&pt, VA(va), level, first, &old), 0);
        assert_int_equal(old, 0);
        expect_at(&pt, va, GIB(7));
        uint32_t tables = pt.tables;
        assert_int_equal(pt_set_leaf(&pt, VA(va), level, second, &old), 0);
        assert_int_equal(old, first);
        assert_int_equal(pt.tables, tables);
        expect_at(&pt, va, GIB(9));
        unsigned at;
        assert_int_equal(*pt_walk(&pt, VA(va + level_size(level) - 1), &at), second);
        assert_int_equal(at, level);
    }
    assert_int_equal(tidy(&pt).leaves, 3);
    unsigned at;
    assert_int_equal(*pt_walk(&pt, VA(GIB(1) + PAGE_SIZE), &at), 0);
    assert_int_equal(at, 0);
    assert_int_equal(*pt_walk(&pt, VA(GIB(1) + MIB(2)), &at), 0);
    assert_int_equal(at, 1);
    assert_int_equal(*pt_walk(&pt, VA(GIB(200)), &at), 0);
    assert_int_equal(at, 2);
    destroy(&pt);
}

static void test_split_keeps_every_translation(void **state) {
    struct pt pt = fresh();
    uint64_t va = GIB(2), pa = GIB(6), flags = PTE_R | PTE_X | PTE_U | PTE_G | PTE_SOFT;
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
    assert_int_equal(tidy(&pt).tables, 3);
    for (uint64_t off = 0; off < GIB(1); off += PAGE_SIZE) {
        uint64_t got;
        assert_true(walker_access(pt.root.v, va + off, WALKER_FETCH, WALKER_USER, &got));
        assert_int_equal(got, pa + off);
        unsigned level;
        assert_int_equal(pte_flags(*pt_walk(&pt, VA(va + off), &level)), flags | PTE_V | PTE_A);
    }
    destroy(&pt);

    pt = fresh();
    assert_int_equal(pt_map(&pt, VA(va), PA(pa), GIB(1), RW, 2), 0);
    assert_int_equal(pt_split_range(&pt, VA(va + MIB(2)), VA(va + MIB(4))), 0);
    expect_leaves(&pt, 0, 512, 0);
    assert_int_equal(pt_split_range(&pt, VA(va + PAGE_SIZE), VA(va + MIB(900) - PAGE_SIZE)), 0);
    expect_leaves(&pt, 1024, 510, 0);
    unmap(&pt, va + PAGE_SIZE, va + MIB(900) - PAGE_SIZE);
    expect_at(&pt, va + 4095, pa + 4095);
    assert_false(mapped(&pt, va + 4096));
    assert_false(mapped(&pt, va + MIB(900) - PAGE_SIZE - 1));
    expect_at(&pt, va + MIB(900) - PAGE_SIZE, pa + MIB(900) - PAGE_SIZE);
    tidy(&pt);
    destroy(&pt);
}

static void test_unmap_gives_back_only_after_the_flush(void **state) {
    struct pt pt = fresh();
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(0), MIB(2), RW, 0), 0);
    assert_int_equal(pt_map(&pt, VA(MIB(4)), PA(GIB(1)), MIB(2), RW, 1), 0);
    struct pt_gather g;
    pt_gather_init(&g);
    vaddr_t stop = pt_unmap(&pt, VA(MIB(2)), VA(MIB(6)), &g);
    assert_int_equal(stop.v, MIB(2) + PT_GATHER_LEAVES * PAGE_SIZE);
    assert_int_equal(g.count, PT_GATHER_LEAVES);
    assert_int_equal(g.tables.v, 0);
    for (unsigned i = 0; i < PT_GATHER_LEAVES; i++) {
        assert_int_equal(pte_pa(g.leaf[i]).v, i * PAGE_SIZE);
        assert_int_equal(g.level[i], 0);
    }
    assert_false(mapped(&pt, stop.v - 1));
    assert_true(mapped(&pt, stop.v));
    pt_gather_finish(&pt, &g, ignore_leaf, NULL);
    stop = pt_unmap(&pt, stop, VA(MIB(4)), &g);
    assert_int_equal(stop.v, MIB(4));
    stop = pt_unmap(&pt, stop, VA(MIB(6)), &g);
    assert_int_equal(stop.v, MIB(4)); /* full again; the table of 2 MiB fell empty */
    assert_int_equal(outstanding, 3);
    const pte_t *gone = pa_ptr(g.tables);
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        assert_false(gone[i] & PTE_V); /* a late walk through it faults */
    pt_gather_finish(&pt, &g, ignore_leaf, NULL);
    assert_int_equal(outstanding, 2);
    stop = pt_unmap(&pt, stop, VA(MIB(6)), &g);
    assert_int_equal(g.count, 1);
    assert_int_equal(g.level[0], 1);
    assert_int_equal(walker_survey(pt.root.v, 0, 512, NULL, NULL).tables, 1);
    assert_int_equal(outstanding, 2);
    pt_gather_finish(&pt, &g, ignore_leaf, NULL);
    assert_int_equal(tidy(&pt).tables, 1);
    assert_int_equal(pt_unmap(&pt, VA(0), VA(USER_HALF_END), &g).v, USER_HALF_END);
    assert_int_equal(g.count, 0);
    assert_int_equal(pt_unmap(&pt, VA(0x1000), VA(0x1000), &g).v, 0x1000);
    destroy(&pt);
}

static void test_cutting_a_leaf_is_a_kernel_bug(void **state) {
    struct pt pt = fresh();
    struct pt_gather g;
    pt_gather_init(&g);
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(0), MIB(2), RW, 1), 0);
    assert_true(HOST_PANICS(pt_unmap(&pt, VA(MIB(2)), VA(MIB(3)), &g)));
    assert_true(HOST_PANICS(pt_unmap(&pt, VA(MIB(3)), VA(MIB(4)), &g)));
    assert_true(HOST_PANICS(pt_protect(&pt, VA(MIB(3)), VA(MIB(4)), 0, PTE_W)));
    assert_true(HOST_PANICS(pt_unmap(&pt, VA(USER_HALF_END - PAGE_SIZE), VA(KERNEL_HALF), &g)));
    expect_at(&pt, MIB(2), 0);
    destroy(&pt);
}

static void test_protect(void **state) {
    struct pt pt = fresh();
    uint64_t pa, start = MIB(2) - PAGE_SIZE;
    int err = pt_map(&pt, VA(start), PA(start), MIB(4) + 2 * PAGE_SIZE, RW | PTE_U, 1);
    assert_int_equal(err, 0);
    expect_leaves(&pt, 2, 2, 0);
    pt_protect(&pt, VA(MIB(2)), VA(MIB(4)), PTE_SOFT, PTE_W);
    pt_protect(&pt, VA(MIB(4)), VA(MIB(4)), 0, PTE_W);
    for (uint64_t va = MIB(2) - PAGE_SIZE; va < MIB(6) + PAGE_SIZE; va += PAGE_SIZE) {
        bool inside = va >= MIB(2) && va < MIB(4);
        assert_true(walker_access(pt.root.v, va, WALKER_LOAD, WALKER_USER, &pa));
        assert_int_equal(walker_access(pt.root.v, va, WALKER_STORE, WALKER_USER, &pa), !inside);
        unsigned level;
        assert_int_equal(!!(*pt_walk(&pt, VA(va), &level) & PTE_SOFT), inside);
    }
    destroy(&pt);
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
    struct pt pt = fresh();
    uint64_t high = KERNEL_HALF + GIB(1);
    assert_int_equal(pt_map(&pt, VA(MIB(2) - PAGE_SIZE), PA(0x1ff000), PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(MIB(2)), MIB(2), RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(GIB(1)), PA(GIB(1)), GIB(1), RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(high), PA(0), PAGE_SIZE, RW, 2), 0);

    struct visited v = {.limit = 16};
    pt_visit(&pt, VA(0), VA(USER_HALF_END), note_visit, &v);
    static const uint64_t va[] = {0, 0, MIB(2) - PAGE_SIZE, MIB(2), GIB(1)};
    static const unsigned level[] = {2, 1, 0, 1, 2};
    assert_int_equal(v.count, 5);
    assert_memory_equal(v.va, va, sizeof va);
    assert_memory_equal(v.level, level, sizeof level);

    v = (struct visited){.limit = 3};
    pt_visit(&pt, VA(0), VA(USER_HALF_END), note_visit, &v);
    assert_int_equal(v.count, 3);

    v = (struct visited){.limit = 16}; /* overlaps the last page of the large leaf */
    pt_visit(&pt, VA(MIB(4) - PAGE_SIZE), VA(GIB(1)), note_visit, &v);
    assert_int_equal(v.count, 2);
    assert_int_equal(v.va[1], MIB(2));

    v = (struct visited){.limit = 16};
    pt_visit(&pt, VA(high), VA(high + PAGE_SIZE), note_visit, &v);
    assert_int_equal(v.count, 3);
    assert_int_equal(v.va[0], high);
    assert_int_equal(v.va[2], high);
    v = (struct visited){.limit = 16};
    pt_visit(&pt, VA(MIB(4)), VA(MIB(4)), note_visit, &v);
    assert_int_equal(v.count, 0);
    destroy(&pt);
}

static void sum_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    uint64_t *sum = ctx;
    for (unsigned i = 0; i < count; i++)
        if (pte_valid(entry[i]))
            *sum += level_size(level);
}

static void test_destroy_leaves_the_shared_half_alone(void **state) {
    struct pt kernel = fresh(), pt;
    assert_int_equal(pt_map(&kernel, VA(KERNEL_HALF), PA(0), GIB(1) + PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_init(&pt, &memory), 0);
    memcpy((pte_t *)pa_ptr(pt.root) + 256, (pte_t *)pa_ptr(kernel.root) + 256, 256 * sizeof(pte_t));
    assert_int_equal(pt_map(&pt, VA(MIB(2)), PA(MIB(2)), MIB(2) + 3 * PAGE_SIZE, RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(GIB(9)), PA(0), GIB(1), RW, 2), 0);
    uint64_t bytes = 0, before = walker_survey(kernel.root.v, 0, 512, NULL, NULL).hash;
    pt_clear(&pt, VA(0), VA(USER_HALF_END), sum_leaves, &bytes);
    pt_free_root(&pt);
    assert_int_equal(bytes, GIB(1) + MIB(2) + 3 * PAGE_SIZE);
    assert_int_equal(tidy(&kernel).hash, before);
    expect_at(&kernel, KERNEL_HALF + GIB(1), GIB(1));
    destroy(&kernel);
}

/* ---- the n-th allocation fails ------------------------------------------- */

/* Runs op on trees made alike until it succeeds, with failures at its 1st, 2nd ...
 * allocation; after each failure the tree is as before. Returns how many tables
 * op takes. */
static unsigned fail_each(void (*prepare)(struct pt *), int (*op)(struct pt *)) {
    for (unsigned n = 1;; n++) {
        struct pt pt = fresh();
        prepare(&pt);
        uint64_t before = tidy(&pt).hash;
        fail_in = n;
        int err = op(&pt);
        bool failed = fail_in == 0;
        fail_in = 0;
        assert_int_equal(err, failed ? -K_ENOMEM : 0);
        if (failed)
            assert_int_equal(tidy(&pt).hash, before);
        else
            assert_int_not_equal(tidy(&pt).hash, before);
        destroy(&pt);
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
    assert_int_equal(fail_each(prepare_nothing, op_map_wide), 2 + 6); /* 5 MiB: 3 tables a side */
    assert_int_equal(fail_each(prepare_neighbours, op_map_wide), 1 + 5); /* two are there */
    assert_int_equal(fail_each(prepare_nothing, op_map_mixed), 2 + 2);
    assert_int_equal(fail_each(prepare_neighbours, op_map_mixed), 3);
    assert_int_equal(fail_each(prepare_nothing, op_set_leaf), 2);
    assert_int_equal(fail_each(prepare_neighbours, op_split_giga), 1);
    struct pt pt;
    uint32_t before = outstanding;
    fail_in = 1;
    assert_int_equal(pt_init(&pt, &memory), -K_ENOMEM);
    assert_int_equal(outstanding, before);
}

/* pt_split_range may leave some leaf split, but no translation changed. */
static void test_failed_split_range_changes_no_translation(void **state) {
    for (unsigned n = 1; n <= 4; n++) {
        struct pt pt = fresh();
        assert_int_equal(pt_map(&pt, VA(0), PA(GIB(1)), GIB(2), RW, 2), 0);
        fail_in = n;
        int err = pt_split_range(&pt, VA(PAGE_SIZE), VA(GIB(1) + 3 * PAGE_SIZE));
        assert_int_equal(err, -K_ENOMEM);
        for (uint64_t va = 0; va < GIB(2); va += MIB(1) + PAGE_SIZE)
            expect_at(&pt, va, GIB(1) + va);
        tidy(&pt);
        destroy(&pt);
    }
}

/* ---- copies -------------------------------------------------------------- */

static void test_copy(void **state) {
    struct pt src = fresh(), dst;
    uint64_t start = MIB(2) - PAGE_SIZE;
    assert_int_equal(pt_map(&src, VA(start), PA(start), MIB(6), RW | PTE_U, 2), 0);
    assert_int_equal(pt_map(&src, VA(GIB(2)), PA(GIB(1)), GIB(1), RW | PTE_U, 2), 0);
    assert_int_equal(pt_map(&src, VA(GIB(4)), PA(0), PAGE_SIZE, RW | PTE_U, 2), 0);
    uint32_t base = outstanding;
    for (unsigned n = 1;; n++) {
        assert_int_equal(pt_init(&dst, &memory), 0);
        fail_in = n;
        uint64_t bytes = 0;
        int err = pt_copy(&dst, &src, VA(0), VA(GIB(4)), PTE_W, sum_leaves, &bytes);
        bool failed = fail_in == 0;
        fail_in = 0;
        assert_int_equal(err, failed ? -K_ENOMEM : 0);
        struct walker_survey s = survey(&dst);
        if (failed) {
            uint64_t back = 0;
            clear_all(&dst, sum_leaves, &back);
            assert_int_equal(back, bytes); /* as many were counted as there are */
            assert_int_equal(outstanding, base);
            continue;
        }
        assert_int_equal(n, 1 + 3);
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
    clear_all(&dst, NULL, NULL);
    destroy(&src);
}

/* ---- random use against a flat model ------------------------------------- */

#define WINDOW_PAGES 2048 /* 8 MiB */
static const uint64_t window[] = {0, GIB(1) - MIB(4), USER_HALF_END - MIB(8), KERNEL_HALF,
                                  KERNEL_HALF + GIB(5) - MIB(2)};
#define WINDOWS ARRAY_LEN(window)

struct page {
    uint64_t entry; /* as a leaf of 4 KiB would say it; 0: not mapped */
};
static struct page model[WINDOWS][WINDOW_PAGES], seen[WINDOWS][WINDOW_PAGES];
static uint8_t model_level[WINDOWS][WINDOW_PAGES]; /* of the leaf that maps the page */

static struct page *page_at(struct page pages[WINDOWS][WINDOW_PAGES], uint64_t va) {
    for (unsigned w = 0; w < WINDOWS; w++)
        if (va - window[w] < WINDOW_PAGES * PAGE_SIZE)
            return &pages[w][(va - window[w]) / PAGE_SIZE];
    fail_msg("a leaf at %#lx, where nothing was mapped", (unsigned long)va);
    return NULL;
}

static void see_leaf(void *ctx, uint64_t va, uint64_t entry, unsigned level) {
    for (uint64_t i = 0; i < level_size(level) / PAGE_SIZE; i++) {
        struct page *page = page_at(seen, va + i * PAGE_SIZE);
        page->entry = entry + (i << 10);
        size_t at = page - &seen[0][0];
        assert_int_equal((&model_level[0][0])[at], level);
    }
}

static void compare(const struct pt *pt) {
    memset(seen, 0, sizeof seen);
    walker_survey(pt->root.v, 0, 512, see_leaf, NULL);
    tidy(pt);
    for (unsigned w = 0; w < WINDOWS; w++)
        if (memcmp(seen[w], model[w], sizeof seen[w]))
            for (unsigned i = 0; i < WINDOW_PAGES; i++)
                if (seen[w][i].entry != model[w][i].entry)
                    fail_msg("%#lx: %#lx, should be %#lx",
                             (unsigned long)(window[w] + i * PAGE_SIZE),
                             (unsigned long)seen[w][i].entry, (unsigned long)model[w][i].entry);
}

struct piece {
    unsigned w, first, pages;
    uint64_t va, end;
};

/* Often aligned to 2 MiB, often short. */
static struct piece random_piece(void) {
    struct piece p = {.w = host_random_below(WINDOWS)};
    p.first = host_random_below(WINDOW_PAGES);
    p.pages = 1 + host_random_below(host_random_below(2) ? 16 : WINDOW_PAGES);
    if (host_random_below(2)) {
        p.first &= ~511u;
        p.pages = (p.pages + 511) & ~511u;
    }
    p.pages = MIN(p.pages, WINDOW_PAGES - p.first);
    p.va = window[p.w] + p.first * PAGE_SIZE;
    p.end = p.va + p.pages * PAGE_SIZE;
    return p;
}

static uint64_t random_flags(void) {
    static const uint64_t sensible[] = {PTE_R, RW, PTE_X, PTE_R | PTE_X, PTE_RWX};
    return sensible[host_random_below(5)] | (host_random_below(2) ? PTE_U : 0) |
           (host_random_below(4) ? 0 : PTE_G);
}

/* What the specification wants of a new leaf, said once more. */
static uint64_t entry_of(uint64_t pa, uint64_t flags) {
    return pa >> 12 << 10 | flags | 0x41 | (flags & 4 ? 0x80 : 0);
}

static void model_map(const struct piece *p, uint64_t pa, uint64_t flags, unsigned max_level) {
    for (unsigned i = 0; i < p->pages; i++) {
        model[p->w][p->first + i].entry = entry_of(pa + i * PAGE_SIZE, flags);
        uint64_t start = ROUND_DOWN(p->va + i * PAGE_SIZE, MIB(2));
        bool large = max_level > 0 && start >= p->va && start + MIB(2) <= p->end &&
                     IS_ALIGNED(p->va - pa, MIB(2));
        model_level[p->w][p->first + i] = large;
    }
}

static void random_map(struct pt *pt) {
    struct piece p = random_piece();
    uint64_t pa = GIB(8) + host_random_below(1 << 20) * PAGE_SIZE, flags = random_flags();
    if (host_random_below(4))
        pa = ROUND_DOWN(pa, MIB(2)) + p.va % MIB(2);
    unsigned max_level = host_random_below(3);
    bool taken = false;
    for (unsigned i = 0; i < p.pages; i++)
        taken |= model[p.w][p.first + i].entry != 0;
    uint64_t before = tidy(pt).hash;
    fail_in = host_random_below(8);
    int err = pt_map(pt, VA(p.va), PA(pa), p.end - p.va, flags, max_level);
    fail_in = 0;
    if (err == -K_ENOMEM) {
        assert_int_equal(tidy(pt).hash, before);
    } else if (taken) {
        assert_int_equal(err, -K_EEXIST);
        assert_int_equal(tidy(pt).hash, before);
    } else {
        assert_int_equal(err, 0);
        model_map(&p, pa, flags, max_level);
    }
}

static void model_split(uint64_t va) {
    if (page_at(model, va)->entry && !IS_ALIGNED(va, MIB(2))) {
        size_t first = page_at(model, ROUND_DOWN(va, MIB(2))) - &model[0][0];
        memset(&model_level[0][0] + first, 0, 512);
    }
}

static bool split_range(struct pt *pt, const struct piece *p) {
    if (pt_split_range(pt, VA(p->va), VA(p->end)))
        return false;
    model_split(p->va);
    if (p->end < window[p->w] + WINDOW_PAGES * PAGE_SIZE)
        model_split(p->end);
    return true;
}

static void random_unmap(struct pt *pt) {
    struct piece p = random_piece();
    assert_true(split_range(pt, &p));
    struct pt_gather g;
    for (uint64_t at = p.va; at < p.end;) {
        pt_gather_init(&g);
        uint32_t tables = outstanding;
        uint64_t stop = pt_unmap(pt, VA(at), VA(p.end), &g).v;
        assert_int_equal(outstanding, tables);
        for (uint32_t i = 0; i < g.count; i++) { /* in order, each once */
            while (at < stop && page_at(model, at)->entry == 0)
                at += PAGE_SIZE;
            assert_int_equal(g.leaf[i], page_at(model, at)->entry);
            for (uint64_t end = at + level_size(g.level[i]); at < end; at += PAGE_SIZE)
                page_at(model, at)->entry = 0;
        }
        for (; at < stop; at += PAGE_SIZE)
            assert_int_equal(page_at(model, at)->entry, 0);
        pt_gather_finish(pt, &g, ignore_leaf, NULL);
    }
}

static void random_protect(struct pt *pt) {
    struct piece p = random_piece();
    uint64_t set = host_random_below(2) ? PTE_R : PTE_R | PTE_SOFT;
    uint64_t clear = host_random_below(2) ? PTE_W | PTE_D : PTE_SOFT | PTE_U | PTE_X;
    assert_true(split_range(pt, &p));
    pt_protect(pt, VA(p.va), VA(p.end), set, clear);
    for (unsigned i = 0; i < p.pages; i++) {
        uint64_t *entry = &model[p.w][p.first + i].entry;
        if (*entry)
            *entry = (*entry & ~clear) | set;
    }
}

static void random_set_leaf(struct pt *pt) {
    unsigned level = host_random_below(2);
    uint64_t va = ROUND_DOWN(random_piece().va, level_size(level));
    uint64_t old_entry = page_at(model, va)->entry;
    uint64_t pa = GIB(16) + host_random_below(512) * MIB(2), flags = random_flags();
    size_t first = page_at(model, va) - &model[0][0];
    bool in_the_way = false;
    for (unsigned i = 0; i < level_size(level) / PAGE_SIZE; i++)
        in_the_way |= (&model[0][0])[first + i].entry && (&model_level[0][0])[first + i] != level;
    uint64_t before = tidy(pt).hash;
    pte_t old = 77;
    int err = pt_set_leaf(pt, VA(va), level, pte_leaf(PA(pa), flags), &old);
    assert_int_equal(err, in_the_way ? -K_EEXIST : 0);
    if (err) {
        assert_int_equal(tidy(pt).hash, before);
        return;
    }
    assert_int_equal(old, old_entry);
    for (unsigned i = 0; i < level_size(level) / PAGE_SIZE; i++) {
        (&model[0][0])[first + i].entry = entry_of(pa + i * PAGE_SIZE, flags);
        (&model_level[0][0])[first + i] = level;
    }
}

static void random_split(struct pt *pt) {
    uint64_t va = random_piece().va;
    fail_in = host_random_below(2);
    if (pt_split(pt, VA(va)) == 0 && page_at(model, va)->entry) {
        size_t first = page_at(model, ROUND_DOWN(va, MIB(2))) - &model[0][0];
        for (unsigned i = 0; i < 512; i++)
            (&model_level[0][0])[first + i] = 0;
    }
    fail_in = 0;
}

static void test_random_use(void **state) {
    static void (*const step[])(struct pt *) = {random_map, random_map, random_map, random_unmap,
                                                random_protect, random_set_leaf, random_split};
    struct pt pt = fresh();
    memset(model, 0, sizeof model);
    for (unsigned i = 0; i < 4000; i++) {
        step[host_random_below(ARRAY_LEN(step))](&pt);
        compare(&pt);
    }
    destroy(&pt);
}

int main(void) {
    host_random_seed(20240608);
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
        cmocka_unit_test(test_failed_allocations_change_nothing),
        cmocka_unit_test(test_failed_split_range_changes_no_translation),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_random_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
