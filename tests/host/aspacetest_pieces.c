/* The memory core under one design: what grows with a process's size is done in pieces, with breaks
 * in which no lock is held (mm/pieces.h). What others do in a break is tried with pages of a file,
 * in aspacetest_files.c. */
#include "aspacetest.h"
#include "hostarch.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/change.h"
#include "mm/design.h"
#include "mm/inspect.h"
#include "mm/mmap.h"
#include "mm/pieces.h"
#include "mm/rmap.h"
#include "mm/shm.h"
#include "mm/zeros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define START MIB(64)
#define PAGES 4096
#define ALL (ABI_PROT_READ | ABI_PROT_WRITE)

static unsigned breaks;

/* Nobody who might come now waits. */
static void look(void) {
    breaks++;
    for (const struct env_proc *p = env_procs; p < env_procs + ENV_PROCS; p++)
        assert_true(!p->spaces[0].lock.locked && !p->spaces[1].lock.locked);
}

/* How many breaks there were since the last time. */
static unsigned breaks_made(void) {
    unsigned n = breaks;
    breaks = 0;
    memset(piece_used, 0, sizeof piece_used);
    return n;
}

static struct env_proc *begin(void) {
    struct env_proc *p;
    env_fresh(64, 16);
    assert_int_equal(env_create(&p), 0);
    env_run(p, 0);
    piece_break = look;
    breaks_made();
    return p;
}

static void map(struct env_proc *p, uint64_t start, uint64_t pages, struct object *o, bool shared,
                unsigned prot) {
    const struct map_request r = {.start = start,
                                  .bytes = pages * P,
                                  .place = MAP_FREE,
                                  .object = o,
                                  .prot = prot,
                                  .limit = ALL,
                                  .shared = shared};
    uint64_t at;
    assert_int_equal(aspace_map(p->as, &r, &at), 0);
}

static void touch_all(struct env_proc *p, uint64_t start, uint64_t pages) {
    for (uint64_t at = start; at < start + pages * P; at += P)
        assert_int_equal(aspace_fault(p->as, at, PTE_W), 0);
}

/* The work of so many pages was done in pieces of PIECE at most. */
#define EXPECT_BREAKS(pages) assert_true(breaks_made() >= (pages) / PIECE)

static void shared_pages(struct env_proc *p) {
    struct object *o;
    assert_int_equal(shm_create(PAGES, &o), 0);
    map(p, START, PAGES, o, true, ALL);
    o->ops->put(o);
    touch_all(p, START, PAGES);
}

void test_long_work_has_breaks(void **state) {
    struct env_proc *p = begin(), *child;
    uint64_t old;
    shared_pages(p);
    assert_int_equal(breaks_made(), 0);
    assert_int_equal(env_fork(p, &child), 0);
    EXPECT_BREAKS(PAGES);
    assert_int_equal(aspace_protect(p->as, START, START + PAGES * P, ABI_PROT_READ), 0);
    EXPECT_BREAKS(PAGES);
    assert_int_equal(aspace_protect(p->as, START, START + PAGES * P, 0), 0);
    EXPECT_BREAKS(PAGES);
    env_exit(child);
    EXPECT_BREAKS(PAGES);
    env_run(p, 0);
    assert_int_equal(aspace_unmap(p->as, START, START + PAGES * P), 0);
    EXPECT_BREAKS(PAGES * (1 + PIECE_FREED)); /* the object's own, too */
    assert_int_equal(aspace_grow_lazily(p->as, PAGES * P, &old), 0);
    touch_all(p, old, PAGES);
    assert_int_equal(breaks_made(), 0);
    assert_int_equal(aspace_drop(p->as, old, old + PAGES * P), 0);
    EXPECT_BREAKS(PAGES * 4); /* which fall free, in rounds of a gather */
    touch_all(p, old, PAGES);
    assert_int_equal(aspace_sbrk(p->as, -PAGES * (int64_t)P, &old), 0);
    EXPECT_BREAKS(PAGES);
    env_exit(p);
    assert_int_equal(breaks_made(), 0);
    piece_break = NULL;
}

/* Every other page: none of them is joined with the next one. */
void test_many_mappings_have_breaks(void **state) {
    struct env_proc *p = begin(), *child;
    for (uint64_t i = 0; i < PAGES; i++)
        map(p, START + 2 * i * P, 1, &zeros_mapped, false, ALL);
    breaks_made();
    assert_int_equal(env_fork(p, &child), 0);
    assert_true(breaks_made() >= PAGES * 16 / PIECE);
    env_exit(child);
    assert_true(breaks_made() >= PAGES * 8 / PIECE);
    env_run(p, 0);
    assert_false(aspace_is_granted(p->as, START, START + 2 * PAGES * P));
    assert_int_equal(breaks_made(), 0);
    assert_int_equal(aspace_unmap(p->as, START, START + 2 * PAGES * P), 0);
    assert_true(breaks_made() >= PAGES * 16 / PIECE);
    env_exit(p);
    piece_break = NULL;
}

/* One hold of the lock counts so much, from at on; where it stopped. */
static uint64_t count_some(struct env_proc *p, uint64_t at, uint64_t end, uint64_t most,
                           struct inspect_pages *all) {
    unsigned passed = 0;
    uint64_t before = all->present;
    spin_lock(&p->as->lock);
    uint64_t next = inspect_count(p->as, at, end, &passed, all);
    spin_unlock(&p->as->lock);
    assert_true(next > at && next <= end && all->present - before <= most);
    return next;
}

static struct inspect_pages count_all(struct env_proc *p, uint64_t at, uint64_t end) {
    struct inspect_pages all = {0};
    while (at < end)
        at = count_some(p, at, end, PIECE, &all);
    return all;
}

/* Shared memory of which every third page is there. */
static void some_pages(struct env_proc *p, uint64_t start, uint64_t pages) {
    struct object *o;
    assert_int_equal(shm_create(pages, &o), 0);
    map(p, start, pages, o, true, ALL);
    o->ops->put(o);
    for (uint64_t i = 0; i < pages; i += 3)
        assert_int_equal(aspace_fault(p->as, start + i * P, PTE_W), 0);
}

void test_pages_are_counted_in_pieces(void **state) {
    struct env_proc *p = begin();
    uint64_t middle = START + PAGES * P, end = middle + PAGES * P;
    shared_pages(p);
    some_pages(p, middle + P, PAGES);
    struct inspect_pages all = count_all(p, 0, end);
    assert_int_equal(all.present, PAGES + PAGES / 3);
    assert_int_equal(all.shared, all.present); /* the object has them, too */
    assert_int_equal(all.copied, 0);
    env_exit(p);
    piece_break = NULL;
}

/* Between two holds: a part goes, some of it becomes another mapping, and one comes where none
 * was. */
void test_pages_change_while_they_are_counted(void **state) {
    struct env_proc *p = begin();
    uint64_t middle = START + PAGES * P, end = middle + PAGES * P;
    struct inspect_pages all = {0};
    shared_pages(p);
    uint64_t at = count_some(p, START, end, PIECE, &all);
    uint64_t first = (at - START) / P;
    assert_true(first >= PIECE / 2 && first <= PIECE);
    assert_int_equal(all.present, first);
    assert_int_equal(aspace_unmap(p->as, START, START + 2000 * P), 0);
    some_pages(p, START + 1500 * P, 300);
    some_pages(p, middle, PAGES);
    while (at < end)
        at = count_some(p, at, end, PIECE, &all);
    assert_int_equal(all.present, first + 100 + PAGES - 2000 + PAGES / 3 + 1);
    env_exit(p);
    piece_break = NULL;
}

/* They are passed as one entry each; a range may end in the middle of one. */
void test_large_leaves_are_counted(void **state) {
    struct env_proc *p = begin(), *child;
    uint64_t pages = 4 * LARGE_SIZE / P, end = START + 4 * LARGE_SIZE;
    struct inspect_pages all = {0}, some = {0};
    map(p, START, pages, &zeros_mapped, false, ALL);
    touch_all(p, START, pages);
    assert_int_equal(count_some(p, START, end, pages, &all), end);
    assert_int_equal(all.present, pages);
    assert_int_equal(all.shared, 0);
    assert_int_equal(count_some(p, START + 5 * P, START + 7 * P, 2, &some), START + 7 * P);
    assert_int_equal(some.present, 2);
    assert_int_equal(env_fork(p, &child), 0);
    assert_int_equal(count_some(p, START, end, pages, &all), end);
    assert_int_equal(all.present, 2 * pages); /* with those of before */
    assert_int_equal(all.shared, pages);
    env_exit(child);
    env_run(p, 0);
    env_exit(p);
    piece_break = NULL;
}

static const struct aspace *seen;
static void compare_views(void) {
    unsigned level;
    breaks++;
    for (uint64_t va = START; seen->design->agrees && va < START + LARGE_SIZE; va += P) {
        pte_t e = *pt_walk(&seen->user, VA(va), &level);
        assert_true(seen->design->agrees(seen, VA(va), level, e));
    }
    piece_used[hart_self()->index] = PIECE; /* a break as soon as one is possible */
}

/* It becomes many small ones, in both views before somebody may look. */
void test_a_large_leaf_is_split_in_a_break(void **state) {
    struct env_proc *p = begin();
    unsigned level;
    map(p, START, PT_ENTRIES, &zeros_mapped, false, ALL);
    touch_all(p, START, 1);
    assert_true(pte_is_leaf(*pt_walk(&p->as->user, VA(START), &level)) && level == 1);
    seen = p->as;
    piece_break = compare_views;
    compare_views();
    assert_int_equal(aspace_protect(p->as, START, START + PT_ENTRIES * P, 0), 0);
    assert_true(breaks_made() > 2);
    piece_break = NULL;
    env_exit(p);
}

#define MOST 65536 /* change.c's MAPPINGS_MAX */

static int add_nothing(struct env_proc *p, uint64_t start, uint64_t pages) {
    const struct mapping m = {
        .start = start, .end = start + pages * P, .object = &zeros_mapped, .perm = PTE_R};
    spin_lock(&p->as->lock);
    int err = change_add(p->as, &m);
    spin_unlock(&p->as->lock);
    return err;
}

static int unmap(struct env_proc *p, uint64_t start, uint64_t pages) {
    spin_lock(&p->as->lock);
    int err = change_remove(p->as, start, start + pages * P);
    spin_unlock(&p->as->lock);
    return err;
}

/* One more is refused, and so is a cut that makes two of one; what needs none more is not. */
void test_as_many_mappings_as_there_may_be(void **state) {
    struct env_proc *p = begin(), *child;
    uint64_t end = START + 4 * MOST * P;
    for (uint64_t i = 0; i < MOST; i++)
        assert_int_equal(add_nothing(p, START + 4 * i * P, 3), 0);
    assert_int_equal(p->as->mappings.count, MOST);
    uint64_t committed = p->as->committed;
    assert_int_equal(add_nothing(p, end, 1), -K_ENOMEM);
    assert_int_equal(unmap(p, START + P, 1), -K_ENOMEM);
    assert_int_equal(aspace_protect(p->as, START + P, START + 2 * P, 0), -K_ENOMEM);
    assert_int_equal(p->as->mappings.count, MOST);
    assert_int_equal(p->as->committed, committed);
    assert_int_equal(add_nothing(p, end - P, 1), 0); /* the last one becomes longer */
    assert_int_equal(env_fork(p, &child), 0);
    assert_int_equal(child->as->mappings.count, MOST);
    env_exit(child);
    env_run(p, 0);
    assert_int_equal(unmap(p, START, 3), 0);
    assert_int_equal(unmap(p, START + 5 * P, 1), 0); /* now there is room for two */
    assert_int_equal(p->as->mappings.count, MOST);
    env_exit(p);
    piece_break = NULL;
}

/* A file all of whose pages are the same one. */
static paddr_t only;
static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    return show(ctx, &only, 1);
}

static const struct object_ops ops = {.page = page};
static struct rmap rmap;
static struct object file = {.ops = &ops, .name = "file", .rmap = &rmap};

static void new_file(void) {
    rmap_init(&rmap);
    assert_int_equal(frame_alloc(&only), 0);
}

/* Most of the file, which is very large, is mapped by nobody, and takes no time. */
void test_a_large_file_is_taken_away_with_breaks(void **state) {
    struct env_proc *p = begin();
    unsigned level;
    new_file();
    map(p, START, PAGES, &file, true, ALL);
    touch_all(p, START, PAGES);
    assert_int_equal(env_refs(only.v), 1 + PAGES);
    rmap_forbid_writes(&rmap, 1, 1ULL << 60);
    EXPECT_BREAKS(PAGES);
    assert_true(*pt_walk(&p->as->user, VA(START), &level) & PTE_W);
    for (uint64_t i = 1; i < PAGES; i++)
        assert_int_equal(*pt_walk(&p->as->user, VA(START + i * P), &level) & PTE_RWX, PTE_R);
    rmap_take_away(&rmap, 1, 1ULL << 60);
    EXPECT_BREAKS(PAGES);
    assert_int_equal(env_refs(only.v), 2);
    env_exit(p);
    piece_break = NULL;
    frame_free(only);
}

/* Nobody has touched them: but fork and exit tell the file of each. */
void test_a_file_learns_of_mappings_with_breaks(void **state) {
    struct env_proc *p = begin(), *child;
    new_file();
    for (uint64_t i = 0; i < PAGES; i++)
        map(p, START + 2 * i * P, 1, &file, true, ALL);
    breaks_made();
    assert_int_equal(env_fork(p, &child), 0);
    assert_true(breaks_made() >= PAGES * (16 + 4) / PIECE);
    env_exit(child);
    assert_true(breaks_made() >= PAGES * (8 + 4) / PIECE);
    env_exit(p);
    piece_break = NULL;
    frame_free(only);
}

/* A page that is shown very often. */
void test_many_mappings_of_a_file_have_breaks(void **state) {
    struct env_proc *p = begin();
    unsigned level;
    new_file();
    for (uint64_t i = 0; i < PAGES; i++) {
        map(p, START + 2 * i * P, 1, &file, true, ALL);
        touch_all(p, START + 2 * i * P, 1);
    }
    breaks_made();
    rmap_forbid_writes(&rmap, 0, 1);
    assert_true(breaks_made() >= PAGES * 4 / PIECE);
    for (uint64_t i = 0; i < PAGES; i++)
        assert_int_equal(*pt_walk(&p->as->user, VA(START + 2 * i * P), &level) & PTE_RWX, PTE_R);
    rmap_take_away(&rmap, 0, 1);
    assert_true(breaks_made() >= PAGES * 4 / PIECE);
    assert_int_equal(env_refs(only.v), 1);
    env_exit(p);
    piece_break = NULL;
    frame_free(only);
}
