/* The memory core under one design: memory that is granted and not promised. Random use by
 * several processes of a machine that has too little, against a flat model of their heaps:
 * a promised page never fails, a lazy one only when no memory is left, and then nothing has
 * changed. Afterwards nothing is promised and nothing lost. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/mmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define SMALL 10 /* MiB */
#define PAGES 2500
#define BASE MIB(2) /* where the heap of program 0 begins */

struct heap {
    uint64_t word[PAGES]; /* at the start of each page */
    uint64_t brk;
};
static struct heap heaps[ENV_PROCS];
static unsigned refused; /* touches */

static struct heap *heap_of(const struct env_proc *p) { return &heaps[p - env_procs]; }

static uint64_t frames_left(void) {
    struct frame_stats st;
    frame_stats(&st);
    return st.total - st.committed;
}

/* A touch of a page of the heap in user mode; what is there must be the model's. */
static bool touch(struct env_proc *p, uint64_t page, bool store) {
    struct heap *h = heap_of(p);
    uint64_t pa, va = BASE + page * P, left = frames_left();
    bool lazy = mapping_at(&p->as->mappings, va)->lazy;
    uint64_t present = p->as->present;
    env_user(p);
    bool done = env_touch(p, va, store ? WALKER_STORE : WALKER_LOAD, &pa);
    env_kernel(p);
    if (!done) {
        refused++;
        /* A page, and the tables on the way to it, each in two views. */
        assert_true(lazy && left < 1 + 2 * (walker_levels - 1));
        assert_int_equal(p->as->present, present);
        assert_int_equal(frames_left(), left);
        return false;
    }
    uint64_t *word = pa_ptr(PA(pa));
    assert_int_equal(*word, h->word[page]);
    if (store)
        *word = h->word[page] = host_random();
    return true;
}

static void move_break(struct env_proc *p, uint64_t brk, bool lazily) {
    struct heap *h = heap_of(p);
    uint64_t old, was = h->brk, left = frames_left();
    int64_t delta = (int64_t)(brk - was);
    int err = lazily && delta > 0 ? aspace_grow_lazily(p->as, delta, &old)
                                  : aspace_sbrk(p->as, delta, &old);
    assert_int_equal(old, was);
    if (err) {
        assert_int_equal(err, -K_ENOMEM);
        assert_int_equal(p->as->brk, was);
        assert_true(delta < 0 || left < (uint64_t)delta / P + 40);
        if (delta < 0)
            assert_true(left < 5);
        return;
    }
    h->brk = brk;
    /* The model's word is a page's first: what lies above the break is given back. */
    for (uint64_t page = (brk - BASE + P - 1) / P; page < PAGES; page++)
        h->word[page] = 0;
    unsigned kept = (brk - BASE) % P;
    if (delta < 0 && kept > 0 && kept < 8)
        h->word[(brk - BASE) / P] &= (1ULL << 8 * kept) - 1;
}

static struct env_proc *any_process(void) {
    struct env_proc *p;
    do
        p = &env_procs[host_random_below(ENV_PROCS)];
    while (!p->used);
    env_run(p, host_random_below(ENV_HARTS));
    return p;
}

static unsigned processes(void) {
    unsigned n = 0;
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        n += p->used;
    return n;
}

static void fork_one(struct env_proc *p) {
    struct env_proc *child;
    uint64_t left = frames_left();
    if (env_fork(p, &child)) {
        assert_int_equal(frames_left(), left);
        return;
    }
    *heap_of(child) = *heap_of(p);
    check_space(child->as);
}

static void step(void) {
    struct env_proc *p = any_process();
    uint64_t pages = (heap_of(p)->brk - BASE + P - 1) / P;
    unsigned what = host_random_below(20);
    if (what == 0)
        fork_one(p);
    else if (what == 1 && processes() > 1)
        env_exit(p);
    else if (what == 2) {
        move_break(p, BASE, false);
        assert_true(commit_lazy || heap_of(p)->brk > BASE || p->as->lazy_tables == 0);
    } else if (what < 5)
        move_break(p, BASE + host_random_below(PAGES * P - 1), host_random_below(2));
    else if (what < 7)
        move_break(p,
                   heap_of(p)->brk + host_random_below(3 * P) -
                       MIN(heap_of(p)->brk - BASE, host_random_below(3 * P)),
                   host_random_below(2));
    else
        for (unsigned i = 0; pages && i < 60; i++)
            touch(p, host_random_below(pages), host_random_below(3));
    if (p->used)
        check_space(p->as);
}

/* Every page that is promised is there for every process, also when more are granted, and
 * touched, than the machine has. */
static void touch_all(void) {
    if (processes() < 2)
        fork_one(any_process());
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        if (!p->used)
            continue;
        env_run(p, 0);
        move_break(p, BASE + PAGES * P, true);
    }
    for (struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++) {
        if (!p->used)
            continue;
        env_run(p, 0);
        for (uint64_t page = 0; BASE + page * P < heap_of(p)->brk; page++)
            touch(p, page, true);
        check_space(p->as);
    }
}

static void random_use(void) {
    world_fresh(SMALL, 16);
    memset(heaps, 0, sizeof(heaps));
    heaps[0].brk = world_first()->as->brk;
    assert_int_equal(heaps[0].brk, BASE);
    refused = 0;
    for (unsigned i = 0; i < 800; i++)
        step();
    touch_all();
    assert_true(refused > 10);
    world_end();
}

#define SPREAD 64

/* A process that has touched a page here and there: each needs a table. */
static struct env_proc *with_a_lazy_heap(void) {
    uint64_t old;
    world_fresh(SMALL, 16);
    struct env_proc *p = world_first();
    assert_int_equal(aspace_grow_lazily(p->as, (int64_t)(SPREAD * LARGE_SIZE), &old), 0);
    for (unsigned i = 0; i < SPREAD; i++)
        assert_int_equal(aspace_fault(p->as, old + i * LARGE_SIZE, PTE_W), 0);
    return p;
}

/* The frames, and all tables but those above, which others use, too. */
void test_dropped_lazy_pages_give_their_promises_back(void **state) {
    struct env_proc *p = with_a_lazy_heap();
    unsigned views = world_view() == IN_COPIES ? 2 : 1;
    uint64_t left = frames_left(), start = p->as->brk - SPREAD * LARGE_SIZE;
    assert_int_equal(p->as->lazy_tables, SPREAD * views);
    assert_int_equal(aspace_drop(p->as, start, p->as->brk), 0);
    uint64_t kept = (walker_levels - 2) * views;
    assert_int_equal(p->as->lazy_tables, kept);
    assert_int_equal(frames_left(), left + SPREAD * (1 + views) - kept);
    check_space(p->as);
    env_exit(p);
}

/* A child has tables of its own for lazy memory, promised; but none when there is no child. */
void test_a_childs_tables_of_lazy_memory(void **state) {
    struct env_proc *p = with_a_lazy_heap(), *child;
    assert_int_equal(env_create(&child), 0);
    uint64_t left = frames_left(), empty = child->as->committed;
    frame_fail_countdown = 1;
    assert_int_equal(aspace_clone(child->as, p->as), -K_ENOMEM);
    assert_int_equal(frame_fail_countdown, 0);
    assert_int_equal(frames_left(), left);
    assert_int_equal(child->as->needed + child->as->granted + child->as->lazy_tables, 0);
    assert_int_equal(aspace_clone(child->as, p->as), 0);
    assert_int_equal(child->as->lazy_tables, p->as->lazy_tables);
    assert_int_equal(child->as->committed, p->as->committed);
    assert_int_equal(frames_left(), left - (p->as->committed - empty));
    env_exit(child);
    env_exit(p);
}

void test_lazy_and_promised(void **state) { random_use(); }

void test_all_lazy(void **state) {
    commit_lazy = true;
    random_use();
    commit_lazy = false;
}
