/* From an object to the spaces that show it: see rmap.h. */
#include "mm/rmap.h"
#include "arch/cpu.h"
#include "arch/hart.h"
#include "mm/change.h"
#include "mm/pieces.h"

void rmap_init(struct rmap *r) {
    spin_init(&r->lock, RANK_RMAP);
    list_init(&r->mappings);
}

/* At the end, where who goes through the map still comes by. */
void rmap_add(struct mapping *m, struct mappings *all) {
    struct rmap *r = m->object->rmap;
    if (!r)
        return;
    m->all = all;
    spin_lock(&r->lock);
    list_push_back(&r->mappings, &m->by_object);
    spin_unlock(&r->lock);
}

void rmap_remove(struct mapping *m) {
    struct rmap *r = m->object->rmap;
    if (!r)
        return;
    spin_lock(&r->lock);
    list_remove(&m->by_object);
    spin_unlock(&r->lock);
}

void rmap_grown(struct mapping *m) {
    struct rmap *r = m->object->rmap;
    if (!r)
        return;
    spin_lock(&r->lock);
    list_remove(&m->by_object);
    list_push_back(&r->mappings, &m->by_object);
    spin_unlock(&r->lock);
}

#define PASSED 4 /* a mapping, in entries of page tables: about */

void rmap_add_all(struct aspace *as) {
    for (struct mapping *m = as->mappings.first; m; m = m->next) {
        rmap_add(m, &as->mappings);
        piece_done_locked(&as->lock, PASSED);
    }
}

void rmap_remove_all(struct aspace *as) {
    for (struct mapping *m = as->mappings.first; m; m = m->next) {
        rmap_remove(m);
        piece_done_locked(&as->lock, PASSED);
    }
}

/* What is done to a part of a mapping that shows the wanted pages, with the space's lock. */
typedef void (*rmap_fn)(struct aspace *as, const struct mapping *m, uint64_t start, uint64_t end);

/* Pages of the object that are wanted, some at once. */
struct wanted {
    uint64_t first, end; /* now */
    uint64_t next;       /* the first one behind them that was seen to be shown */
    rmap_fn fn;
};

static void do_part(struct aspace *as, const struct mapping *m, struct wanted *w) {
    uint64_t last = m->first + mapping_pages(m);
    uint64_t from = MAX(w->first, m->first), to = MIN(w->end, last);
    if (from < to)
        w->fn(as, m, m->start + (from - m->first) * PAGE_SIZE,
              m->start + (to - m->first) * PAGE_SIZE);
    if (last > w->end)
        w->next = MIN(w->next, MAX(w->end, m->first));
}

/* How far a hart has gone through a map while the map's lock is not held: records without an
 * object. Not on a stack, since others who change the list write to its neighbours; and one for
 * each hart is enough, since nobody sleeps meanwhile. */
static struct mapping marks[NHART];

/* For each mapping, also those that come meanwhile. Others may go through the map at the same
 * time. */
static void for_each(struct rmap *r, struct wanted *w) {
    struct list *mark = &marks[hart_self()->index].by_object;
    spin_expect_none("a search for who shows a page");
    spin_lock(&r->lock);
    list_push_front(&r->mappings, mark);
    while (mark->next != &r->mappings) {
        struct mapping *m = LIST_ENTRY(mark->next, struct mapping, by_object);
        struct aspace *as = m->object ? CONTAINER_OF(m->all, struct aspace, mappings) : NULL;
        bool mine = as && spin_try(&as->lock);
        if (mine || !as)
            list_move_behind(mark, &m->by_object);
        if (!as)
            continue; /* somebody else's mark */
        spin_unlock(&r->lock);
        if (mine) {
            do_part(as, m, w);
            spin_unlock(&as->lock);
        }
        cpu_relax();
        spin_lock(&r->lock);
    }
    list_remove(mark);
    spin_unlock(&r->lock);
}

bool rmap_may_write_locked(const struct rmap *r) {
    bool may = false;
    ASSERT_LOCKED(&r->lock);
    LIST_EACH(it, &r->mappings) {
        const struct mapping *m = LIST_ENTRY(it, struct mapping, by_object);
        may |= m->object && m->shared && (m->limit & PTE_W);
    }
    return may;
}

/* So many pages of a space does its lock hold up others for. */
#define AT_ONCE 256

/* A mapping that comes when its first pages have been done is shown none of them any more. */
static void in_pieces(struct rmap *r, uint64_t first, uint64_t pages, rmap_fn fn) {
    uint64_t end = first + pages;
    while (first < end) {
        struct wanted w = {first, MIN(first + AT_ONCE, end), end, fn};
        for_each(r, &w);
        first = w.next;
        piece_done(8 + (unsigned)(w.end - w.first));
    }
}

void rmap_forbid_writes(struct rmap *r, uint64_t first, uint64_t pages) {
    in_pieces(r, first, pages, change_forbid_writes);
}

void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages) {
    in_pieces(r, first, pages, change_take_away);
}
