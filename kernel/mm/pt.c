/* Page tables: the tree and its entries. The same file runs in the kernel
 * and in the host's tests. */
#include "mm/pt.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"

/* The bits of an address that are equal: 0 in the low half, -1 in the high one. */
static int64_t half_of(const struct pt *pt, vaddr_t va) {
    return (int64_t)va.v >> (pt->root_shift + 8U);
}

static bool range_ok(const struct pt *pt, vaddr_t start, vaddr_t end) {
    int64_t half = half_of(pt, start);
    return IS_ALIGNED(start.v | end.v, PAGE_SIZE) && start.v < end.v && (uint64_t)half + 1 <= 1 &&
           half_of(pt, VA(end.v - 1)) == half;
}

static int table_take(struct pt *pt, paddr_t *table) {
    int err = pt->memory->take(table);
    if (!err)
        pt->tables++;
    return err;
}

static void table_give(struct pt *pt, paddr_t table, bool zeroed) {
    pt->tables--;
    pt->memory->give(table, zeroed);
}

int pt_init(struct pt *pt, unsigned levels, const struct pt_memory *memory) {
    ASSERT(levels <= PT_LEVELS_MAX);
    *pt = pt_tree(PA(0), levels);
    pt->memory = memory;
    return table_take(pt, &pt->root);
}

static inline struct pt_cursor cursor_at(const struct pt *pt, vaddr_t va) {
    return pt_cursor_root(pt, va.v, va.v);
}

struct pt_cursor pt_cursor(const struct pt *pt, vaddr_t start, vaddr_t end) {
    ASSERT(range_ok(pt, start, end));
    return pt_cursor_root(pt, start.v, end.v - 1);
}

pte_t *pt_walk(const struct pt *pt, vaddr_t va, unsigned *level) {
    return va_canonical(va, pt->levels) ? pt_way(pt, va, level) : NULL;
}

always_inline pte_t any_of_8(const pte_t *e) {
    return e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7];
}

static bool table_empty(const pte_t *table) {
    for (const pte_t *e = table; e < table + PT_ENTRIES; e += 32)
        if (any_of_8(e) | any_of_8(e + 8) | any_of_8(e + 16) | any_of_8(e + 24))
            return false;
    return true;
}

/* Takes the empty tables on the way to va out of the tree, lowest first, and
 * gives them back at once: they were made by a call that failed, and no
 * hardware has used an entry below them. */
static void prune(struct pt *pt, vaddr_t va) {
    struct pt_cursor c = cursor_at(pt, va);
    while (pt_is_above(&c))
        pt_down(&c);
    while (table_empty(pt_table(&c)) && pt_up(&c)) {
        table_give(pt, pte_pa(*c.entry), true);
        *c.entry = 0;
    }
}

int pt_make_table(struct pt *pt, pte_t *e) {
    paddr_t made;
    int err = table_take(pt, &made);
    if (!err)
        pt_store(e, pte_table(made));
    return err;
}

/* The way to va ends at *e, of level `at`, and is to end at another level: makes the tables that
 * are missing, and *e the entry there. Errors as pt_entry. */
always_inline int lengthen_way(struct pt *pt, vaddr_t va, unsigned at, unsigned level, pte_t **e) {
    if (at < level)
        return -K_EEXIST;
    for (; at > level; at--) {
        int err = pte_is_leaf(**e) ? -K_EEXIST : pt_make_table(pt, *e);
        if (err) {
            prune(pt, va);
            return err;
        }
        pte_t *table = pa_ptr(pte_pa(**e));
        *e = &table[va_index(va, at - 1)];
    }
    return 0;
}

static seldom int make_way(struct pt *pt, vaddr_t va, unsigned at, unsigned level, pte_t **e) {
    return lengthen_way(pt, va, at, level, e);
}

int pt_entry(struct pt *pt, vaddr_t va, unsigned level, pte_t **out) {
    unsigned at;
    *out = pt_way(pt, va, &at);
    return at == level ? 0 : make_way(pt, va, at, level, out);
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
    if (!range_ok(pt, va, VA(va.v + bytes)) || !IS_ALIGNED(pa.v, PAGE_SIZE) || !flags_ok(flags) ||
        max_level >= pt->levels || pa.v >= PTE_PA_END || bytes > PTE_PA_END - pa.v)
        return -K_EINVAL;
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = va.v + done, from = pa.v + done;
        unsigned level = largest_level(at, from, bytes - done, max_level);
        pte_t *e;
        int err = pt_entry(pt, VA(at), level, &e);
        if (!err && pte_valid(*e))
            err = -K_EEXIST;
        if (err) {
            unmap_made(pt, va, VA(at));
            prune(pt, VA(at));
            return err;
        }
        pt_store(e, pte_leaf(PA(from), flags));
        done += level_size(level);
    }
    return 0;
}

int pt_map_frames(struct pt *pt, vaddr_t va, const paddr_t *frame, unsigned count, uint64_t flags) {
    pte_t *e = NULL;
    ASSERT(range_ok(pt, va, VA(va.v + count * PAGE_SIZE)) && flags_ok(flags));
    for (unsigned i = 0; i < count; i++) {
        vaddr_t at = VA(va.v + i * PAGE_SIZE);
        bool same_table = e && va_index(at, 0) > 0;
        int err = same_table ? 0 : pt_entry(pt, at, 0, &e);
        if (err)
            return err;
        e += same_table;
        ASSERT(!pte_valid(*e));
        *e = pte_leaf(frame[i], flags);
    }
    return 0;
}

/* pt_set_leaf, where the way does not end at its level. */
static seldom int make_way_to_leaf(struct pt *pt, vaddr_t va, unsigned at, unsigned level, pte_t *e,
                                   pte_t leaf, pte_t *old) {
    int err = lengthen_way(pt, va, at, level, &e);
    if (err)
        return err;
    *old = *e;
    pt_store(e, leaf);
    return 0;
}

int pt_set_leaf(struct pt *pt, vaddr_t va, unsigned level, pte_t leaf, pte_t *old) {
    if (!va_canonical(va, pt->levels) || level >= pt->levels || !pte_valid(leaf) ||
        !flags_ok(leaf) || !IS_ALIGNED(va.v | pte_pa(leaf).v, level_size(level)))
        return -K_EINVAL;
    unsigned at;
    pte_t *e = pt_way(pt, va, &at);
    if (at != level)
        return make_way_to_leaf(pt, va, at, level, e, leaf, old);
    *old = *e;
    pt_store(e, leaf);
    return 0;
}

int pt_split(struct pt *pt, vaddr_t va) {
    unsigned level;
    pte_t *e = pt_walk(pt, va, &level);
    if (!e || !pte_is_leaf(*e) || level == 0)
        return 0;
    paddr_t made;
    int err = table_take(pt, &made);
    if (err)
        return err;
    pte_t *table = pa_ptr(made);
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        table[i] = *e + (i * level_size(level - 1) >> PAGE_SHIFT << 10);
    pt_store(e, pte_table(made));
    return 0;
}

static inline unsigned run(struct pt_cursor *c) {
    return c->level == 0 ? pt_run(c) : pt_run_of_leaves(c);
}

void pt_take_leaves(struct pt *pt, vaddr_t start, vaddr_t end, pt_leaves_fn leaves, void *ctx) {
    if (start.v == end.v)
        return;
    struct pt_cursor c = pt_cursor(pt, start, end);
    do {
        while (pt_is_above(&c))
            pt_down(&c);
        pte_t *first = c.entry;
        unsigned count = run(&c);
        if (leaves)
            leaves(ctx, first, count, c.level);
        memset(first, 0, count * sizeof(*first));
    } while (pt_advance(&c));
}

/* Tells done() of every entry that is a table's below the cursor's, at its level and in its range,
 * each after those below it. Leaves are not looked at, so tables of level 0 are not entered. */
static void tables_below(struct pt_cursor c, void (*done)(void *ctx, pte_t *entry), void *ctx) {
    unsigned top = c.level;
    for (;;) {
        while (c.level > 1 && pt_is_above(&c))
            pt_down(&c);
        if (pt_is_above(&c))
            done(ctx, c.entry);
        while (!pt_next(&c)) {
            if (c.level == top)
                return;
            pt_up(&c);
            done(ctx, c.entry);
        }
    }
}

struct clearing {
    struct pt *pt;
    void (*freed)(void);
};

static void clear_table(void *ctx, pte_t *entry) {
    const struct clearing *c = ctx;
    table_give(c->pt, pte_pa(*entry), true);
    *entry = 0;
    if (c->freed)
        c->freed();
}

void pt_clear(struct pt *pt, vaddr_t start, vaddr_t end, void (*freed)(void)) {
    struct clearing c = {pt, freed};
    if (start.v < end.v)
        tables_below(pt_cursor(pt, start, end), clear_table, &c);
}

static void count_table(void *ctx, pte_t *entry) { ++*(uint64_t *)ctx; }

uint64_t pt_tables(const struct pt *pt, vaddr_t start, vaddr_t end) {
    uint64_t tables = 0;
    if (start.v < end.v)
        tables_below(pt_cursor(pt, start, end), count_table, &tables);
    return tables;
}

void pt_free_root(struct pt *pt) {
    ASSERT(pt->tables == 1);
    table_give(pt, pt->root, false);
    pt->root = PA(0);
}

/* In a link of gathered tables: the one that it points to has other entries that are not 0. */
#define NOT_ZEROED 2UL

/* A link has bit 0 clear, so it is an invalid entry: a page walk that still uses this table finds
 * nothing in it. */
static void gather_table(struct pt_gather *g, pte_t *table, uint64_t flags) {
    *table = g->tables;
    g->tables = ptr_pa(table).v | flags;
}

static void gather_with_leaves(void *ctx, pte_t *entry) {
    gather_table(ctx, pa_ptr(pte_pa(*entry)), NOT_ZEROED);
}

void pt_gather_below(const struct pt_cursor *at, struct pt_gather *g) {
    struct pt_cursor c = *at;
    c.last = MIN(c.last, pt_last(&c));
    tables_below(c, gather_with_leaves, g);
}

/* To the next entry, with what was passed taken out of: tables that fell empty are gathered. False:
 * the range ends with this one. */
always_inline bool next_gathering(struct pt_cursor *c, struct pt_gather *g) {
    while (!pt_next(c)) {
        pte_t *table = pt_table(c);
        if (!pt_up(c))
            return false;
        if (table_empty(table)) {
            *c->entry = 0;
            gather_table(g, table, 0);
        }
    }
    return true;
}

/* So many tables does pt_unmap enter, with those on its way down to the first entry. */
#define UNMAP_TABLES (PT_AT_ONCE / PT_ENTRIES + PT_LEVELS_MAX)

vaddr_t pt_unmap(struct pt *pt, vaddr_t start, vaddr_t end, struct pt_gather *g) {
    if (start.v == end.v)
        return end;
    struct pt_cursor c = pt_cursor(pt, start, end);
    unsigned entered = 0, room = g->many ? PT_GATHER_MANY : PT_GATHER_LEAVES;
    do {
        for (; pt_is_above(&c); pt_down(&c))
            if (entered++ == UNMAP_TABLES)
                return VA(c.pos);
        if (pte_valid(*c.entry)) {
            ASSERT(pt_first(&c) == c.pos && pt_last(&c) <= c.last);
            if (g->count == room)
                return VA(c.pos);
            g->leaf[g->count] = *c.entry;
            g->level[g->count++] = (uint8_t)c.level;
            *c.entry = 0;
        }
    } while (next_gathering(&c, g));
    return end;
}

/* Where the last leaf went. */
struct moved {
    uint64_t va;
    pte_t *entry;
};

/* The leaf in *e, of this level, goes to va, which is most often right behind the last one. */
static int move_leaf(struct pt *pt, pte_t *e, unsigned level, uint64_t va, struct moved *last) {
    bool beside = last->entry && level == 0 && last->va + PAGE_SIZE == va &&
                  va_index(VA(va), 0) > 0;
    pte_t *to = beside ? last->entry + 1 : NULL;
    int err = beside ? 0 : pt_entry(pt, VA(va), level, &to);
    if (err)
        return err;
    ASSERT(!pte_valid(*to) && IS_ALIGNED(va, level_size(level)));
    pt_store(to, *e);
    *e = 0;
    *last = (struct moved){va, to};
    return 0;
}

int pt_move(struct pt *pt, vaddr_t *at, vaddr_t end, uint64_t by, struct pt_gather *g) {
    struct pt_cursor c = pt_cursor(pt, *at, end);
    struct moved last = {0};
    unsigned entered = 0;
    do {
        for (; pt_is_above(&c); pt_down(&c))
            if (entered++ == UNMAP_TABLES) {
                *at = VA(c.pos);
                return 0;
            }
        if (!pte_valid(*c.entry))
            continue;
        ASSERT(pt_first(&c) == c.pos && pt_last(&c) <= c.last);
        int err = move_leaf(pt, c.entry, c.level, c.pos + by, &last);
        if (err) {
            *at = VA(c.pos);
            return err;
        }
    } while (next_gathering(&c, g));
    *at = end;
    return 0;
}

void pt_visit(const struct pt *pt, vaddr_t start, vaddr_t end,
              bool (*fn)(void *ctx, vaddr_t va, unsigned level, pte_t *e), void *ctx) {
    if (start.v == end.v)
        return;
    struct pt_cursor c = pt_cursor(pt, start, end);
    do {
        while (pte_valid(*c.entry)) {
            bool above = pt_is_above(&c);
            if (!fn(ctx, VA(pt_first(&c)), c.level, c.entry))
                return;
            if (!above)
                break;
            pt_down(&c);
        }
    } while (pt_advance(&c));
}

static void change_leaves(pte_t *e, unsigned count, uint64_t set, uint64_t keep) {
    for (const pte_t *end = e + count; e < end; e++)
        if (pte_is_leaf(*e))
            *e = (*e & keep) | set;
}

vaddr_t pt_protect(struct pt *pt, vaddr_t start, vaddr_t end, uint64_t set, uint64_t clear) {
    if (start.v == end.v)
        return end;
    struct pt_cursor c = pt_cursor(pt, start, end);
    unsigned passed = 0;
    do {
        if (passed >= PT_AT_ONCE)
            return VA(c.pos);
        while (pt_is_above(&c))
            pt_down(&c);
        ASSERT(!pte_valid(*c.entry) || (pt_first(&c) == c.pos && pt_last(&c) <= c.last));
        pte_t *first = c.entry;
        unsigned count = run(&c);
        change_leaves(first, count, set, ~clear);
        passed += count;
    } while (pt_advance(&c));
    return end;
}

void pt_gather_finish(struct pt *pt, struct pt_gather *gather,
                      void (*put)(void *ctx, pte_t e, unsigned level), void *ctx) {
    for (uint32_t i = 0; i < gather->count; i++)
        put(ctx, gather->leaf[i], gather->level[i]);
    while (gather->tables) {
        bool zeroed = !(gather->tables & NOT_ZEROED);
        paddr_t table = PA(gather->tables & ~NOT_ZEROED);
        pte_t *link = pa_ptr(table);
        gather->tables = *link;
        *link = 0;
        table_give(pt, table, zeroed);
    }
    gather->count = 0;
    gather->many = false;
}

/* Entries that are leaves or invalid; an invalid one has no flags to clear. No part of the
 * function around it, where it would have fewer registers. */
__attribute__((noinline)) static void copy_leaves(pte_t *dst, pte_t *src, unsigned count,
                                                  uint64_t keep) {
    for (unsigned i = 0; i < count; i++)
        if (pte_valid(src[i]))
            dst[i] = src[i] &= keep;
}

int pt_copy(struct pt *dst, struct pt *src, vaddr_t *at, vaddr_t end, uint64_t clear,
            pt_leaves_fn leaves, void *ctx) {
    if (at->v == end.v)
        return 0;
    struct pt_cursor from = pt_cursor(src, *at, end), to = pt_cursor(dst, *at, end);
    unsigned passed = 0;
    do {
        if (passed >= PT_AT_ONCE) {
            *at = VA(from.pos);
            return 0;
        }
        while (pt_is_above(&from)) {
            int err = pte_valid(*to.entry) ? 0 : pt_make_table(dst, to.entry);
            if (err)
                return err;
            pt_down(&from);
            pt_down(&to);
        }
        pte_t *source = from.entry, *copy = to.entry;
        unsigned count = run(&from);
        to.entry += count - 1;
        to.pos = from.pos;
        copy_leaves(copy, source, count, ~clear);
        leaves(ctx, source, count, from.level); /* where that has nothing, dst may have a table */
        passed += count;
    } while (pt_advance(&from) && pt_advance(&to));
    *at = end;
    return 0;
}
