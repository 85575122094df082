/* Frames that a fault makes ready: see ready.h. */
#include "mm/ready.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/commit.h"
#include "mm/pieces.h"
#include "mm/turn.h"

#define ZERO_ORDER 4 /* 16 pages: as many instructions as other pieces have */

/* For what was made ready everything may have changed: it may be zeros, or a copy of something that
 * is not here any more. */
static bool is_it(const struct ready *had, const struct mapping *m, paddr_t from) {
    return had->frame.pa.v && had->frame.order == 0 && had->from.v == from.v &&
           had->lazy == m->lazy;
}

int ready_page_again(const struct mapping *m, paddr_t from, struct ready *had, struct ready *next,
                     paddr_t *page) {
    if (is_it(had, m, from)) {
        *page = had->frame.pa;
        had->frame.pa = PA(0);
        return 0;
    }
    int err = m->lazy ? frame_commit(1) : 0;
    if (err)
        return err;
    if (from.v)
        frame_get(frame_single(from));
    *next = (struct ready){.from = from, .lazy = m->lazy};
    return -K_EAGAIN;
}

int ready_claim(struct aspace *as, uint64_t start, struct ready *next) {
    paddr_t pa;
    int err = frame_take_large(&pa);
    if (err)
        return err;
    turn_claim(as, start);
    *next = (struct ready){.frame = {pa, FRAME_LARGE_ORDER}, .claimed = start};
    return 0;
}

/* Whoever holds faults has something of the hart's, which ends in a break. */
static void zero_in_pieces(paddr_t pa) {
    bool held = hart_self()->faults_held;
    for (unsigned i = 0; i < LARGE_FRAMES; i += 1u << ZERO_ORDER) {
        frame_zero(PA(pa.v + i * PAGE_SIZE), ZERO_ORDER);
        if (!held)
            piece_done(PIECE);
    }
}

void ready_make(struct ready *r) {
    if (r->frame.pa.v)
        zero_in_pieces(r->frame.pa);
    else
        r->frame = frame_single(ready_copy(r->from));
}

/* A promise that comes with a lazy frame goes with it. */
static void put(paddr_t pa, bool lazy) {
    if (pa.v && frame_put(frame_single(pa)) && lazy)
        frame_uncommit(1);
}

/* The frames first: with the claim what they are promised by may go. */
static void drop_large(struct aspace *as, struct ready *r) {
    if (r->frame.pa.v) {
        bool freed = frame_put(r->frame);
        ASSERT(freed);
    }
    spin_lock(&as->lock);
    turn_end_claim(as, r->claimed);
}

void ready_drop(struct aspace *as, struct ready *r) {
    if (r->frame.order > 0) {
        drop_large(as, r);
    } else {
        put(r->frame.pa, r->lazy);
        put(r->from, r->lazy);
    }
    *r = (struct ready){.frame.pa = PA(0)};
}
