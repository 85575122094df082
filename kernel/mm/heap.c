/* sbrk: the heap grows and shrinks at its end, promised or lazily; see aspace.h. */
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/frame.h"
#include "mm/turn.h"
#include "mm/zeros.h"

static struct mapping heap(uint64_t start, uint64_t end, bool lazy) {
    return (struct mapping){.start = start,
                            .end = end,
                            .object = &zeros_heap,
                            .perm = PTE_R | PTE_W,
                            .limit = PTE_RWX,
                            .owns = true,
                            .lazy = lazy,
                            .lazy_tables = lazy};
}

static bool is_there(struct aspace *as, uint64_t va) {
    unsigned level;
    return pte_valid(*pt_walk(&as->user, VA(va), &level));
}

/* Sees to it that the process has the page that an address is in alone; *has: false when
 * it may not write there, or would find zeros. The lock is given back meanwhile. -K_ENOMEM: the
 * page is shared, lazy, and there is no memory for a copy. */
static int own_page_locked(struct aspace *as, uint64_t va, bool *has) {
    ASSERT_LOCKED(&as->lock);
    const struct mapping *m = mapping_at(&as->mappings, va);
    void *byte;
    *has = m && !m->shared && (m->perm & PTE_W) && (!m->object->zeros || is_there(as, va));
    if (!*has)
        return 0;
    spin_unlock(&as->lock);
    int err = aspace_page(as, va, PTE_W, &byte);
    if (!err)
        aspace_page_end();
    spin_lock(&as->lock);
    return err;
}

/* From va to the end of its page. One of a file may be gone meanwhile. As above. */
static void zero_page_from_locked(struct aspace *as, uint64_t va) {
    void *byte;
    ASSERT_LOCKED(&as->lock);
    spin_unlock(&as->lock);
    if (!aspace_page(as, va, PTE_W, &byte)) {
        memset(byte, 0, PAGE_SIZE - (va & (PAGE_SIZE - 1)));
        aspace_page_end();
    }
    spin_lock(&as->lock);
}

/* ---- growing ------------------------------------------------------------------ */

/* Promised heap begins in a page that was granted lazily: the page becomes promised too. If
 * it is there the process has it alone, and the promise that its frame brings is given back
 * when the space has promised it. One that may not be written stays as it is. -K_ENOMEM:
 * nothing changed. */
static int promise_last_page(struct aspace *as) {
    uint64_t start = ROUND_DOWN(as->brk, PAGE_SIZE);
    bool has;
    if (start == as->brk)
        return 0;
    const struct mapping *m = mapping_at(&as->mappings, as->brk);
    if (!m || !m->lazy_tables || !(m->perm & PTE_W))
        return 0;
    int err = own_page_locked(as, as->brk, &has);
    if (err)
        return err;
    err = change_promise(as, start, start + PAGE_SIZE);
    if (!err && has)
        frame_uncommit(1);
    return err;
}

static void take_back(struct aspace *as, const struct mapping *more) {
    int err = change_remove(as, more->start, more->end);
    ASSERT(!err);
}

static int grow_to(struct aspace *as, uint64_t brk, bool lazy) {
    const struct mapping more = heap(as->heap_end, MAX(ROUND_UP(brk, PAGE_SIZE), as->heap_end),
                                     lazy);
    const struct mapping *next = mapping_from(&as->mappings, as->heap_end);
    bool grows = more.start < more.end;
    if (grows && next && next->start < more.end)
        return -K_EEXIST;
    int err = grows ? change_add(as, &more) : 0;
    if (err)
        return err;
    err = lazy ? 0 : promise_last_page(as);
    if (err) {
        if (grows)
            take_back(as, &more);
        return err;
    }
    as->heap_end = more.end;
    __atomic_store_n(&as->brk, brk, __ATOMIC_RELAXED);
    return 0;
}

/* ---- shrinking ------------------------------------------------------------------ */

/* When the break was moved down into a page that stays, what is given back there is zero
 * when it is granted again. A page that may not be written stays as it is. */
static int prepare_shrink(struct aspace *as, uint64_t brk, bool *has) {
    *has = false;
    return brk & (PAGE_SIZE - 1) ? own_page_locked(as, brk, has) : 0;
}

static int shrink_to(struct aspace *as, uint64_t brk) {
    bool has;
    int err = prepare_shrink(as, brk, &has);
    if (err)
        return err;
    /* The page that the break is in stays, unless nobody has it: then the heap, when it
     * grows again, begins with that page. */
    bool in_gap = !IS_ALIGNED(brk, PAGE_SIZE) && !mapping_at(&as->mappings, brk);
    uint64_t keep = in_gap ? ROUND_DOWN(brk, PAGE_SIZE) : ROUND_UP(brk, PAGE_SIZE);
    if (keep < as->heap_end) {
        err = change_remove(as, keep, as->heap_end);
        if (err)
            return err;
        as->heap_end = keep;
    }
    __atomic_store_n(&as->brk, brk, __ATOMIC_RELAXED);
    if (has)
        zero_page_from_locked(as, brk);
    return 0;
}

static int move_break_locked(struct aspace *as, int64_t delta, bool lazy, uint64_t *old) {
    ASSERT_LOCKED(&as->lock);
    *old = as->brk;
    /* The break is below 2^56, so the sum cannot wrap. */
    if (delta < 0 ? -(uint64_t)delta > as->brk : (uint64_t)delta > USER_MAX - as->brk)
        return -K_ENOMEM;
    uint64_t brk = as->brk + (uint64_t)delta;
    return delta > 0 ? grow_to(as, brk, lazy || commit_lazy) : shrink_to(as, brk);
}

static int move_break(struct aspace *as, int64_t delta, bool lazy, uint64_t *old) {
    if (delta == 0) {
        *old = __atomic_load_n(&as->brk, __ATOMIC_RELAXED);
        return 0;
    }
    turn_begin(as);
    int err = move_break_locked(as, delta, lazy, old);
    turn_end(as);
    if (DEBUG)
        check_space(as);
    return err;
}

int aspace_sbrk(struct aspace *as, int64_t delta, uint64_t *old) {
    return move_break(as, delta, false, old);
}

int aspace_set_break(struct aspace *as, uint64_t brk) {
    uint64_t old;
    turn_begin(as);
    int err = brk < as->first_brk || brk > USER_MAX ? -K_ENOMEM : 0;
    if (!err && brk != as->brk)
        err = move_break_locked(as, (int64_t)(brk - as->brk), false, &old);
    turn_end(as);
    if (DEBUG)
        check_space(as);
    return err;
}

int aspace_grow_lazily(struct aspace *as, int64_t delta, uint64_t *old) {
    return move_break(as, delta, true, old);
}
