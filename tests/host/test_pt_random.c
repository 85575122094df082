/* The page-table core used at random, against a flat model of a few windows. */
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

#define WINDOW_PAGES 2048 /* 8 MiB */
#define WINDOWS 5
static uint64_t window[WINDOWS];

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
    pttree_tidy(pt);
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
    uint64_t before = pttree_tidy(pt).hash;
    pttables_fail = host_random_below(8);
    int err = pt_map(pt, VA(p.va), PA(pa), p.end - p.va, flags, max_level);
    pttables_fail = 0;
    if (err == -K_ENOMEM) {
        assert_int_equal(pttree_tidy(pt).hash, before);
    } else if (taken) {
        assert_int_equal(err, -K_EEXIST);
        assert_int_equal(pttree_tidy(pt).hash, before);
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
    if (borders_at(pt, p->va, p->end))
        return false;
    model_split(p->va);
    if (p->end < window[p->w] + WINDOW_PAGES * PAGE_SIZE)
        model_split(p->end);
    return true;
}

static void random_unmap(struct pt *pt) {
    struct piece p = random_piece();
    assert_true(split_range(pt, &p));
    struct pt_gather g = {0};
    for (uint64_t at = p.va; at < p.end;) {
        uint32_t tables = pttables_out;
        uint64_t stop = pt_unmap(pt, VA(at), VA(p.end), &g).v;
        assert_int_equal(pttables_out, tables);
        for (uint32_t i = 0; i < g.count; i++) { /* in order, each once */
            while (at < stop && page_at(model, at)->entry == 0)
                at += PAGE_SIZE;
            assert_int_equal(g.leaf[i], page_at(model, at)->entry);
            for (uint64_t end = at + level_size(g.level[i]); at < end; at += PAGE_SIZE)
                page_at(model, at)->entry = 0;
        }
        for (; at < stop; at += PAGE_SIZE)
            assert_int_equal(page_at(model, at)->entry, 0);
        pt_gather_finish(pt, &g, pttree_ignore_leaf, NULL);
    }
}

static void random_protect(struct pt *pt) {
    struct piece p = random_piece();
    uint64_t set = host_random_below(2) ? PTE_R : PTE_R | PTE_SPARE;
    uint64_t clear = host_random_below(2) ? PTE_W | PTE_D : PTE_SPARE | PTE_U | PTE_X;
    assert_true(split_range(pt, &p));
    pttree_protect(pt, p.va, p.end, set, clear);
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
    uint64_t before = pttree_tidy(pt).hash;
    pte_t old = 77;
    int err = pt_set_leaf(pt, VA(va), level, pte_leaf(PA(pa), flags), &old);
    assert_int_equal(err, in_the_way ? -K_EEXIST : 0);
    if (err) {
        assert_int_equal(pttree_tidy(pt).hash, before);
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
    pttables_fail = host_random_below(2);
    if (pt_split(pt, VA(va)) == 0 && page_at(model, va)->entry) {
        size_t first = page_at(model, ROUND_DOWN(va, MIB(2))) - &model[0][0];
        for (unsigned i = 0; i < 512; i++)
            (&model_level[0][0])[first + i] = 0;
    }
    pttables_fail = 0;
}

/* Also across a border of the root's entries and one of 1 GiB, which with Sv39 are the same. */
static void choose_windows(void) {
    window[0] = 0;
    window[1] = level_size(paging.levels - 1) - MIB(4);
    window[2] = USER_HALF_END - MIB(8);
    window[3] = high_half();
    window[4] = high_half() + GIB(5) - MIB(2);
}

static void test_random_use(void **state) {
    static void (*const step[])(struct pt *) = {random_map,   random_map,     random_map,
                                                random_unmap, random_protect, random_set_leaf,
                                                random_split};
    struct pt pt = pttree_fresh();
    choose_windows();
    memset(model, 0, sizeof model);
    for (unsigned i = 0; i < (paging.levels == 3 ? 4000 : 1000); i++) {
        step[host_random_below(ARRAY_LEN(step))](&pt);
        compare(&pt);
    }
    pttree_destroy(&pt);
}

int main(void) {
    host_random_seed(20240608);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_use),
    };
    int failed = 0;
    for (unsigned levels = LEVELS_MIN; levels <= LEVELS_MAX; levels++) {
        use_levels(levels);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
