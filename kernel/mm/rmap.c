/* From an object to the spaces that show it: see rmap.h. */
#include "mm/rmap.h"
#include "lib/errno.h"
#include "arch/cpu.h"
#include "arch/hart.h"
#include "mm/change.h"
#include "mm/pieces.h"

void rmap_init(struct rmap *r) {
    spin_init(&r->lock, RANK_RMAP);
    list_init(&r->mappings);
    r->writable = 0;
}

/* It stays so while the mapping is in the map. */
static bool may_write(const struct mapping *m) { return m->shared && (m->limit & PTE_W); }

/* At the end, where who goes through the map still comes by. */
void rmap_add(struct mapping *m, struct mappings *all) {
    struct rmap *r = m->object->rmap;
    if (!r)
        return;
    m->all = all;
    spin_lock(&r->lock);
    ASSERT(!may_write(m) || !m->object->stores_error); /* rmap_begin_stores */
    list_push_back(&r->mappings, &m->by_object);
    r->writable += may_write(m);
    spin_unlock(&r->lock);
}

void rmap_remove(struct mapping *m) {
    struct rmap *r = m->object->rmap;
    if (!r)
        return;
    spin_lock(&r->lock);
    list_remove(&m->by_object);
    r->writable -= may_write(m);
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

/* How many pages it was. */
static uint64_t do_part(struct aspace *as, const struct mapping *m, struct wanted *w) {
    uint64_t last = m->first + mapping_pages(m);
    uint64_t from = MAX(w->first, m->first), to = MIN(w->end, last);
    if (last > w->end)
        w->next = MIN(w->next, MAX(w->end, m->first));
    if (from >= to)
        return 0;
    w->fn(as, m, m->start + (from - m->first) * PAGE_SIZE, m->start + (to - m->first) * PAGE_SIZE);
    return to - from;
}

/* How far a thread has gone through a map while the map's lock is not held. Not on its stack,
 * since others who change the list write to its neighbours, and not its hart's, since there are
 * breaks meanwhile. Each goes through one map at a time, and waits when all marks are taken. */
static struct mark {
    struct list in_map;
    uint32_t taken; /* atomic; 0 or 1 */
} marks[64];

static struct mark *mark_take(void) {
    struct mark *mark = marks;
    while (__atomic_exchange_n(&mark->taken, 1, __ATOMIC_ACQUIRE)) {
        if (++mark < marks + ARRAY_LEN(marks))
            continue;
        mark = marks;
        piece_end();
    }
    return mark;
}

static void mark_give(struct mark *mark) { __atomic_store_n(&mark->taken, 0, __ATOMIC_RELEASE); }

static bool is_mark(const struct list *link) {
    return (uintptr_t)link - (uintptr_t)marks < sizeof(marks);
}

/* With the map's lock, which is given back meanwhile. */
static void do_next(struct rmap *r, struct list *mark, struct wanted *w) {
    const struct mapping *m = LIST_ENTRY(mark->next, struct mapping, by_object);
    struct aspace *as = CONTAINER_OF(m->all, struct aspace, mappings);
    bool mine = spin_try(&as->lock);
    uint64_t pages = 0;
    if (mine)
        list_move_behind(mark, mark->next);
    spin_unlock(&r->lock);
    if (mine) {
        pages = do_part(as, m, w);
        spin_unlock(&as->lock);
    }
    cpu_relax();
    piece_done(PASSED + (unsigned)pages);
    spin_lock(&r->lock);
}

/* For each mapping, also those that come meanwhile. Others may go through the map at the same
 * time. */
static void for_each(struct rmap *r, struct wanted *w) {
    struct mark *taken = mark_take();
    struct list *mark = &taken->in_map;
    spin_expect_none("a search for who shows a page");
    spin_lock(&r->lock);
    list_push_front(&r->mappings, mark);
    while (mark->next != &r->mappings)
        if (is_mark(mark->next))
            list_move_behind(mark, mark->next);
        else
            do_next(r, mark, w);
    list_remove(mark);
    spin_unlock(&r->lock);
    mark_give(taken);
}

bool rmap_may_write_locked(const struct rmap *r) {
    ASSERT_LOCKED(&r->lock);
    return r->writable > 0;
}

int rmap_begin_stores(struct object *o) {
    struct rmap *r = o->rmap;
    if (!r)
        return o->stores_error;
    spin_lock(&r->lock);
    int err = o->stores_error;
    r->writable += !err;
    spin_unlock(&r->lock);
    return err;
}

void rmap_end_stores(struct object *o) {
    struct rmap *r = o->rmap;
    if (!r)
        return;
    spin_lock(&r->lock);
    r->writable--;
    spin_unlock(&r->lock);
}

int rmap_forbid_stores(struct rmap *r, struct object *o, int err) {
    spin_lock(&r->lock);
    bool busy = rmap_may_write_locked(r);
    if (!busy)
        __atomic_store_n(&o->stores_error, err, __ATOMIC_RELAXED);
    spin_unlock(&r->lock);
    return busy ? -K_EBUSY : 0;
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
        piece_done(8);
    }
}

void rmap_forbid_writes(struct rmap *r, uint64_t first, uint64_t pages) {
    in_pieces(r, first, pages, change_forbid_writes);
}

void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages) {
    in_pieces(r, first, pages, change_take_away);
}
