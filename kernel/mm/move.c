/* Mappings that move, with their pages: see change.h. No page is copied, and none is given back:
 * the leaves go from one place in the tables to another.
 *
 * All that can fail comes first: a record, cuts at all borders, and the promise. While leaves move,
 * the old mapping and the new one are both there. An object that takes pages away goes through its
 * mappings in the order in which they came (rmap.h), so it finds the new one behind the old one:
 * what has left the old place before it comes there is found at the new one. */
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/changeparts.h"
#include "mm/commit.h"
#include "mm/pieces.h"
#include "mm/turn.h"

/* ---- what can fail ---- */

struct prepared {
    struct mapping *made; /* the new mapping, in no tree yet */
    uint64_t extra;       /* frames promised while both are there, beyond what is needed now */
};

struct borders {
    uint64_t at[5];
};

static struct borders borders_of(const struct change_move *c) {
    return (struct borders){{c->start, c->end, c->gone, c->target, c->target_end}};
}

static void uncut_some(struct aspace *as, const struct borders *b, unsigned n) {
    while (n-- > 0)
        change_uncut(as, b->at[n]);
}

static int cut_all(struct aspace *as, const struct borders *b) {
    for (unsigned i = 0; i < ARRAY_LEN(b->at); i++) {
        int err = change_cut(as, b->at[i]);
        if (err) {
            uncut_some(as, b, i);
            return err;
        }
    }
    return 0;
}

static struct mapping *new_mapping(const struct aspace *as, const struct change_move *c) {
    struct mapping like;
    const struct mapping *m = mapping_at(&as->mappings, c->start);
    mapping_copy(&like, m);
    like.first = mapping_index(m, c->start);
    like.start = c->target;
    like.end = c->target_end;
    return change_record(as, &like);
}

/* The promise of pages goes with them. Tables may be needed in both places, also by a lazy mapping,
 * whose tables are counted when all is done. */
static uint64_t extra_of(struct aspace *as, const struct change_move *c,
                         const struct mapping *made) {
    const struct mapping *old = mapping_at(&as->mappings, c->start);
    uint64_t extra = commit_most(as, made) - (c->keeps ? 0 : commit_pages(old));
    return extra + (old->lazy_tables ? commit_to_move(as, old, made) : 0);
}

static int promise(struct aspace *as, const struct change_move *c, struct prepared *p) {
    p->extra = extra_of(as, c, p->made);
    as->needed += p->extra;
    int err = commit_settle(as);
    if (err)
        as->needed -= p->extra;
    return err;
}

static int prepare(struct aspace *as, const struct change_move *c, struct prepared *p) {
    const struct borders b = borders_of(c);
    p->made = new_mapping(as, c);
    int err = p->made ? cut_all(as, &b) : -K_ENOMEM;
    if (!err) {
        err = promise(as, c, p);
        if (err)
            uncut_some(as, &b, ARRAY_LEN(b.at));
    }
    if (err && p->made)
        mapping_free(p->made);
    return err;
}

/* ---- what cannot ---- */

/* Before a break, and at the end: no hart finds a page where it was, and tables that fell empty are
 * given back. */
static void settle_leaves(struct aspace *as) {
    change_flush_narrowed(as);
    change_sync_finish(as);
    pt_gather_finish(&as->user, change_gather(), NULL, NULL);
    as->fenced_tables = as->user.tables + as->kernel.tables;
}

static vaddr_t move_some(struct aspace *as, vaddr_t at, vaddr_t end, uint64_t by) {
    uint64_t from = at.v;
    if (pt_move(&as->user, &at, end, by, change_gather()))
        panic("tables for pages that move were not covered by the commitment");
    change_sync(as, from, at.v);
    change_sync(as, from + by, at.v + by);
    return at;
}

static void move_leaves(struct aspace *as, uint64_t start, uint64_t end, uint64_t by) {
    change_split_at(as, start);
    change_split_at(as, end);
    if (!IS_ALIGNED(by, LARGE_SIZE))
        change_split_all(as, start, end);
    for (vaddr_t at = VA(start), next; at.v < end; at = next) {
        next = move_some(as, at, VA(end), by);
        uint64_t passed = MIN((next.v - at.v) / PAGE_SIZE, (uint64_t)PT_AT_ONCE);
        if (piece_is_full(16 + (unsigned)passed)) {
            settle_leaves(as);
            piece_end_locked(&as->lock);
        }
    }
    settle_leaves(as);
}

static void take_old(struct aspace *as, struct mapping *old) {
    mapping_take(&as->mappings, old);
    commit_remove(as, old);
    change_put_record(as, old);
}

/* The account has both mappings' bytes while both are there, and in place of the new one's frames
 * the extra ones. */
static void move(struct aspace *as, const struct change_move *c, const struct prepared *p) {
    struct mapping *old = mapping_at(&as->mappings, c->start);
    uint64_t bytes = c->target_end - c->target;
    p->made->touched = old->touched;
    mapping_put(&as->mappings, p->made);
    as->granted += bytes;
    if (old->touched)
        move_leaves(as, c->start, c->end, c->target - c->start);
    as->granted -= bytes;
    as->needed -= p->extra;
    commit_add(as, p->made);
    if (!c->keeps)
        take_old(as, old);
}

int change_move(struct aspace *as, const struct change_move *c) {
    const struct borders b = borders_of(c);
    struct prepared p;
    uint64_t first = MIN(c->start, c->target), last = MAX(c->gone, c->target_end);
    turn_close(as, first, last);
    turn_wait_for_claims_locked(as, first, last);
    int err = prepare(as, c, &p);
    if (!err) {
        change_trim(as, c->target, c->target_end);
        change_trim(as, c->end, c->gone);
        move(as, c, &p);
        uncut_some(as, &b, ARRAY_LEN(b.at));
        change_settle_less(as);
    }
    turn_close(as, 0, 0);
    return err;
}
