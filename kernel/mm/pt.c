/* Sv39 page tables: the tree and its entries. The same file runs in the kernel
 * and in the host's tests. */
#include "mm/pt.h"
#include "lib/errno.h"
#include "lib/panic.h"

static pte_t *table_of(pte_t e) { return pa_ptr(pte_pa(e)); }

static bool range_ok(vaddr_t start, vaddr_t end) {
    return IS_ALIGNED(start.v, PAGE_SIZE) && IS_ALIGNED(end.v, PAGE_SIZE) && start.v < end.v &&
           va_canonical(start) && va_canonical(VA(end.v - 1)) &&
           (start.v < USER_HALF_END) == (end.v - 1 < USER_HALF_END);
}

int pt_table_take(struct pt *pt, paddr_t *table) {
    int err = pt->memory->take(table);
    if (!err)
        pt->tables++;
    return err;
}

static void table_give(struct pt *pt, paddr_t table) {
    pt->tables--;
    pt->memory->give(table);
}

int pt_init(struct pt *pt, const struct pt_memory *memory) {
    *pt = (struct pt){.memory = memory};
    return pt_table_take(pt, &pt->root);
}

pte_t *pt_walk(const struct pt *pt, vaddr_t va, unsigned *level) {
    if (!va_canonical(va))
        return NULL;
    pte_t *table = pa_ptr(pt->root);
    unsigned l = PT_ROOT_LEVEL;
    pte_t *e = &table[va_index(va, l)];
    while (l > 0 && pte_is_table(*e)) {
        l--;
        e = &table_of(*e)[va_index(va, l)];
    }
    *level = l;
    return e;
}

static bool table_empty(const pte_t *table) {
    for (const pte_t *e = table; e < table + PT_ENTRIES; e += 8)
        if (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7])
            return false;
    return true;
}

/* Takes the empty tables on the way to va out of the tree, lowest first, and
 * gives them back at once: they were made by a call that failed, and no
 * hardware has used an entry below them. */
static void prune(struct pt *pt, vaddr_t va) {
    for (;;) {
        pte_t *parent = NULL, *table = pa_ptr(pt->root);
        for (unsigned l = PT_ROOT_LEVEL; l > 0 && pte_is_table(table[va_index(va, l)]); l--) {
            parent = &table[va_index(va, l)];
            table = table_of(*parent);
        }
        if (!parent || !table_empty(table))
            return;
        *parent = 0;
        table_give(pt, ptr_pa(table));
    }
}

/* The entry for va at this level, with the tables above it made where missing. */
static int entry_make(struct pt *pt, vaddr_t va, unsigned level, pte_t **out) {
    pte_t *table = pa_ptr(pt->root);
    for (unsigned l = PT_ROOT_LEVEL; l > level; l--) {
        pte_t *e = &table[va_index(va, l)];
        if (pte_is_leaf(*e))
            return -K_EEXIST;
        if (!pte_valid(*e)) {
            paddr_t made;
            int err = pt_table_take(pt, &made);
            if (err) {
                prune(pt, va);
                return err;
            }
            *e = pte_table(made);
        }
        table = table_of(*e);
    }
    *out = &table[va_index(va, level)];
    return 0;
}

static bool flags_ok(uint64_t flags) {
    uint64_t rwx = flags & PTE_RWX;
    return rwx && !((rwx & PTE_W) && !(rwx & PTE_R));
}

static unsigned largest_level(uint64_t va, uint64_t pa, uint64_t bytes, unsigned max_level) {
    unsigned level = max_level;
    while (level > 0 && (!IS_ALIGNED(va | pa, level_size(level)) || bytes < level_size(level)))
        level--;
    return level;
}

/* Undoes a half-made pt_map: takes out what it put in, and the tables it made. */
static void unmap_made(struct pt *pt, vaddr_t start, vaddr_t end) {
    unsigned level;
    for (uint64_t va = start.v; va < end.v; va += level_size(level)) {
        *pt_walk(pt, VA(va), &level) = 0;
        prune(pt, VA(va));
    }
}

int pt_map(struct pt *pt, vaddr_t va, paddr_t pa, uint64_t bytes, uint64_t flags,
           unsigned max_level) {
    if (!range_ok(va, VA(va.v + bytes)) || !IS_ALIGNED(pa.v, PAGE_SIZE) || !flags_ok(flags) ||
        max_level > PT_ROOT_LEVEL || pa.v >= PTE_PA_END || bytes > PTE_PA_END - pa.v)
        return -K_EINVAL;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = va.v + done, from = pa.v + done;
        unsigned level = largest_level(at, from, bytes - done, max_level);
        pte_t *e;
        int err = entry_make(pt, VA(at), level, &e);
        if (!err && pte_valid(*e))
            err = -K_EEXIST;
        if (err) {
            unmap_made(pt, va, VA(at));
            prune(pt, VA(at));
            return err;
        }
        *e = pte_leaf(PA(from), flags);
        done += level_size(level);
    }
    return 0;
}

int pt_set_leaf(struct pt *pt, vaddr_t va, unsigned level, pte_t leaf, pte_t *old) {
    if (!va_canonical(va) || level > PT_ROOT_LEVEL || !pte_valid(leaf) || !flags_ok(leaf) ||
        !IS_ALIGNED(va.v | pte_pa(leaf).v, level_size(level)))
        return -K_EINVAL;
    pte_t *e;
    int err = entry_make(pt, va, level, &e);
    if (err)
        return err;
    if (pte_is_table(*e))
        return -K_EEXIST;
    *old = *e;
    *e = leaf;
    return 0;
}

int pt_split(struct pt *pt, vaddr_t va) {
    unsigned level;
    pte_t *e = pt_walk(pt, va, &level);
    if (!e || !pte_is_leaf(*e) || level == 0)
        return 0;
    paddr_t made;
    int err = pt_table_take(pt, &made);
    if (err)
        return err;
    pte_t *table = pa_ptr(made);
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        table[i] = *e + (i * level_size(level - 1) >> PAGE_SHIFT << 10);
    *e = pte_table(made);
    return 0;
}

/* Splits until a border of leaves falls on va. */
static int split_at(struct pt *pt, vaddr_t va) {
    for (;;) {
        unsigned level;
        pte_t *e = pt_walk(pt, va, &level);
        if (!e || !pte_is_leaf(*e) || IS_ALIGNED(va.v, level_size(level)))
            return 0;
        int err = pt_split(pt, va);
        if (err)
            return err;
    }
}

int pt_split_range(struct pt *pt, vaddr_t start, vaddr_t end) {
    int err = split_at(pt, start);
    return err ? err : split_at(pt, end);
}

/* The part of a walk over [start, end) that one table is concerned with. base is
 * the address where the table's span starts. */
struct span {
    uint64_t base, start, last;
};

static unsigned span_first(const struct span *s, unsigned level) {
    return s->start > s->base ? (unsigned)((s->start - s->base) / level_size(level)) : 0;
}

static unsigned span_last(const struct span *s, unsigned level) {
    uint64_t i = (s->last - s->base) / level_size(level);
    return (unsigned)MIN(i, (uint64_t)PT_ENTRIES - 1);
}

static struct span span_below(const struct span *s, unsigned level, unsigned i) {
    return (struct span){s->base + i * level_size(level), s->start, s->last};
}

static struct span span_of(vaddr_t start, vaddr_t end) {
    /* The root's table spans 512 GiB of which the low and the high half are
     * apart: the base of the high half is where index 0 would be. */
    uint64_t base = start.v < USER_HALF_END ? 0 : KERNEL_HALF - USER_HALF_END;
    return (struct span){base, start.v, end.v - 1};
}

static void leaves_in(const pte_t *table, unsigned level, struct span s, pt_leaves_fn leaves,
                      void *ctx) {
    unsigned first = span_first(&s, level), last = span_last(&s, level);
    if (level == 0) {
        leaves(ctx, &table[first], last - first + 1, 0);
        return;
    }
    for (unsigned i = first; i <= last; i++) {
        if (pte_is_table(table[i]))
            leaves_in(table_of(table[i]), level - 1, span_below(&s, level, i), leaves, ctx);
        else if (pte_valid(table[i]))
            leaves(ctx, &table[i], 1, level);
    }
}

void pt_leaves(const struct pt *pt, vaddr_t start, vaddr_t end, pt_leaves_fn leaves, void *ctx) {
    if (start.v == end.v)
        return;
    ASSERT(range_ok(start, end));
    leaves_in(pa_ptr(pt->root), PT_ROOT_LEVEL, span_of(start, end), leaves, ctx);
}

static void clear_table(struct pt *pt, const pte_t *table, unsigned level, struct span s) {
    unsigned last = span_last(&s, level);
    for (unsigned i = span_first(&s, level); i <= last; i++) {
        if (!pte_is_table(table[i]))
            continue;
        if (level > 1)
            clear_table(pt, table_of(table[i]), level - 1, span_below(&s, level, i));
        table_give(pt, pte_pa(table[i]));
    }
}

void pt_clear(struct pt *pt, vaddr_t start, vaddr_t end) {
    if (start.v == end.v)
        return;
    ASSERT(range_ok(start, end));
    clear_table(pt, pa_ptr(pt->root), PT_ROOT_LEVEL, span_of(start, end));
}

void pt_free_root(struct pt *pt) {
    ASSERT(pt->tables == 1);
    table_give(pt, pt->root);
    pt->root = PA(0);
}

void pt_gather_table(struct pt_gather *g, pte_t *table) {
    /* A frame's address has bit 0 clear, so the link is an invalid entry: a page
     * walk that still uses this table finds nothing in it. */
    table[0] = g->tables.v;
    g->tables = ptr_pa(table);
}

/* False: the gather is full; *stop is where to go on. */
static bool unmap_in(pte_t *table, unsigned level, struct span s, struct pt_gather *g,
                     uint64_t *stop) {
    unsigned first = span_first(&s, level), last = span_last(&s, level);
    for (unsigned i = first; i <= last; i++) {
        struct span below = span_below(&s, level, i);
        if (pte_is_table(table[i])) {
            pte_t *child = table_of(table[i]);
            if (!unmap_in(child, level - 1, below, g, stop))
                return false;
            if (table_empty(child)) {
                table[i] = 0;
                pt_gather_table(g, child);
            }
        } else if (pte_valid(table[i])) {
            ASSERT(below.base >= s.start && below.base + (level_size(level) - 1) <= s.last);
            if (g->count == PT_GATHER_LEAVES) {
                *stop = below.base;
                return false;
            }
            g->leaf[g->count] = table[i];
            g->level[g->count++] = (uint8_t)level;
            table[i] = 0;
        }
    }
    return true;
}

vaddr_t pt_unmap(struct pt *pt, vaddr_t start, vaddr_t end, struct pt_gather *gather) {
    if (start.v == end.v)
        return end;
    ASSERT(range_ok(start, end));
    uint64_t stop = end.v;
    unmap_in(pa_ptr(pt->root), PT_ROOT_LEVEL, span_of(start, end), gather, &stop);
    return VA(stop);
}

static bool visit_in(pte_t *table, unsigned level, struct span s,
                     bool (*fn)(void *, vaddr_t, unsigned, pte_t *), void *ctx) {
    unsigned first = span_first(&s, level), last = span_last(&s, level); /* divisions */
    for (unsigned i = first; i <= last; i++) {
        if (!pte_valid(table[i]))
            continue;
        struct span below = span_below(&s, level, i);
        bool is_table = pte_is_table(table[i]);
        if (!fn(ctx, VA(below.base), level, &table[i]))
            return false;
        if (is_table && level > 0 && !visit_in(table_of(table[i]), level - 1, below, fn, ctx))
            return false;
    }
    return true;
}

void pt_visit(const struct pt *pt, vaddr_t start, vaddr_t end,
              bool (*fn)(void *ctx, vaddr_t va, unsigned level, pte_t *e), void *ctx) {
    if (start.v == end.v)
        return;
    ASSERT(range_ok(start, end));
    visit_in(pa_ptr(pt->root), PT_ROOT_LEVEL, span_of(start, end), fn, ctx);
}

struct change {
    uint64_t start, last, set, clear;
};

static bool protect_leaf(void *ctx, vaddr_t va, unsigned level, pte_t *e) {
    const struct change *c = ctx;
    if (pte_is_leaf(*e)) {
        ASSERT(va.v >= c->start && va.v + (level_size(level) - 1) <= c->last);
        *e = (*e & ~c->clear) | c->set;
    }
    return true;
}

void pt_protect(struct pt *pt, vaddr_t start, vaddr_t end, uint64_t set, uint64_t clear) {
    struct change c = {start.v, end.v - 1, set, clear};
    pt_visit(pt, start, end, protect_leaf, &c);
}

void pt_gather_init(struct pt_gather *gather) {
    gather->count = 0;
    gather->tables = PA(0);
}

void pt_gather_finish(struct pt *pt, struct pt_gather *gather,
                      void (*put)(void *ctx, pte_t e, unsigned level), void *ctx) {
    for (uint32_t i = 0; i < gather->count; i++)
        put(ctx, gather->leaf[i], gather->level[i]);
    while (gather->tables.v) {
        paddr_t table = gather->tables;
        pte_t *entry = pa_ptr(table);
        gather->tables = PA(entry[0]);
        entry[0] = 0;
        table_give(pt, table);
    }
    pt_gather_init(gather);
}

struct copy {
    struct pt *dst;
    uint64_t clear;
    pt_leaves_fn leaves;
    void *ctx;
};

/* Entries that are leaves or invalid; an invalid one has no flags to clear. */
static void copy_leaves(const struct copy *c, pte_t *dst, pte_t *src, unsigned count,
                        unsigned level) {
    uint64_t keep = ~c->clear;
    for (unsigned i = 0; i < count; i++)
        if (pte_valid(src[i]))
            dst[i] = src[i] &= keep;
    c->leaves(c->ctx, dst, count, level);
}

static int copy_in(const struct copy *c, pte_t *dst, pte_t *src, unsigned level, struct span s) {
    unsigned first = span_first(&s, level), last = span_last(&s, level);
    if (level == 0) {
        copy_leaves(c, &dst[first], &src[first], last - first + 1, 0);
        return 0;
    }
    for (unsigned i = first; i <= last; i++) {
        if (!pte_is_table(src[i])) {
            copy_leaves(c, &dst[i], &src[i], 1, level);
            continue;
        }
        if (!pte_valid(dst[i])) {
            paddr_t made;
            int err = pt_table_take(c->dst, &made);
            if (err)
                return err;
            dst[i] = pte_table(made);
        }
        int err = copy_in(c, table_of(dst[i]), table_of(src[i]), level - 1,
                          span_below(&s, level, i));
        if (err)
            return err;
    }
    return 0;
}

int pt_copy(struct pt *dst, struct pt *src, vaddr_t start, vaddr_t end, uint64_t clear,
            pt_leaves_fn leaves, void *ctx) {
    if (start.v == end.v)
        return 0;
    ASSERT(range_ok(start, end));
    struct copy c = {dst, clear, leaves, ctx};
    return copy_in(&c, pa_ptr(dst->root), pa_ptr(src->root), PT_ROOT_LEVEL, span_of(start, end));
}
