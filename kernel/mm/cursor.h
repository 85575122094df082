/* A range cursor: the only code that walks a tree of page tables. Mapping, unmapping,
 * copying, printing and checking are loops over it.
 *
 * It stands on one entry, and goes in order of address over the entries whose spans touch
 * a range. Three moves:
 *
 *     pt_next    to the next entry of the same table
 *     pt_down    into the table that the entry points to
 *     pt_up      back to the entry that points to the table that it is in
 *
 * A loop goes down where it wants to, and up where pt_next finds no more; on the way up it
 * sees each table once more when all below it is done. pt_advance leaves the entry behind,
 * with all that is below it; two cursors that make the same moves over two trees stay side
 * by side. The entries may be changed under it, but not the tables on its way. */
#pragma once
#include "arch/pte.h"

/* A tree of page tables. */
struct pt {
    paddr_t root;
    uint32_t tables;    /* frames of the tree, with the root */
    uint8_t levels;     /* the root is at level levels - 1 */
    uint8_t root_shift; /* level_shift of that */
    const struct pt_memory *memory;
};

struct pt_cursor {
    uint64_t pos;   /* the first address of the range that the entry is about */
    uint64_t last;  /* of the range, inside: it may end where addresses end */
    uint64_t span;  /* bytes that an entry of its table is about */
    unsigned shift; /* the same as a power of two */
    unsigned level; /* of its table */
    unsigned top;   /* of the root */
    pte_t *entry;
    pte_t *way[PT_LEVELS_MAX]; /* by level, above its own: the entries that led here */
};

static inline struct pt pt_tree(paddr_t root, unsigned levels) {
    return (struct pt){
        .root = root, .levels = (uint8_t)levels, .root_shift = (uint8_t)level_shift(levels - 1)};
}

/* On the root's entry for start. [start, last] lies in one half of the address space. */
static inline struct pt_cursor pt_cursor_root(const struct pt *pt, uint64_t start, uint64_t last) {
    pte_t *table = pa_ptr(pt->root);
    struct pt_cursor c; /* its way is empty */
    c.pos = start;
    c.last = last;
    c.top = c.level = pt->levels - 1U;
    c.shift = pt->root_shift;
    c.span = 1ULL << c.shift;
    c.entry = &table[start >> c.shift & (PT_ENTRIES - 1)];
    return c;
}

/* The span of the entry: its first address and its last. */
static inline uint64_t pt_first(const struct pt_cursor *c) { return ROUND_DOWN(c->pos, c->span); }
static inline uint64_t pt_last(const struct pt_cursor *c) { return c->pos | (c->span - 1); }

/* Whether the walk goes on below the entry. */
static inline bool pt_is_above(const struct pt_cursor *c) {
    return c->level > 0 && pte_is_table(*c->entry);
}

/* The table that it is in. */
static inline pte_t *pt_table(const struct pt_cursor *c) {
    return (pte_t *)ROUND_DOWN(c->entry, PAGE_SIZE);
}

/* To the table below, which pt_is_above says there is; or which its entry, as it was read, has. */
static inline void pt_down_by(struct pt_cursor *c, pte_t entry) {
    pte_t *table = pa_ptr(pte_pa(entry));
    c->way[c->level--] = c->entry;
    c->span /= PT_ENTRIES;
    c->shift -= 9;
    c->entry = &table[c->pos >> c->shift & (PT_ENTRIES - 1)];
}

static inline void pt_down(struct pt_cursor *c) { pt_down_by(c, *c->entry); }

/* False, and nothing moved: it is in the root. */
static inline bool pt_up(struct pt_cursor *c) {
    if (c->level == c->top)
        return false;
    c->entry = c->way[++c->level];
    c->span *= PT_ENTRIES;
    c->shift += 9;
    return true;
}

/* False, and nothing moved: the table or the range ends with this entry. */
static inline bool pt_next(struct pt_cursor *c) {
    if (pt_last(c) >= c->last || IS_ALIGNED(c->entry + 1, PAGE_SIZE))
        return false;
    c->pos = pt_last(c) + 1;
    c->entry++;
    return true;
}

/* To the first entry behind the span of this one; false: the range ends with it. */
static inline bool pt_advance(struct pt_cursor *c) {
    while (!pt_next(c))
        if (!pt_up(c))
            return false;
    return true;
}

/* To the last entry of those in its table and the range that follow it without a table below;
 * how many there are, with both ends. */
static inline unsigned pt_run_of_leaves(struct pt_cursor *c) {
    unsigned n = 1;
    while (pt_last(c) < c->last && !IS_ALIGNED(c->entry + 1, PAGE_SIZE) &&
           !pte_is_table(c->entry[1])) {
        c->pos = pt_last(c) + 1;
        c->entry++;
        n++;
    }
    return n;
}

/* The same in a table of level 0, below which there is none. */
static inline unsigned pt_run(struct pt_cursor *c) {
    uint64_t left = (c->last >> PAGE_SHIFT) - (c->pos >> PAGE_SHIFT);
    uint64_t n = MIN(left, (uint64_t)(PT_ENTRIES - 1) - va_index(VA(c->pos), 0));
    c->pos += n << PAGE_SHIFT;
    c->entry += n;
    return (unsigned)n + 1;
}

/* The way to one address is compiled twice, once for this number of levels: a loop of known
 * length costs a third less. Every fault goes that way, and every copy under `walk`. What is
 * inlined takes as shape what is known of pt: its root and its levels. */
#define PT_COMMON_LEVELS 3

always_inline struct pt pt_common(const struct pt *pt) {
    return pt_tree(pt->root, PT_COMMON_LEVELS);
}

always_inline pte_t *pt_way_of(const struct pt *shape, vaddr_t va, unsigned *level) {
    struct pt_cursor c = pt_cursor_root(shape, va.v, va.v);
    pte_t e; /* read once: somebody may clear it meanwhile (aspace_page) */
    while (c.level > 0 && pte_is_table(e = __atomic_load_n(c.entry, __ATOMIC_RELAXED)))
        pt_down_by(&c, e);
    *level = c.level;
    return c.entry;
}

/* pt_walk for an address that is canonical. */
always_inline pte_t *pt_way(const struct pt *pt, vaddr_t va, unsigned *level) {
    const struct pt shape = pt_common(pt);
    return pt->levels == PT_COMMON_LEVELS ? pt_way_of(&shape, va, level) : pt_way_of(pt, va, level);
}
