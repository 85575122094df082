/* sbrk: the heap grows and shrinks at its end, promised or lazily; see aspace.h. */
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/frame.h"
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
    spin_lock(&as->lock);
    bool there = pte_valid(*pt_walk(&as->user, VA(va), &level));
    spin_unlock(&as->lock);
    return there;
}

/* Sees to it that the process has the page that an address is in alone; *has: false when
 * it may not write there, or would find zeros. -K_ENOMEM: it is shared, lazy, and
 * there is no memory for a copy. */
static int own_page(struct aspace *as, uint64_t va, bool *has) {
    const struct mapping *m = mapping_at(&as->mappings, va);
    void *byte;
    *has = m && !m->shared && (m->perm & PTE_W) && (!m->object->zeros || is_there(as, va));
    int err = *has ? aspace_page(as, va, PTE_W, &byte) : 0;
    if (*has && !err)
        aspace_page_end();
    return err;
}

/* From va to the end of its page. One of a file may be gone meanwhile. */
static void zero_page_from(struct aspace *as, uint64_t va) {
    void *byte;
    if (aspace_page(as, va, PTE_W, &byte))
        return;
    memset(byte, 0, PAGE_SIZE - (va & (PAGE_SIZE - 1)));
    aspace_page_end();
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
    int err = own_page(as, as->brk, &has);
    if (err)
        return err;
    spin_lock(&as->lock);
    err = change_promise(as, start, start + PAGE_SIZE);
    spin_unlock(&as->lock);
    if (!err && has)
        frame_uncommit(1);
    return err;
}

static int add(struct aspace *as, const struct mapping *more) {
    spin_lock(&as->lock);
    int err = change_add(as, more);
    spin_unlock(&as->lock);
    return err;
}

static void take_back(struct aspace *as, const struct mapping *more) {
    spin_lock(&as->lock);
    int err = change_remove(as, more->start, more->end);
    spin_unlock(&as->lock);
    ASSERT(!err);
}

static int grow_to(struct aspace *as, uint64_t brk, bool lazy) {
    const struct mapping more = heap(as->heap_end, MAX(ROUND_UP(brk, PAGE_SIZE), as->heap_end),
                                     lazy);
    const struct mapping *next = mapping_from(&as->mappings, as->heap_end);
    bool grows = more.start < more.end;
    if (grows && next && next->start < more.end)
        return -K_EEXIST;
    int err = grows ? add(as, &more) : 0;
    if (err)
        return err;
    err = lazy ? 0 : promise_last_page(as);
    if (err) {
        if (grows)
            take_back(as, &more);
        return err;
    }
    as->heap_end = more.end;
    as->brk = brk;
    return 0;
}

/* ---- shrinking ------------------------------------------------------------------ */

/* When the break was moved down into a page that stays, what is given back there is zero
 * when it is granted again. A page that may not be written stays as it is. */
static int prepare_shrink(struct aspace *as, uint64_t brk, bool *has) {
    *has = false;
    return brk & (PAGE_SIZE - 1) ? own_page(as, brk, has) : 0;
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
        spin_lock(&as->lock);
        err = change_remove(as, keep, as->heap_end);
        spin_unlock(&as->lock);
        if (err)
            return err;
        as->heap_end = keep;
    }
    as->brk = brk;
    if (has)
        zero_page_from(as, brk);
    return 0;
}

static int move_break(struct aspace *as, int64_t delta, bool lazy, uint64_t *old) {
    *old = as->brk;
    if (delta == 0)
        return 0;
    /* The break is below 2^56, so the sum cannot wrap. */
    if (delta < 0 ? -(uint64_t)delta > as->brk : (uint64_t)delta > USER_MAX - as->brk)
        return -K_ENOMEM;
    uint64_t brk = as->brk + (uint64_t)delta;
    int err = delta > 0 ? grow_to(as, brk, lazy || commit_lazy) : shrink_to(as, brk);
    if (DEBUG)
        check_space(as);
    return err;
}

int aspace_sbrk(struct aspace *as, int64_t delta, uint64_t *old) {
    return move_break(as, delta, false, old);
}

int aspace_grow_lazily(struct aspace *as, int64_t delta, uint64_t *old) {
    return move_break(as, delta, true, old);
}
