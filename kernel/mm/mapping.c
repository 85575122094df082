/* The tree of mapping.h. */
#include "mm/mapping.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/slab.h"

static struct slab records = SLAB_INIT(records, sizeof(struct mapping));

uint64_t mapping_frames(void) { return records.frames; }

/* Consecutive multiples of an odd constant are spread over all numbers (Fibonacci hashing). */
static uint32_t new_rank(void) {
    static uint32_t made;
    return __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED) * 2654435769U;
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

struct mapping *mapping_from(const struct mappings *all, uint64_t va) {
    struct mapping *found = NULL;
    if (!all->last || all->last->end <= va)
        return NULL; /* exec and sbrk add to the end */
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

void mapping_put(struct mappings *all, struct mapping *m) {
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

void mapping_take(struct mappings *all, struct mapping *m) {
    struct mapping **at = &all->root;
    while (*at && *at != m)
        at = m->start < (*at)->start ? &(*at)->lower : &(*at)->upper;
    ASSERT(*at == m);
    *at = joined(m->lower, m->upper);
    all->recent = NULL;
    unlink(all, m);
    all->count--;
    all->lazy -= m->lazy_tables;
}

/* The depth of a treap is a small multiple of log n, so this may call itself. */
static struct mapping *copy_tree(const struct mapping *from, struct mappings *to) {
    struct mapping *lower = from->lower ? copy_tree(from->lower, to) : NULL;
    struct mapping *m = copy_of(from);
    if (!m)
        return NULL;
    m->lower = lower;
    m->prev = to->last;
    m->next = NULL;
    link(to, m);
    to->count++;
    m->upper = from->upper ? copy_tree(from->upper, to) : NULL;
    return m;
}

int mapping_copy_all(struct mappings *to, const struct mappings *from) {
    ASSERT(!to->first);
    to->root = from->root ? copy_tree(from->root, to) : NULL;
    to->lazy = from->lazy;
    if (to->count == from->count)
        return 0;
    mapping_free_all(to);
    return -K_ENOMEM;
}

void mapping_free_all(struct mappings *all) {
    for (struct mapping *m = all->first, *next; m; m = next) {
        next = m->next;
        mapping_free(m);
    }
    *all = (struct mappings){0};
}
