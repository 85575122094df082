/* The debug build's checker (mm/check.c) finds each kind of wrong entry. */
#include "aspacetest.h"
#include "hostarch.h"
#include "mm/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void expect_found(struct env_proc *p, const char *sentence) {
    assert_true(HOST_PANICS(check_space(p->as)));
    spin_init(&p->as->lock, RANK_SPACE); /* a panic leaves it taken */
    if (!strstr(host_panic_text, sentence))
        fail_msg("expected \"%s\", found: %s", sentence, host_panic_text);
}

void test_the_checker_finds(void **state) {
    static const struct {
        uint64_t va, set, clear;
        const char *sentence;
    } faults[] = {
        {3 * P, 0, PTE_U, "lacks R, U or A"},
        {3 * P, 0, PTE_A, "lacks R, U or A"},
        {3 * P, PTE_G, 0, "has G"},
        {3 * P, PTE_X, 0, "more than its mapping"},
        {0, PTE_W | PTE_D, 0, "more than its mapping"},
        {4 * P, PTE_W | PTE_D, 0, ""}, /* shared with the file; mirror sees it first */
        {9 * P, 0, PTE_D, "W without D"},
        {9 * P, 0, PTE_V, "pages counted"},
    };
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first(), *child;
    world_touch(p, 9 * P, WALKER_STORE); /* the stack, or the heap above it */
    assert_int_equal(world_sbrk(p, 4 * P), 0);
    world_touch(p, 9 * P, WALKER_STORE);
    check_space(p->as);
    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        unsigned level;
        pte_t *e = pt_walk(&p->as->user, VA(faults[i].va), &level), good = *e;
        assert_true(pte_is_leaf(good) && level == 0);
        *e = (good | faults[i].set) & ~faults[i].clear;
        expect_found(p, faults[i].sentence);
        *e = good;
        check_space(p->as);
    }
    p->as->present++;
    expect_found(p, "pages counted");
    p->as->present--;
    uint64_t promised = p->as->committed;
    p->as->committed = p->as->user.tables;
    expect_found(p, "promised");
    p->as->committed = promised;
    assert_int_equal(world_fork(p, &child), 0);
    if (world_view() == IN_COPIES) { /* the parent's mirror keeps the W that fork has taken */
        unsigned level;
        *pt_walk(&p->as->kernel, VA(9 * P), &level) |= PTE_W;
        expect_found(p, "in the kernel's view");
        *pt_walk(&p->as->kernel, VA(9 * P), &level) &= ~PTE_W;
    }
    check_space(p->as);
    world_end();
}

static void expect_found_in_root(struct env_proc *p, unsigned i, pte_t e, const char *sentence) {
    pte_t *entry = pa_ptr(p->as->kernel.root), good = entry[i];
    entry[i] = e;
    expect_found(p, sentence);
    entry[i] = good;
    check_space(p->as);
}

/* Where the kernel has a root of its own, the checker compares the roots first. */
void test_the_checker_compares_the_roots(void **state) {
    world_fresh(MEMORY, 16);
    struct env_proc *p = world_first();
    world_touch(p, 0, WALKER_LOAD);
    if (p->as->kernel.root.v) {
        expect_found_in_root(p, 5, pte_leaf(PA(0), PTE_R | PTE_X), "executed by the kernel");
        expect_found_in_root(p, 5, pte_leaf(PA(0), PTE_R | PTE_W), "pages counted");
        expect_found_in_root(p, 0, 0, "in the kernel's view");
        if (world_view() == IN_COPIES)
            expect_found_in_root(p, 0, *(pte_t *)pa_ptr(p->as->user.root), "in the kernel's view");
    }
    world_end();
}
