/* Frames by number: see pagetree.h. */
#include "mm/pagetree.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/pieces.h"

static uint64_t at(uint64_t index) { return index * PAGE_SIZE; }

uint64_t pagetree_end(void) { return USER_MAX / PAGE_SIZE; }

uint64_t pagetree_tables(uint64_t pages) {
    uint64_t tables = 1;
    for (unsigned level = 1; level < paging.levels; level++)
        tables += ((at(pages) - 1) >> level_shift(level)) + 1;
    return tables;
}

unsigned pagetree_tables_for_one(void) { return paging.levels - 1; }

void pagetree_init(struct pagetree *t) {
    if (pt_init(&t->pt, paging.levels, &pt_frames))
        panic("the root of a tree of pages was not promised");
}

paddr_t pagetree_find(const struct pagetree *t, uint64_t index) {
    unsigned level;
    pte_t e = *pt_walk(&t->pt, VA(at(index)), &level);
    return pte_valid(e) ? pte_pa(e) : PA(0);
}

/* Those on the way to the first page begin in front of it, so it may enter more than these: then
 * it is in front of one that begins behind. */
struct search {
    uint64_t index;
    unsigned tables; /* that it may enter */
    bool found, stopped;
};

static bool note_first(void *ctx, vaddr_t va, unsigned level, pte_t *e) {
    struct search *s = ctx;
    s->index = va.v / PAGE_SIZE;
    s->found = level == 0;
    s->stopped = s->found || s->tables-- == 0;
    return !s->stopped;
}

bool pagetree_next(const struct pagetree *t, uint64_t from, uint64_t *index) {
    struct search s = {.tables = paging.levels + 1};
    if (from < pagetree_end())
        pt_visit(&t->pt, VA(at(from)), VA(USER_MAX), note_first, &s);
    *index = s.stopped ? s.index : pagetree_end();
    return s.found;
}

unsigned pagetree_add(struct pagetree *t, uint64_t index, paddr_t frame) {
    uint32_t before = t->pt.tables;
    if (pt_map(&t->pt, VA(at(index)), frame, PAGE_SIZE, PTE_R, 0))
        panic("the tables of a tree of pages were not promised");
    return t->pt.tables - before;
}

paddr_t pagetree_take(struct pagetree *t, uint64_t index) {
    unsigned level;
    pte_t *e = pt_walk(&t->pt, VA(at(index)), &level);
    paddr_t frame = pte_pa(*e);
    ASSERT(pte_valid(*e));
    pt_store(e, 0);
    return frame;
}

static void put_pages(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    for (unsigned i = 0; i < count; i++) {
        bool freed = pte_valid(entry[i]) && frame_put(frame_leaf(entry[i], level));
        piece_done(freed ? PIECE_FREED : 1);
    }
}

uint64_t pagetree_destroy(struct pagetree *t) {
    uint64_t tables = t->pt.tables;
    pt_take_leaves(&t->pt, VA(0), VA(USER_MAX), put_pages, NULL);
    pt_clear(&t->pt, VA(0), VA(USER_MAX), piece_of_tables(t->pt.tables));
    pt_free_root(&t->pt);
    return tables;
}
