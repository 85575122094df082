/* Mappings in their tree against a plain array: random ones are put in, taken out, found and
 * copied; gaps are found; and records that cannot be had. */
/* sources: kernel/mm/mapping.c kernel/mm/slab.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: kernel/mm/pieces.c tests/host/hostarch.c */
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/mapping.h"
#include "mm/rmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define P PAGE_SIZE
#define PAGES 4096u

/* ---- frames for the records ---------------------------------------------------- */

static unsigned frames, frames_max = UINT32_MAX;
static paddr_t spare[PAGES];
static unsigned spares, fresh;

static void (*meanwhile)(void); /* what another hart does, once */

int frame_alloc(paddr_t *pa) {
    void (*other)(void) = meanwhile;
    meanwhile = NULL;
    if (other)
        other();
    if (frames == frames_max)
        return -K_ENOMEM;
    frames++;
    *pa = spares ? spare[--spares] : PA(HOST_RAM_START + fresh++ * P);
    memset(pa_ptr(*pa), 0, P);
    return 0;
}

void frame_free(paddr_t pa) {
    frames--;
    memset(pa_ptr(pa), 0xa5, P);
    spare[spares++] = pa;
}

/* ---- an object that counts ------------------------------------------------------- */

static int references;
static void get(struct object *o) { references++; }
static void put(struct object *o) { references--; }
static const struct object_ops ops = {.get = get, .put = put};
static struct object object = {.ops = &ops};

/* What is in a tree is in its object's reverse map, too; but a copy not yet. */
static int in_map;
void rmap_add(struct mapping *m, struct mappings *all) { in_map++; }
void rmap_remove(struct mapping *m) { in_map--; }

/* ---- the model: which mapping a page is in ----------------------------------------- */

static struct mapping *owner[PAGES];

static struct mapping *add(struct mappings *all, unsigned start, unsigned end) {
    struct mapping *m = mapping_new(&(struct mapping){.start = start * P,
                                                      .end = end * P,
                                                      .object = &object,
                                                      .first = start,
                                                      .lazy_tables = start % 3 == 0});
    if (m)
        mapping_put(all, m);
    return m;
}

static unsigned depth(const struct mapping *m) {
    unsigned lower = m ? depth(m->lower) : 0, upper = m ? depth(m->upper) : 0;
    assert_true(!m || !m->lower || m->lower->up == m);
    assert_true(!m || !m->upper || m->upper->up == m);
    assert_true(!m || !m->lower || (m->lower->rank <= m->rank && m->lower->start < m->start));
    assert_true(!m || !m->upper || (m->upper->rank <= m->rank && m->upper->start > m->start));
    return m ? 1 + MAX(lower, upper) : 0;
}

static void check_order(const struct mappings *all) {
    uint32_t count = 0, lazy = 0;
    const struct mapping *prev = NULL;
    for (const struct mapping *m = all->first; m; prev = m, m = m->next) {
        assert_true(m->prev == prev && m->start < m->end && (!prev || prev->end <= m->start));
        assert_ptr_equal(mapping_at(all, m->start), m);
        count++;
        lazy += m->lazy_tables;
    }
    assert_ptr_equal(all->last, prev);
    assert_int_equal(all->count, count);
    assert_int_equal(all->lazy, lazy);
}

/* The highest gap with room, found by looking at each. */
static struct gap plain_gap(const struct mappings *all, uint64_t bytes) {
    uint64_t end = USER_MAX;
    for (const struct mapping *m = all->last;; end = m->start, m = m->prev) {
        uint64_t start = m ? m->end : P;
        if (start < end && end - start >= bytes)
            return (struct gap){start, end};
        if (!m)
            return (struct gap){0, 0};
    }
}

static void check_gap(const struct mappings *all, uint64_t bytes) {
    struct gap found = mapping_gap(all, bytes), plain = plain_gap(all, bytes);
    assert_true(found.start == plain.start && found.end == plain.end);
}

/* Of all sizes that there are, and one more. */
static void check_gaps(const struct mappings *all) {
    assert_true(!all->root || !all->root->up);
    for (uint64_t pages = 1; pages < 40; pages++)
        check_gap(all, pages * P);
    for (const struct mapping *m = all->first; m; m = m->next) {
        uint64_t below = m->prev ? m->prev->end : P;
        if (m->start > below) {
            check_gap(all, m->start - below);
            check_gap(all, m->start - below + P);
        }
    }
    check_gap(all, USER_MAX);
}

/* Every page, and the finders around it. */
static void check_model(const struct mappings *all) {
    struct mapping *below = NULL, *from[PAGES + 1];
    from[PAGES] = NULL;
    for (unsigned i = PAGES; i-- > 0;)
        from[i] = owner[i] ? owner[i] : from[i + 1];
    for (unsigned i = 0; i < PAGES; i++) {
        assert_ptr_equal(mapping_at(all, i * P + 8), owner[i]);
        assert_ptr_equal(mapping_from(all, i * P), from[i]);
        assert_ptr_equal(mapping_below(all, i * P), below);
        if (owner[i] && owner[i]->start == i * P)
            below = owner[i];
    }
    check_order(all);
    check_gaps(all);
}

static void own(unsigned start, unsigned end, struct mapping *m) {
    for (unsigned i = start; i < end; i++)
        owner[i] = m;
}

static void add_somewhere(struct mappings *all) {
    unsigned start = host_random_below(PAGES), end = start;
    while (end < PAGES && end - start < 1 + start % 7 && !owner[end])
        end++;
    if (start < end)
        own(start, end, add(all, start, end));
}

static void remove_somewhere(struct mappings *all) {
    struct mapping *m = owner[host_random_below(PAGES)];
    if (!m)
        return;
    own(m->start / P, m->end / P, NULL);
    mapping_take(all, m);
    mapping_free(m);
}

/* A border moves while the mapping is in the tree. */
static void move_border(struct mappings *all) {
    struct mapping *m = owner[host_random_below(PAGES)];
    if (!m)
        return;
    unsigned start = (unsigned)(m->start / P), end = (unsigned)(m->end / P);
    own(start, end, NULL);
    switch (host_random_below(4)) {
    case 0: start += end - start > 1; break;
    case 1: end -= end - start > 1; break;
    case 2: start -= start > 0 && !owner[start - 1]; break;
    default: end += end < PAGES && !owner[end];
    }
    own(start, end, m);
    mapping_move(m, start * P, end * P);
}

static void random_mappings(void **state) {
    const uint64_t user_max = paging.user_max;
    paging.user_max = PAGES * P; /* or there is always room above */
    struct mappings all = {0}, copy = {0};
    memset(owner, 0, sizeof owner);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned what = host_random_below(round % 4000 < 2000 ? 10 : 16);
        if (what < 7)
            add_somewhere(&all);
        else if (what < 8)
            move_border(&all);
        else
            remove_somewhere(&all);
        if (round % 500 == 0)
            check_model(&all);
        if (round % 20 == 0)
            check_gap(&all, (1 + host_random_below(60)) * P);
    }
    check_model(&all);
    assert_int_equal(references, all.count);
    assert_int_equal(in_map, all.count);
    assert_int_equal(mapping_frames(), frames);
    assert_int_equal(mapping_copy_all(&copy, &all), 0);
    check_order(&copy);
    check_gaps(&copy);
    assert_int_equal(references, 2 * all.count);
    assert_int_equal(in_map, all.count);
    for (const struct mapping *a = all.first, *b = copy.first; a; a = a->next, b = b->next)
        assert_true(a != b && a->start == b->start && a->end == b->end && a->first == b->first);
    assert_true(depth(copy.root) < 40);
    mapping_free_all(&copy);
    check_model(&all);
    mapping_free_all(&all);
    check_gaps(&all);
    assert_int_equal(frames + (unsigned)references, 0);
    paging.user_max = user_max;
}

/* Places in the order of the multiples of a constant, by which the ranks of an earlier tree were
 * made: it was a list of hundreds then, and fork used up its stack. */
static int by_multiple(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a * 2654435769U, y = *(const uint32_t *)b * 2654435769U;
    return x < y ? -1 : x > y;
}

static unsigned foreseen(unsigned i) {
    static uint32_t order[PAGES];
    static unsigned place[PAGES];
    if (i == 0) {
        for (uint32_t k = 0; k < PAGES; k++)
            order[k] = k;
        qsort(order, PAGES, sizeof order[0], by_multiple);
        for (unsigned k = 0; k < PAGES; k++)
            place[order[k]] = k;
    }
    return place[i];
}

/* A thousand and more are no special case: the tree stays low in whatever order they come. */
static void the_tree_is_low(void **state) {
    for (unsigned order = 0; order < 4; order++) {
        struct mappings all = {0};
        for (unsigned i = 0; i < PAGES; i++) {
            unsigned at = order == 0   ? i
                          : order == 1 ? PAGES - 1 - i
                          : order == 2 ? i * 1201 % PAGES
                                       : foreseen(i);
            assert_non_null(add(&all, at, at + 1));
        }
        assert_true(depth(all.root) < 40); /* a balanced one: 12 */
        check_order(&all);
        mapping_free_all(&all);
    }
    assert_int_equal(frames, 0);
}

/* No frame for records: the copy is none, and nothing is left of it. */
static void no_memory(void **state) {
    struct mappings all = {0}, copy = {0};
    for (unsigned i = 0; i < 500; i++)
        assert_non_null(add(&all, 2 * i, 2 * i + 1));
    unsigned needed = frames;
    for (frames_max = needed; frames_max < 2 * needed; frames_max++) {
        int err = mapping_copy_all(&copy, &all);
        if (!err)
            break;
        assert_int_equal(err, -K_ENOMEM);
        assert_true(!copy.root && !copy.first && !copy.last && copy.count + copy.lazy == 0);
        assert_int_equal(frames, needed);
        assert_int_equal(references, 500);
    }
    assert_true(frames_max > needed);
    mapping_free_all(&copy);
    frames_max = UINT32_MAX;
    mapping_free_all(&all);
    frames_max = 0;
    assert_null(add(&all, 0, 1));
    frames_max = UINT32_MAX;
    assert_int_equal(frames + (unsigned)references, 0);
}

static struct mappings others;
static void take_one(void) { assert_non_null(add(&others, 0, 1)); }

/* Two harts find no room, and each takes a frame: one of them is enough. */
static void two_take_a_frame_at_once(void **state) {
    struct mappings all = {0};
    meanwhile = take_one;
    assert_non_null(add(&all, 2, 3));
    assert_int_equal(frames, 1);
    mapping_free_all(&all);
    mapping_free_all(&others);
    assert_int_equal(frames, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_mappings),
        cmocka_unit_test(the_tree_is_low),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(two_take_a_frame_at_once),
    };
    host_random_seed(20261126);
    host_ram_map(MIB(32));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
