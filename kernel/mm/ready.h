/* Frames that a fault makes ready without the space's lock, since it takes long: a page of zeros,
 * 2 MiB of them, or a copy of a page. So faults of several threads go on side by side.
 *
 * The fault looks, with the lock, and notes what it needs; makes it ready, without; and looks
 * again: by now anything may be different, and what is of no use any more is given back. Two that
 * fault on one page at once both make a frame ready, and the second one gives its own back.
 *
 * What pays for a frame in hand, which is in no table yet:
 *     a page in a promised mapping   spare frames (commit.h). Whoever makes a page ready does
 *                                    nothing else meanwhile: so a hart has two in hand at most, the
 *                                    page and the one that it is copied from
 *     a page in a lazy one           a promise of its own, which is made before it is taken
 *     2 MiB                          the mapping's promise for these addresses. They are made ready
 *                                    in pieces (pieces.h), and are claimed meanwhile (turn.h): so
 *                                    nobody else fills them, and who takes the mapping away waits
 *
 * What is copied has one reference more. So it does not fall free and become something else; and
 * nobody takes it over as the last owner, and writes to it. A leaf that shows it again when the
 * copy is ready shows what was copied.
 *
 * Where no other hart runs the space, nobody is held up by its lock: a page is made ready with it,
 * at once. */
#pragma once
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/frame.h"

struct ready {
    struct frame_ref frame; /* 0: none, or none yet */
    paddr_t from;           /* it is a copy of this; 0: zeros */
    bool lazy;              /* the mapping is */
    uint64_t claimed;       /* of a large one: for these addresses */
};

/* A new page, of zeros, or with what is in `from`. */
static inline paddr_t ready_copy(paddr_t from) {
    if (!from.v)
        return frame_take_zeroed();
    paddr_t page = frame_take();
    memcpy(pa_ptr(page), pa_ptr(from), PAGE_SIZE);
    return page;
}

/* Of what is shown of a file in a lazy mapping nobody knows here whether it is the file's own, or a
 * copy, with whose last reference a promise goes: so nobody but leaves refers to it. */
static inline bool ready_may_refer(const struct mapping *m, paddr_t from) {
    return !from.v || !m->lazy || m->object->zeros;
}

/* A page for m, with the lock: zeros, or a copy of the frame `from`, which m shows. Taken from had
 * if it is there. -K_EAGAIN: it is to be made ready, and next says so. -K_ENOMEM: m is lazy, and
 * there is no memory for it. */
int ready_page_again(const struct mapping *m, paddr_t from, struct ready *had, struct ready *next,
                     paddr_t *page) must_check;
static inline int ready_page(struct aspace *as, const struct mapping *m, paddr_t from,
                             struct ready *had, struct ready *next, paddr_t *page) {
    ASSERT_LOCKED(&as->lock);
    bool others = had->frame.pa.v || tlb_active_elsewhere(&as->tlb);
    if (__builtin_expect(others, 0) && ready_may_refer(m, from))
        return ready_page_again(m, from, had, next, page);
    int err = m->lazy ? frame_commit(1) : 0;
    if (!err)
        *page = ready_copy(from);
    return err;
}

/* 2 MiB for a promised mapping, which are to be made ready: next says so, and claims them.
 * -K_ENOMEM: there are none in a row. With the lock; some claim is free. */
int ready_claim(struct aspace *as, uint64_t start, struct ready *next) must_check;

/* Makes ready what r says. Without the lock, and in pieces if it is large and faults are not held.
 */
void ready_make(struct ready *r);

/* Gives back what is left of it. Without the lock. */
void ready_drop(struct aspace *as, struct ready *r);
