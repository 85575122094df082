/* The tree of mapping.h. */
#include "mm/mapping.h"
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/pieces.h"
#include "mm/rmap.h"
#include "mm/slab.h"

static struct slab records = SLAB_INIT(records, sizeof(struct mapping));

uint64_t mapping_frames(void) { return records.frames; }

/* A number that no program can foresee: else it could choose addresses for which the tree is a
 * list. (The finalizer of SplitMix64, over a counter that begins at some time.) */
static uint32_t new_rank(void) {
    static uint64_t made;
    if (!__atomic_load_n(&made, __ATOMIC_RELAXED))
        __atomic_store_n(&made, cpu_time() << 20 | 1, __ATOMIC_RELAXED);
    uint64_t x = __atomic_add_fetch(&made, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELAXED);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return (uint32_t)(x ^ x >> 31);
}

static struct mapping *copy_of(const struct mapping *m) {
    struct mapping *made = slab_take(&records);
    if (made) {
        mapping_copy(made, m);
        object_get(made->object);
    }
    return made;
}

struct mapping *mapping_new(const struct mapping *m) {
    struct mapping *made = copy_of(m);
    if (made)
        made->rank = new_rank();
    return made;
}

void mapping_free(struct mapping *m) {
    object_put(m->object);
    slab_give(&records, m);
}

/* Whether at va and above there is the last one or none: what exec and sbrk change, and so worth
 * a look before the search. */
static bool at_the_end(const struct mappings *all, uint64_t va) {
    return !all->last || va >= all->last->start;
}

static struct mapping *last_from(const struct mappings *all, uint64_t va) {
    return all->last && va < all->last->end ? all->last : NULL;
}

struct mapping *mapping_from(const struct mappings *all, uint64_t va) {
    struct mapping *found = NULL;
    if (at_the_end(all, va))
        return last_from(all, va);
    for (struct mapping *m = all->root; m;)
        if (m->end > va) {
            found = m;
            m = m->lower;
        } else {
            m = m->upper;
        }
    return found;
}

struct mapping *mapping_below(const struct mappings *all, uint64_t va) {
    struct mapping *found = NULL;
    if (!all->last || all->last->start < va)
        return all->last;
    for (struct mapping *m = all->root; m;)
        if (m->start < va) {
            found = m;
            m = m->upper;
        } else {
            m = m->lower;
        }
    return found;
}

struct mapping *mapping_at(const struct mappings *all, uint64_t va) {
    struct mapping *m = all->root;
    if (at_the_end(all, va))
        return last_from(all, va);
    while (m && (va < m->start || va >= m->end))
        m = va < m->start ? m->lower : m->upper;
    return m;
}

/* ---- gaps ---- */

/* Nothing is mapped at 0 that did not ask for it, so that a null pointer points nowhere. */
#define LOWEST PAGE_SIZE

static uint64_t gap_below(const struct mapping *m) {
    if (m->prev)
        return m->start - m->prev->end;
    return m->start > LOWEST ? m->start - LOWEST : 0;
}

static uint64_t widest_of(const struct mapping *m) {
    uint64_t widest = gap_below(m);
    if (m->lower && m->lower->widest > widest)
        widest = m->lower->widest;
    if (m->upper && m->upper->widest > widest)
        widest = m->upper->widest;
    return widest;
}

/* Counts again from m upwards, as far as end, which is not; NULL: to the root. */
static void settle(struct mapping *m, const struct mapping *end) {
    for (; m != end; m = m->up)
        m->widest = widest_of(m);
}

/* From m upwards there is a gap of so many bytes more. */
static void raise(struct mapping *m, uint64_t bytes) {
    for (; m && m->widest < bytes; m = m->up)
        m->widest = bytes;
}

struct gap mapping_gap(const struct mappings *all, uint64_t bytes) {
    const struct mapping *m = all->root;
    struct gap last = {all->last ? all->last->end : LOWEST, USER_MAX};
    if (last.end - last.start >= bytes)
        return last;
    if (!m || m->widest < bytes)
        return (struct gap){0, 0};
    /* There is one below m, or in a tree below it. */
    for (;;)
        if (m->upper && m->upper->widest >= bytes)
            m = m->upper;
        else if (gap_below(m) >= bytes)
            return (struct gap){m->prev ? m->prev->end : LOWEST, m->start};
        else
            m = m->lower;
}

void mapping_move(struct mapping *m, uint64_t start, uint64_t end) {
    bool lower = m->start != start, upper = m->end != end && m->next;
    m->start = start;
    m->end = end;
    if (lower)
        settle(m, NULL);
    if (upper)
        settle(m->next, NULL);
}

/* ---- the tree ---- */

/* Parts the tree below m, which takes its place: what begins below m, and the others. m's
 * neighbours in order of address are passed on the way, at last. */
static void part(struct mapping *tree, struct mapping *m) {
    struct mapping **lower = &m->lower, **upper = &m->upper;
    struct mapping *above_lower = m, *above_upper = m;
    while (tree)
        if (tree->start < m->start) {
            m->prev = *lower = tree;
            tree->up = above_lower;
            above_lower = tree;
            lower = &tree->upper;
            tree = tree->upper;
        } else {
            m->next = *upper = tree;
            tree->up = above_upper;
            above_upper = tree;
            upper = &tree->lower;
            tree = tree->lower;
        }
    *lower = *upper = NULL;
}

/* One tree of two, all of whose addresses are in order, below up. */
static struct mapping *joined(struct mapping *lower, struct mapping *upper, struct mapping *up) {
    struct mapping *root, **to = &root;
    while (lower && upper)
        if (lower->rank > upper->rank) {
            *to = lower;
            lower->up = up;
            up = lower;
            to = &lower->upper;
            lower = lower->upper;
        } else {
            *to = upper;
            upper->up = up;
            up = upper;
            to = &upper->lower;
            upper = upper->lower;
        }
    *to = lower ? lower : upper;
    if (*to)
        (*to)->up = up;
    return root;
}

static void link(struct mappings *all, struct mapping *m) {
    *(m->prev ? &m->prev->next : &all->first) = m;
    *(m->next ? &m->next->prev : &all->last) = m;
    all->count++;
    all->lazy += m->lazy_tables;
}

static void unlink(struct mappings *all, struct mapping *m) {
    *(m->prev ? &m->prev->next : &all->first) = m->next;
    *(m->next ? &m->next->prev : &all->last) = m->prev;
    all->count--;
    all->lazy -= m->lazy_tables;
}

void mapping_put(struct mappings *all, struct mapping *m) {
    struct mapping **at = &all->root, *tree;
    m->up = m->prev = m->next = NULL;
    while ((tree = *at) && tree->rank >= m->rank) {
        m->up = tree;
        if (m->start < tree->start) {
            m->next = tree;
            at = &tree->lower;
        } else {
            m->prev = tree;
            at = &tree->upper;
        }
    }
    part(tree, m);
    *at = m;
    link(all, m);
    /* A neighbour below m in the tree is the last one that was passed there. */
    if (m->lower)
        settle(m->prev, m);
    if (m->next) {
        settle(m->upper ? m->next : m, NULL);
    } else {
        m->widest = widest_of(m);
        raise(m->up, m->widest);
    }
    rmap_add(m, all);
}

void mapping_take(struct mappings *all, struct mapping *m) {
    struct mapping **at = !m->up ? &all->root : m->up->lower == m ? &m->up->lower : &m->up->upper;
    ASSERT(*at == m);
    rmap_remove(m);
    *at = joined(m->lower, m->upper, m->up);
    all->recent = NULL;
    unlink(all, m);
    /* The next one's gap has grown. It is the last one that was joined, or above m. */
    settle(m->upper ? m->next : m->up, NULL);
}

/* ---- all of them ---- */

/* Behind all others: above those that end the tree there and have a lower rank. */
static void append(struct mappings *all, struct mapping *m) {
    struct mapping *lower = NULL, *up = all->last;
    for (; up && up->rank < m->rank; up = up->up) {
        up->widest = widest_of(up);
        lower = up;
    }
    m->prev = all->last;
    m->next = m->upper = NULL;
    m->lower = lower;
    m->up = up;
    if (lower)
        lower->up = m;
    *(up ? &up->upper : &all->root) = m;
    link(all, m);
}

/* In entries of page tables: about. */
#define COPY_COST 16
#define FREE_COST 8

int mapping_copy_all(struct mappings *to, const struct mappings *from) {
    ASSERT(!to->first);
    for (const struct mapping *m = from->first; m; m = m->next) {
        struct mapping *copy = copy_of(m);
        if (!copy) {
            mapping_free_all(to);
            return -K_ENOMEM;
        }
        append(to, copy);
        piece_done(COPY_COST);
    }
    settle(to->last, NULL);
    return 0;
}

void mapping_free_all(struct mappings *all) {
    for (struct mapping *m = all->first, *next; m; m = next) {
        next = m->next;
        mapping_free(m);
        piece_done(FREE_COST);
    }
    *all = (struct mappings){0};
}
