/* Changes of mappings: see change.h. */
#include "mm/change.h"
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/changeparts.h"
#include "mm/commit.h"
#include "mm/cursor.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/pieces.h"
#include "mm/rmap.h"
#include "mm/turn.h"

/* One gather a hart, since it is too large for a kernel stack; and one for the
 * tables of the kernel's view. The kernel is not preempted while it uses them. */
static struct pt_gather gathers[NHART][2];

struct pt_gather *change_gather(void) {
    return &gathers[hart_self()->index][0];
}
static struct pt_gather *kernels_gather(void) { return &gathers[hart_self()->index][1]; }

void change_sync(struct aspace *as, uint64_t start, uint64_t end) {
    design_sync(as, VA(start), VA(end), kernels_gather());
}

void change_sync_finish(struct aspace *as) {
    pt_gather_finish(&as->kernel, kernels_gather(), NULL, NULL);
}

void change_wait_for(uint32_t others, const struct aspace *as) {
    for (uint32_t i = 0; others; i++, others >>= 1)
        while ((others & 1) && __atomic_load_n(&harts[i].page_of, __ATOMIC_ACQUIRE) == as)
            cpu_relax();
}

/* ---- leaves ----------------------------------------------------------------- */

/* Drops what a leaf that is no more had of its frame. */
static void put_leaf(void *ctx, pte_t e, unsigned level) {
    struct putting *put = ctx;
    put->as->present -= level_size(level) / PAGE_SIZE;
    put->freed += frame_put(frame_leaf(e, level));
}

void change_split(struct aspace *as, uint64_t va, pte_t e, unsigned level) {
    if (pt_split(&as->user, VA(va)))
        panic("a table to split a large leaf was not covered by the commitment");
    frame_split_large(pte_pa(e));
    uint64_t start = ROUND_DOWN(va, level_size(level));
    design_sync(as, VA(start), VA(start + level_size(level)), NULL);
}

/* Makes sure that neither a leaf nor the frame behind it crosses va; the largest is LARGE_SIZE. */
void change_split_at(struct aspace *as, uint64_t va) {
    unsigned level;
    if (IS_ALIGNED(va, LARGE_SIZE))
        return;
    pte_t e = *pt_walk(&as->user, VA(va), &level);
    if (level > 0 && pte_is_leaf(e) && !IS_ALIGNED(va, level_size(level)))
        change_split(as, va, e, level);
}

uint64_t change_remove_some(struct aspace *as, uint64_t at, uint64_t end, bool lazy,
                            unsigned *cost) {
    struct putting put = {.as = as};
    struct pt_gather *gather = change_gather();
    as->peak = MAX(as->peak, as->present);
    gather->many = tlb_active_elsewhere(&as->tlb) != 0;
    uint64_t next = pt_unmap(&as->user, VA(at), VA(end), gather).v;
    change_sync(as, at, next);
    /* A flush of one address covers leaves only, and not a table made by a split
     * or one that fell empty. */
    bool leaves_only = as->user.tables + as->kernel.tables == as->fenced_tables &&
                       !gather->tables && !kernels_gather()->tables;
    if (next - at == PAGE_SIZE && leaves_only)
        tlb_flush_page(&as->tlb, VA(at));
    else
        tlb_flush(&as->tlb);
    change_wait_for_copies(as);
    change_sync_finish(as);
    pt_gather_finish(&as->user, gather, put_leaf, &put);
    as->fenced_tables = as->user.tables + as->kernel.tables;
    if (lazy && put.freed)
        frame_uncommit(put.freed);
    *cost = 16 + (unsigned)MIN((next - at) / PAGE_SIZE, (uint64_t)PT_AT_ONCE) +
            (unsigned)put.freed * PIECE_FREED;
    return next;
}

/* All in [start, end), in pieces. */
static void remove_leaves(struct aspace *as, uint64_t start, uint64_t end, bool lazy) {
    change_split_at(as, start);
    change_split_at(as, end);
    for (uint64_t at = start, next; at < end; at = next) {
        unsigned cost;
        next = change_remove_some(as, at, end, lazy, &cost);
        piece_done_locked(&as->lock, cost);
    }
}

/* ---- joining and cutting ------------------------------------------------------ */

/* Whether b, which begins where a ends, could be one mapping with it. */
static bool continues(const struct mapping *a, const struct mapping *b) {
    return a->end == b->start && a->object == b->object && a->perm == b->perm &&
           a->limit == b->limit && a->shared == b->shared && a->owns == b->owns &&
           a->lazy == b->lazy && a->lazy_tables == b->lazy_tables &&
           a->no_promise == b->no_promise &&
           (a->object->zeros || a->first + mapping_pages(a) == b->first);
}

/* Joins m with the next one if that continues it. */
static void join_next(struct aspace *as, struct mapping *m) {
    struct mapping *next = m->next;
    if (!next || !continues(m, next))
        return;
    /* First, so that a hart that has passed m and waits for next has at every moment one of them
     * before it. It comes to this space when all is done. */
    rmap_grown(m);
    m->end = next->end; /* so that no gap opens and closes */
    mapping_take(&as->mappings, next);
    m->touched |= next->touched;
    mapping_free(next);
}

static void join_prev(struct aspace *as, struct mapping *m) {
    if (m->prev)
        join_next(as, m->prev);
}

/* As many as a space may have: what goes over all of them ends in time. */
#define MAPPINGS_MAX 65536

struct mapping *change_record(const struct aspace *as, const struct mapping *m) {
    return as->mappings.count < MAPPINGS_MAX ? mapping_new(m) : NULL;
}

/* Where m goes: into the one that it continues, else into a record of its own, in no tree yet.
 * NULL: no memory for that. */
static struct mapping *place_for(struct aspace *as, const struct mapping *m) {
    struct mapping *before = mapping_below(&as->mappings, m->start);
    return before && continues(before, m) ? before : change_record(as, m);
}

static void leave_place(struct mapping *place, const struct mapping *m) {
    if (place->start == m->start)
        mapping_free(place);
}

/* With what it needs counted already. */
static void insert(struct aspace *as, struct mapping *place, const struct mapping *m) {
    if (place->start == m->start)
        mapping_put(&as->mappings, place);
    else
        mapping_move(place, place->start, m->end);
    join_next(as, place);
}

int change_insert(struct aspace *as, const struct mapping *m) {
    struct mapping *place = place_for(as, m);
    if (!place)
        return -K_ENOMEM;
    commit_add(as, m);
    insert(as, place, m);
    return 0;
}

int change_add(struct aspace *as, const struct mapping *m) {
    struct mapping *place = place_for(as, m);
    if (!place)
        return -K_ENOMEM;
    commit_add(as, m);
    int err = commit_settle(as);
    if (err) {
        commit_remove(as, m);
        leave_place(place, m);
        return err;
    }
    insert(as, place, m);
    return 0;
}

/* Makes two of a mapping that va lies inside of. -K_ENOMEM: it is as it was. */
int change_cut(struct aspace *as, uint64_t va) {
    struct mapping *m = mapping_at(&as->mappings, va);
    if (!m || m->start == va)
        return 0;
    struct mapping *upper = change_record(as, m);
    if (!upper)
        return -K_ENOMEM;
    upper->first = mapping_index(m, va);
    m->end = upper->start = va; /* no gap changes */
    mapping_put(&as->mappings, upper);
    return 0;
}

void change_uncut(struct aspace *as, uint64_t va) {
    struct mapping *m = mapping_at(&as->mappings, va);
    if (m)
        join_prev(as, m);
}

/* Undoes cuts at both ends. */
static void uncut(struct aspace *as, uint64_t start, uint64_t end) {
    change_uncut(as, end);
    change_uncut(as, start);
}

/* Makes the range a mapping that begins and ends there. -K_ENOMEM: nothing changed. */
static int cut_out(struct aspace *as, uint64_t start, uint64_t end) {
    int err = change_cut(as, start);
    if (!err)
        err = change_cut(as, end);
    if (err)
        uncut(as, start, end);
    return err;
}

static void set_lazy(struct aspace *as, struct mapping *m, bool lazy) {
    mapping_take(&as->mappings, m);
    m->lazy = m->lazy_tables = lazy;
    mapping_put(&as->mappings, m);
}

int change_promise(struct aspace *as, uint64_t start, uint64_t end) {
    int err = cut_out(as, start, end);
    if (err)
        return err;
    struct mapping *m = mapping_at(&as->mappings, start);
    commit_remove(as, m);
    set_lazy(as, m, false);
    commit_add(as, m);
    err = commit_settle(as);
    if (err) {
        commit_remove(as, m);
        set_lazy(as, m, true);
        commit_add(as, m);
    }
    uncut(as, start, end);
    return err;
}

/* Less is needed than before, which cannot fail. */
void change_settle_less(struct aspace *as) {
    commit_count_tables(as);
    int err = commit_settle(as);
    ASSERT(!err);
}

/* ---- removal -------------------------------------------------------------------- */

/* It is in no tree any more. Its object may have a long end, unless it has none. */
void change_put_record(struct aspace *as, struct mapping *m) {
    if (!m->object->ops->put) {
        mapping_free(m);
        return;
    }
    spin_unlock(&as->lock);
    mapping_free(m);
    spin_lock(&as->lock);
}

/* Takes all of m away. */
static void trim_whole(struct aspace *as, struct mapping *m) {
    remove_leaves(as, m->start, m->end, m->lazy);
    mapping_take(&as->mappings, m);
    commit_remove(as, m);
    change_put_record(as, m);
}

/* Takes away what m has of [start, end), at one of its ends. */
static void trim_end(struct aspace *as, struct mapping *m, uint64_t start, uint64_t end) {
    struct mapping gone;
    mapping_copy(&gone, m);
    gone.start = MAX(m->start, start);
    gone.end = MIN(m->end, end);
    remove_leaves(as, gone.start, gone.end, m->lazy);
    if (gone.start > m->start) {
        mapping_move(m, m->start, gone.start);
    } else {
        m->first = mapping_index(m, gone.end);
        mapping_move(m, gone.end, m->end);
    }
    commit_remove(as, &gone);
}

/* m ends within [start, end), or begins there, or both. */
static void trim(struct aspace *as, struct mapping *m, uint64_t start, uint64_t end) {
    if (start <= m->start && m->end <= end)
        trim_whole(as, m);
    else
        trim_end(as, m, start, end);
}

void change_trim(struct aspace *as, uint64_t start, uint64_t end) {
    struct mapping *m;
    while ((m = mapping_from(&as->mappings, start)) && m->start < end)
        trim(as, m, start, end);
}

/* The range stays closed. */
static int remove(struct aspace *as, uint64_t start, uint64_t end) {
    struct mapping *m = mapping_at(&as->mappings, start);
    int err = m && m->start < start && m->end > end ? change_cut(as, end) : 0;
    if (err)
        return err;
    turn_close(as, start, end);
    turn_wait_for_claims_locked(as, start, end);
    change_trim(as, start, end);
    change_settle_less(as);
    return 0;
}

int change_remove(struct aspace *as, uint64_t start, uint64_t end) {
    int err = remove(as, start, end);
    turn_close(as, 0, 0);
    return err;
}

/* What the new one needs is promised before the old ones go. */
int change_replace(struct aspace *as, const struct mapping *m) {
    struct mapping *place = change_record(as, m);
    if (!place)
        return -K_ENOMEM;
    uint64_t most = commit_most(as, m);
    as->needed += most;
    int err = commit_settle(as);
    if (!err)
        err = remove(as, m->start, m->end);
    as->needed -= most;
    if (err) {
        mapping_free(place);
    } else {
        commit_add(as, m);
        insert(as, place, m);
        join_prev(as, place);
    }
    int less = commit_settle(as);
    ASSERT(!less);
    turn_close(as, 0, 0);
    return err;
}

/* ---- permissions ------------------------------------------------------------------ */

static bool would_own(const struct mapping *m, uint8_t perm) {
    return m->owns || (!m->shared && (perm & PTE_W));
}

/* Leaves have lost permissions. Copies that write have ended. */
void change_flush_narrowed(struct aspace *as) {
    tlb_flush(&as->tlb);
    as->fenced_tables = as->user.tables + as->kernel.tables;
    change_wait_for_copies(as);
}

/* The range permits what it is to. If it is less than before, no hart may have kept more; of what
 * it permits in addition no hart need know. */
static void flush_protected(struct aspace *as, uint64_t start, uint64_t end, bool less) {
    bool tables = as->user.tables + as->kernel.tables != as->fenced_tables;
    if (tables || (less && end - start > PAGE_SIZE)) {
        change_flush_narrowed(as);
    } else if (less) {
        tlb_flush_page(&as->tlb, VA(start));
        change_wait_for_copies(as);
    }
}

/* Counts n entries more. Before a break it flushes: an object that forbids writes in the break
 * takes a leaf without W for one that no hart uses to write. */
static void narrowed(struct aspace *as, unsigned n) {
    if (piece_is_full(n)) {
        change_flush_narrowed(as);
        piece_end_locked(&as->lock);
    }
}

/* A page that may not be touched at all keeps its frame, in an entry of level 0 with V alone
 * (pte_is_kept): so there are no large leaves there. */
void change_split_all(struct aspace *as, uint64_t start, uint64_t end) {
    for (uint64_t at = start; at < end; at += PAGE_SIZE) {
        unsigned level;
        pte_t e = *pt_walk(&as->user, VA(at), &level);
        if (pte_is_leaf(e) && level > 0) {
            change_split(as, at, e, level);
            narrowed(as, PT_ENTRIES);
        }
        at = ROUND_UP(at + 1, level_size(MAX(level, 1u))) - PAGE_SIZE;
        narrowed(as, 4);
    }
}

/* Pages of private memory that nobody shares may be written again, without a fault for each. Code
 * is left to faults, which fence it. */
static void permit_writes(struct aspace *as, const struct mapping *m, uint64_t start,
                          uint64_t end) {
    struct pt_cursor c = pt_cursor(&as->user, VA(start), VA(end));
    do {
        while (pt_is_above(&c))
            pt_down(&c);
        pte_t e = *c.entry;
        if (pte_is_leaf(e) && (e & PTE_RWX) == (m->perm & ~PTE_W & PTE_RWX) &&
            frame_sole(frame_leaf(e, c.level)))
            pt_store(c.entry, pte_leaf(pte_pa(e), m->perm | PTE_U));
    } while (pt_advance(&c));
}

/* Leaves lose at once what the mapping permits no more; what else it permits in addition comes with
 * the next touch. */
static void protect_leaves(struct aspace *as, const struct mapping *m) {
    uint64_t clear = m->perm ? PTE_RWX & ~(uint64_t)m->perm : PTE_LEAF_FLAGS;
    bool writes = m->owns && (m->perm & PTE_W);
    change_split_at(as, m->start);
    change_split_at(as, m->end);
    if (!m->perm)
        change_split_all(as, m->start, m->end);
    for (uint64_t at = m->start, next; at < m->end; at = next) {
        next = pt_protect(&as->user, VA(at), VA(m->end), 0, clear).v;
        if (writes)
            permit_writes(as, m, at, next);
        design_sync(as, VA(at), VA(next), NULL); /* no table goes */
        narrowed(as, 16 + (unsigned)MIN((next - at) / PAGE_SIZE, (uint64_t)PT_AT_ONCE));
    }
}

/* Frames that [start, end) may need once it permits this, beyond those promised now. */
static uint64_t owed(struct aspace *as, uint64_t start, uint64_t end, uint8_t perm) {
    uint64_t pages = 0;
    const struct mapping *m = mapping_from(&as->mappings, start);
    for (; m && m->start < end; m = m->next) {
        if (would_own(m, perm) && !m->owns && !commit_lazy && !m->no_promise)
            pages += (MIN(m->end, end) - MAX(m->start, start)) / PAGE_SIZE;
        piece_done_locked(&as->lock, 1);
    }
    return pages;
}

static void protect_one(struct aspace *as, struct mapping *m, uint8_t perm) {
    m->lazy |= (commit_lazy || m->no_promise) && would_own(m, perm) && !m->owns;
    m->owns = would_own(m, perm);
    m->perm = perm;
    protect_leaves(as, m);
}

int change_protect(struct aspace *as, uint64_t start, uint64_t end, uint8_t perm) {
    uint64_t pages = owed(as, start, end, perm);
    int err = cut_out(as, start, end);
    if (err)
        return err;
    as->needed += pages;
    err = commit_settle(as);
    if (err) {
        as->needed -= pages;
        uncut(as, start, end);
        return err;
    }
    turn_close(as, start, end);
    bool less = false;
    struct mapping *m = mapping_from(&as->mappings, start);
    for (; m && m->start < end; m = m->next) {
        less |= m->perm & ~perm;
        protect_one(as, m, perm);
        if (m->prev && m->prev->start >= start && continues(m->prev, m)) {
            m = m->prev;
            join_next(as, m);
        }
    }
    flush_protected(as, start, end, less);
    uncut(as, start, end);
    turn_close(as, 0, 0);
    return 0;
}

void change_drop_pages(struct aspace *as, uint64_t start, uint64_t end) {
    turn_close(as, start, end);
    const struct mapping *m = mapping_from(&as->mappings, start);
    for (; m && m->start < end; m = m->next)
        if (!m->shared && !m->object->filled)
            remove_leaves(as, MAX(m->start, start), MIN(m->end, end), m->lazy);
    change_settle_less(as);
    turn_close(as, 0, 0);
}
