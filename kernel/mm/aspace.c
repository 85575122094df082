/* One process's memory as a whole: made, cloned, destroyed. */
#include "mm/aspace.h"
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kernel_view.h"
#include "mm/kmap.h"
#include "mm/pieces.h"
#include "mm/rmap.h"
#include "mm/turn.h"

uint64_t aspace_end(const struct aspace *as) {
    return as->mappings.last ? as->mappings.last->end : 0;
}

/* Mappings near each other whose leaves are treated alike: what goes over all leaves does so by
 * spans, since to begin one costs as much as to pass over some tens of empty entries. Frames of
 * pages that a span's mappings own are all lazy or all promised. Untouched mappings have none, and
 * are in a span or not. */
#define SPAN_GAP (16 * PAGE_SIZE)

struct span {
    uint64_t start, end;
    bool shared, lazy;
    bool known;                 /* some of its mappings are in an object's reverse map */
    const struct mapping *next; /* the first touched one that follows it */
};

static const struct mapping *touched_from(const struct mapping *m) {
    while (m && !m->touched)
        m = m->next;
    return m;
}

static struct span span_of(const struct mapping *first) {
    struct span s = {.start = first->start,
                     .end = first->end,
                     .shared = first->shared,
                     .lazy = first->lazy,
                     .known = first->object->rmap,
                     .next = touched_from(first->next)};
    for (; s.next && s.next->shared == s.shared && s.next->lazy == s.lazy &&
           s.next->start - s.end <= SPAN_GAP;
         s.next = touched_from(s.next->next)) {
        s.end = s.next->end;
        if (s.next->object->rmap)
            s.known = true;
    }
    return s;
}

/* ---- create and destroy --------------------------------------------------- */

static int create_views(struct aspace *as) {
    int err = pt_init(&as->user, paging.levels, &pt_frames);
    if (!err)
        err = kmap_trampoline(&as->user);
    if (!err)
        err = pt_map(&as->user, VA(TRAPFRAME), as->trapframe, PAGE_SIZE, PTE_R | PTE_W, 0);
    if (!err)
        err = as->design->create(as);
    return err;
}

void aspace_init(struct aspace *as) { spin_init(&as->lock, RANK_SPACE); }

/* Everything but the lock, which somebody may still give back. */
static void make_empty(struct aspace *as) {
    ASSERT(!as->live);
    size_t kept = offsetof(struct aspace, live);
    memset((char *)as + kept, 0, sizeof(*as) - kept);
}

/* From here on others may look at the space. */
static void set_live(struct aspace *as) {
    spin_lock(&as->lock);
    as->live = true;
    spin_unlock(&as->lock);
}

int aspace_create(struct aspace *as, const struct design *design, uint32_t id, uint32_t slot,
                  paddr_t trapframe) {
    make_empty(as);
    as->design = design;
    as->slot = slot;
    as->trapframe = trapframe;
    int err = commit_settle(as);
    if (err)
        return err;
    tlb_tag_init(&as->tlb, id);
    if (create_views(as))
        panic("an address space's own tables were not covered by its commitment");
    as->user_satp = pt_satp(&as->user, tlb_user_asid(&as->tlb));
    set_live(as);
    return 0;
}

/* Exit does it for every page. */
__attribute__((noinline)) static void put_frames(struct putting *put, const pte_t *entry,
                                                 unsigned count, unsigned level) {
    struct frame_cursor near = FRAME_CURSOR;
    uint64_t leaves = 0, freed = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!pte_valid(entry[i]))
            continue;
        freed += frame_put_near(&near, frame_leaf(entry[i], level));
        leaves++;
    }
    put->freed += freed;
    put->as->present -= leaves * (level_size(level) / PAGE_SIZE);
}

/* As many as may all fall free in some pieces. */
#define PUT_AT_ONCE (4u * PIECE / PIECE_FREED)

/* Nobody else finds them. */
static void put_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    const struct putting *put = ctx;
    for (unsigned i = 0, n; i < count; i += n) {
        uint64_t freed = put->freed;
        n = MIN(count - i, PUT_AT_ONCE);
        put_frames(ctx, entry + i, n, level);
        piece_done(n + (unsigned)(put->freed - freed) * PIECE_FREED);
    }
}

/* The promises of lazy frames go with them. */
static void put_promises(const struct putting *put, bool lazy) {
    if (lazy && put->freed)
        frame_uncommit(put->freed);
}

static void put_other_leaves(struct aspace *as) {
    struct span s;
    for (const struct mapping *m = touched_from(as->mappings.first); m; m = s.next) {
        struct putting put = {.as = as};
        s = span_of(m);
        if (s.known)
            continue;
        pt_take_leaves(&as->user, VA(s.start), VA(s.end), put_leaves, &put);
        put_promises(&put, s.lazy);
    }
}

static void put_table(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    put_frames(ctx, entry, count, level);
}

static void put_known_span(struct aspace *as, const struct span *s) {
    struct putting put = {.as = as};
    for (uint64_t at = s->start, next; at < s->end; at = next) {
        uint64_t freed = put.freed;
        next = MIN(ROUND_DOWN(at, LARGE_SIZE) + LARGE_SIZE, s->end);
        pt_take_leaves(&as->user, VA(at), VA(next), put_table, &put);
        piece_done_locked(&as->lock, (unsigned)((next - at) / PAGE_SIZE) +
                                         (unsigned)(put.freed - freed) * PIECE_FREED);
    }
    put_promises(&put, s->lazy);
}

/* Objects find them, and may take some away in a break, with tables that fall empty: so one table
 * is done at a time, with the space's lock. */
static void put_known_leaves(struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    struct span s;
    for (const struct mapping *m = touched_from(as->mappings.first); m; m = s.next) {
        s = span_of(m);
        if (s.known)
            put_known_span(as, &s);
        piece_done_locked(&as->lock, 1);
    }
}

void aspace_destroy(struct aspace *as) {
    ASSERT(!as->tlb.active);
    spin_lock(&as->lock); /* waits for whoever is looking: vmtable */
    as->live = false;
    spin_unlock(&as->lock);
    if (DEBUG)
        check_space(as);
    spin_lock(&as->lock);
    put_known_leaves(as); /* first: what an object takes away is in no space any more */
    rmap_remove_all(as);
    spin_unlock(&as->lock);
    if (as->design->destroy)
        as->design->destroy(as);
    put_other_leaves(as);
    pt_clear(&as->user, VA(0), VA(aspace_end(as)), piece_of_tables(as->user.tables));
    kernel_view_clear_top(as, &as->user);
    pt_free_root(&as->user);
    ASSERT(as->present == 0);
    mapping_free_all(&as->mappings);
    frame_uncommit(as->committed);
    as->committed = as->needed = as->granted = as->lazy_tables = as->thread_tables = 0;
    as->peak = as->faults = 0;
}

/* ---- fork ----------------------------------------------------------------- */

/* Both locks. The child is still nobody's, but an object may reach both (rmap.h): whoever waits for
 * one of them holds neither. */
static void lock_both(struct aspace *child, struct aspace *parent) {
    spin_lock(&parent->lock);
    while (!spin_try(&child->lock)) {
        spin_unlock(&parent->lock);
        cpu_relax();
        spin_lock(&parent->lock);
    }
}

static void unlock_both(struct aspace *child, struct aspace *parent) {
    spin_unlock(&child->lock);
    spin_unlock(&parent->lock);
}

struct sharing {
    struct aspace *child;
    unsigned passed; /* entries */
};

static void share_leaves(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    struct sharing *share = ctx;
    struct frame_cursor near = FRAME_CURSOR;
    uint64_t shared = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!pte_valid(entry[i]))
            continue;
        frame_get_near(&near, frame_leaf(entry[i], level));
        shared++;
    }
    share->child->present += shared * (level_size(level) / PAGE_SIZE);
    share->passed += count;
}

/* Leaves of the parent have lost W: no hart writes by what it has kept, and no copy does. */
static void flush_shared(struct aspace *parent) {
    tlb_flush(&parent->tlb);
    change_wait_for_copies(parent);
}

/* With both locks, which are given back in between: then both spaces have what was copied so far,
 * and can lose it to an object, but no fault changes either. No table of a view goes, so nothing is
 * gathered. */
static void share_span(struct aspace *child, struct aspace *parent, struct span s) {
    vaddr_t at = VA(s.start), end = VA(s.end), from;
    do {
        struct sharing share = {.child = child};
        from = at;
        if (pt_copy(&child->user, &parent->user, &at, end, s.shared ? 0 : PTE_W, share_leaves,
                    &share))
            panic("a copy's tables were not covered by its commitment");
        design_sync(parent, from, at, NULL);
        design_sync(child, from, at, NULL);
        if (piece_is_full(share.passed + 16)) {
            flush_shared(parent);
            unlock_both(child, parent);
            piece_end();
            lock_both(child, parent);
        }
    } while (at.v < end.v);
}

/* Until the flush, which comes before each break, other threads of the parent may still write, to
 * frames that the child has already: it does not run yet, and sees that. Nobody copies such a frame
 * meanwhile, since all is closed to faults. */
static void share_pages(struct aspace *child, struct aspace *parent) {
    struct span s;
    lock_both(child, parent);
    for (const struct mapping *m = touched_from(parent->mappings.first); m; m = s.next) {
        s = span_of(m);
        share_span(child, parent, s);
    }
    flush_shared(parent);
    unlock_both(child, parent);
}

/* All that can fail. It is the caller's turn in the parent, where all is closed, and nobody knows
 * the child's. */
static int clone_mappings(struct aspace *child, struct aspace *parent) {
    int err = mapping_copy_all(&child->mappings, &parent->mappings);
    if (err)
        return err;
    spin_lock(&parent->lock);
    /* Tables that only lazy mappings need; what is counted for several of them is one. */
    uint64_t tables = commit_tables_in_use(parent);
    child->needed = parent->needed;
    child->granted = parent->granted;
    child->lazy_tables = MIN(tables, parent->lazy_tables);
    spin_unlock(&parent->lock);
    err = commit_settle(child);
    if (err) {
        mapping_free_all(&child->mappings);
        child->needed = child->granted = child->lazy_tables = 0;
    }
    return err;
}

static int clone(struct aspace *child, struct aspace *parent) {
    int err = clone_mappings(child, parent);
    if (err)
        return err;
    child->brk = parent->brk;
    child->first_brk = parent->first_brk;
    child->heap_end = parent->heap_end;
    /* An object has the child's mappings before their pages, and behind the parent's: so it takes
     * away from the child whatever was copied before it took it from the parent. */
    spin_lock(&child->lock);
    rmap_add_all(child);
    spin_unlock(&child->lock);
    share_pages(child, parent);
    return 0;
}

/* A table that a fault makes, or a mapping that it touches first, while the child is made, would
 * be missing there: so faults wait. */
int aspace_clone(struct aspace *child, struct aspace *parent) {
    turn_begin(parent);
    turn_close(parent, 0, USER_MAX);
    spin_unlock(&parent->lock);
    int err = clone(child, parent);
    spin_lock(&parent->lock);
    turn_end(parent);
    if (DEBUG && !err) {
        check_space(parent);
        check_space(child);
    }
    return err;
}
