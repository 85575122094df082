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
        *made = *m;
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

/* Parts the tree below m, which takes its place: what begins below m, and the others. m's
 * neighbours in order of address are passed on the way. */
static void part(struct mapping *tree, struct mapping *m) {
    struct mapping **lower = &m->lower, **upper = &m->upper;
    while (tree)
        if (tree->start < m->start) {
            m->prev = *lower = tree;
            lower = &tree->upper;
            tree = tree->upper;
        } else {
            m->next = *upper = tree;
            upper = &tree->lower;
            tree = tree->lower;
        }
    *lower = *upper = NULL;
}

/* One tree of two, all of whose addresses are in order. */
static struct mapping *joined(struct mapping *lower, struct mapping *upper) {
    struct mapping *root, **to = &root;
    while (lower && upper)
        if (lower->rank > upper->rank) {
            *to = lower;
            to = &lower->upper;
            lower = lower->upper;
        } else {
            *to = upper;
            to = &upper->lower;
            upper = upper->lower;
        }
    *to = lower ? lower : upper;
    return root;
}

static void link(struct mappings *all, struct mapping *m) {
    *(m->prev ? &m->prev->next : &all->first) = m;
    *(m->next ? &m->next->prev : &all->last) = m;
}

static void unlink(struct mappings *all, struct mapping *m) {
    *(m->prev ? &m->prev->next : &all->first) = m->next;
    *(m->next ? &m->next->prev : &all->last) = m->prev;
}

static void put(struct mappings *all, struct mapping *m) {
    struct mapping **at = &all->root, *tree;
    m->prev = m->next = NULL;
    while ((tree = *at) && tree->rank >= m->rank)
        if (m->start < tree->start) {
            m->next = tree;
            at = &tree->lower;
        } else {
            m->prev = tree;
            at = &tree->upper;
        }
    part(tree, m);
    *at = m;
    link(all, m);
    all->count++;
    all->lazy += m->lazy_tables;
}

void mapping_put(struct mappings *all, struct mapping *m) {
    put(all, m);
    rmap_add(m, all);
}

void mapping_take(struct mappings *all, struct mapping *m) {
    struct mapping **at = &all->root;
    while (*at && *at != m)
        at = m->start < (*at)->start ? &(*at)->lower : &(*at)->upper;
    ASSERT(*at == m);
    rmap_remove(m);
    *at = joined(m->lower, m->upper);
    all->recent = NULL;
    unlink(all, m);
    all->count--;
    all->lazy -= m->lazy_tables;
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
        put(to, copy);
        piece_done(COPY_COST);
    }
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
