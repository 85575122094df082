/* Page faults: find the mapping, decide, fix both views. The same code serves
 * faults in user mode, faults inside the copy routines, and the walk design. */
#include "arch/cpu.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/aspace.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/ready.h"
#include "mm/turn.h"
#include "mm/vmstat.h"

/* The new leaf stands in the user's table: makes the kernel's view agree, and
 * orders it before the next use. Where it only adds something, other harts need no fence before
 * they fault. replaced: there was another frame, which is given back after this. */
static void publish(struct aspace *as, uint64_t va, unsigned level, bool replaced) {
    design_sync(as, VA(va), VA(va + level_size(level)), NULL);
    uint32_t tables = as->user.tables + as->kernel.tables;
    if (replaced)
        tlb_flush_page(&as->tlb, VA(va));
    else if (tables == as->fenced_tables)
        tlb_fence_new(&as->tlb, VA(va));
    if (tables != as->fenced_tables) {
        tlb_fence_new_table(&as->tlb);
        as->fenced_tables = tables;
    }
}

/* Before a leaf: its frame may have held something else when a hart last fetched from it. */
__attribute__((noinline, cold)) static void fence_code(struct aspace *as) {
    fence_i();
    tlb_new_code(&as->tlb);
}

void aspace_new_code(struct aspace *as) {
    spin_lock(&as->lock);
    fence_code(as);
    spin_unlock(&as->lock);
}

/* Where the walk to an address has ended: an invalid entry, and its level. */
struct slot {
    pte_t *entry;
    unsigned level;
};

static void fill(struct aspace *as, struct mapping *m, uint64_t va, unsigned level, paddr_t pa,
                 uint64_t perm, struct slot slot) {
    pte_t leaf = pte_leaf(pa, perm | PTE_U), old;
    if (perm & PTE_X)
        fence_code(as);
    if (slot.level == level)
        pt_store(slot.entry, leaf);
    else if (pt_set_leaf(&as->user, VA(va), level, leaf, &old))
        panic("a table for a granted page was not covered by the commitment");
    m->touched = true;
    as->present += level_size(level) / PAGE_SIZE;
    publish(as, va, level, false);
}

/* What a fault needs that is not done with the space's lock. */
enum need {
    NOTHING,     /* but another look */
    A_TURNS_END, /* a change of mappings, or a claim, is on there */
    A_FRAME,     /* to be made ready */
    A_PAGE,      /* of an object, which shows it meanwhile */
};

struct wanted {
    enum need need;
    uint32_t turn;          /* that one */
    struct ready had, next; /* was made ready for this look; is to be, for the next one */
    struct object *object;  /* a reference */
    uint64_t index;
    unsigned most; /* pages from it on are of use */
    bool write;    /* to be written through a shared mapping whose object tracks that */
    /* While the object shows it: its frame, and those of so many pages from it on. Else 0. */
    const paddr_t *frame;
    unsigned n;
};

/* While an object shows a page nobody waits: the fault begins again when it has done so. */
static seldom int wait_for_turn(struct aspace *as, struct wanted *w) {
    if (w->frame)
        return -K_EAGAIN;
    if (hart_self()->faults_held)
        return -K_EFAULT;
    w->need = A_TURNS_END;
    w->turn = turn_note(as);
    return -K_EAGAIN;
}

static inline int wanted_page(struct aspace *as, const struct mapping *m, paddr_t from,
                              struct wanted *w, paddr_t *page) {
    int err = ready_page(as, m, from, &w->had, &w->next, page);
    if (err == -K_EAGAIN)
        w->need = A_FRAME;
    return err;
}

/* 2 MiB of zeros, where there is no table. Worth it when all of them are one mapping: it was
 * granted at once, or is touched for the first time, and one walk serves all of it. Lazy memory may
 * be touched here and there only, and takes what it must. -K_ENOMEM: it is to be a page. */
static seldom int fill_large(struct aspace *as, struct mapping *m, uint64_t start, struct slot slot,
                             struct wanted *w) {
    uint64_t end = start + LARGE_SIZE;
    bool fits = !m->lazy && start >= m->start && end <= m->end && !turn_closes_some(as, start, end);
    if (w->had.frame.order > 0) { /* its claim, so nobody has filled something there */
        if (!fits)
            return -K_EAGAIN;
        fill(as, m, start, 1, w->had.frame.pa, m->perm, slot);
        VM_COUNT(zeroed_large, 1);
        w->had.frame.pa = PA(0);
        return 0;
    }
    if (as->claims && turn_claims_some(as, start, end))
        return wait_for_turn(as, w);
    if (!fits)
        return -K_ENOMEM;
    if (turn_is_claimed_out(as))
        return wait_for_turn(as, w);
    int err = ready_claim(as, start, &w->next);
    if (err)
        return err;
    w->need = A_FRAME;
    return -K_EAGAIN;
}

/* A page of zeros that was never touched, and becomes the space's own; or more, as large a leaf as
 * finds no table in its way. -K_ENOMEM: it is lazy, and there is no memory for it. */
static int fill_zero(struct aspace *as, struct mapping *m, uint64_t va, struct slot slot,
                     struct wanted *w) {
    paddr_t pa;
    int err = slot.level >= 1 ? fill_large(as, m, ROUND_DOWN(va, LARGE_SIZE), slot, w) : -K_ENOMEM;
    if (err != -K_ENOMEM)
        return err;
    err = wanted_page(as, m, PA(0), w, &pa);
    if (err)
        return err;
    err = m->lazy_tables && slot.level > 0 ? commit_missing_tables(as, slot.level) : 0;
    if (err) {
        frame_free(pa); /* with its promise: tables are missing for a lazy page only */
        return err;
    }
    fill(as, m, ROUND_DOWN(va, PAGE_SIZE), 0, pa, m->perm, slot);
    VM_COUNT(zeroed, 1);
    return 0;
}

/* In place of the leaf for va that is there. */
static void replace(struct aspace *as, uint64_t va, pte_t *entry, unsigned level, paddr_t pa,
                    uint64_t perm) {
    bool replaced = pte_pa(*entry).v != pa.v;
    if (perm & PTE_X)
        fence_code(as);
    pt_store(entry, pte_leaf(pa, perm | PTE_U));
    publish(as, ROUND_DOWN(va, level_size(level)), level, replaced);
}

/* A write to a page that is present without W in a private mapping: its frame
 * was shared at some time. The last owner takes it over. -K_ENOMEM: the mapping is
 * lazy, and there is no memory for a copy. */
static int own(struct aspace *as, const struct mapping *m, uint64_t va, pte_t *entry,
               unsigned level, struct wanted *w) {
    if (level > 0 && !frame_sole(frame_leaf(*entry, level))) {
        change_split(as, va, *entry, level); /* copies 4 KiB of the 2 MiB, not all */
        entry = pt_walk(&as->user, VA(va), &level);
    }
    paddr_t frame = pte_pa(*entry), old_frame = PA(0);
    if (level == 0 && !frame_sole(frame_single(frame))) {
        old_frame = frame;
        int err = wanted_page(as, m, old_frame, w, &frame);
        if (err)
            return err;
    }
    replace(as, va, entry, level, frame, m->perm);
    if (!old_frame.v) {
        VM_COUNT(taken_over, 1);
        return 0;
    }
    VM_COUNT(copied, 1);
    change_wait_for_copies(as);
    if (frame_put(frame_single(old_frame)) && m->lazy)
        frame_uncommit(1); /* the others have dropped it meanwhile */
    return 0;
}

static bool is_tracked(const struct mapping *m, uint64_t access) {
    return access == PTE_W && mapping_tracks_writes(m);
}

/* The object's frame, if it shows the page just now. -K_EAGAIN: it is to be asked; or was asked for
 * something that was mapped here when the lock was taken the last time, and is no more. */
static int shown_frame(const struct mapping *m, uint64_t index, bool write, struct wanted *w,
                       paddr_t *frame) {
    if (w->frame) {
        if (w->object != m->object || w->index != index || w->write != write)
            return -K_EAGAIN;
        *frame = w->frame[0];
        return 0;
    }
    object_get(m->object);
    w->need = A_PAGE;
    w->object = m->object;
    w->index = index;
    w->most = 1;
    w->write = write;
    return -K_EAGAIN;
}

/* The frame for a page that is not there, with a reference. */
static int find_frame(const struct mapping *m, uint64_t index, bool write, struct wanted *w,
                      paddr_t *frame) {
    *frame = m->object->ops->peek ? m->object->ops->peek(m->object, index) : PA(0);
    if (frame->v)
        return 0;
    int err = shown_frame(m, index, write, w, frame);
    if (!err)
        frame_get(frame_single(*frame));
    return err;
}

/* What a leaf that shows the object's own page may permit. W comes with a write alone where
 * somebody wants to know of it. */
static uint64_t shown_perm(const struct mapping *m, uint64_t access) {
    bool may_write = m->shared && (access == PTE_W || !mapping_tracks_writes(m));
    return may_write ? m->perm : m->perm & ~PTE_W;
}

/* The mapping permits more than the leaf: it was changed, or nobody was told of a write yet. */
__attribute__((noinline)) static int show(struct aspace *as, const struct mapping *m, uint64_t va,
                                          uint64_t access, pte_t *entry, unsigned level,
                                          struct wanted *w) {
    paddr_t frame = pte_pa(*entry);
    int err = is_tracked(m, access) ? shown_frame(m, mapping_index(m, va), true, w, &frame) : 0;
    if (err)
        return err;
    ASSERT(frame.v == pte_pa(*entry).v);
    replace(as, va, entry, level, frame, shown_perm(m, access) | (m->perm & *entry & PTE_W));
    VM_COUNT(permitted, 1);
    return 0;
}

/* Of the mapping, of the table that has the entry of va, and of what is open. */
static uint64_t end_behind(const struct aspace *as, const struct mapping *m, uint64_t va) {
    uint64_t end = MIN(m->end, ROUND_DOWN(va, LARGE_SIZE) + LARGE_SIZE);
    return turn_closes_some(as, va, end) ? as->closed_start : end;
}

/* A fault shows pages up to a number that is a multiple of this at most. */
#define SHOWN_AT_ONCE 16

/* Those that the object shows, up to one that is there already; how many. The fence for code was
 * made with the first page. */
static inline unsigned fill_with_shown(pte_t *entry, unsigned most, uint64_t perm,
                                       const struct wanted *w) {
    const paddr_t *frame = w->frame + 1;
    unsigned n = 0;
    most = MIN(most, w->n - 1);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* what is in the frames before the entries */
    for (; n < most && !pte_valid(entry[n]); n++) {
        frame_get(frame_single(frame[n]));
        entry[n] = pte_leaf(frame[n], perm);
    }
    return n;
}

/* Those that it has at hand, from this one on. One that is taken away by now is found here: whoever
 * does so waits for the space's lock (rmap.h). */
static unsigned fill_with_peeked(struct aspace *as, const struct mapping *m, uint64_t index,
                                 pte_t *entry, unsigned most, uint64_t perm) {
    paddr_t frame[SHOWN_AT_ONCE];
    unsigned n = 0;
    for (; n < most && (index + n) % SHOWN_AT_ONCE && !pte_valid(entry[n]); n++) {
        frame[n] = m->object->ops->peek(m->object, index + n);
        if (!frame[n].v)
            break;
    }
    if (n > 0 && (perm & PTE_X))
        fence_code(as);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    for (unsigned i = 0; i < n; i++)
        entry[i] = pte_leaf(frame[i], perm);
    return n;
}

/* Pages behind the one at va that the object shows as well, or has: those of the same table that
 * are in the mapping, up to one that is there already. They save a fault each. Nobody waits for
 * them, so no hart is told of the entries: whoever has kept an invalid one faults, and finds a good
 * one. */
static void fill_behind(struct aspace *as, const struct mapping *m, uint64_t va,
                        const struct wanted *w) {
    unsigned level;
    uint64_t start = ROUND_DOWN(va, PAGE_SIZE) + PAGE_SIZE, perm = (m->perm & ~PTE_W) | PTE_U;
    uint64_t end = end_behind(as, m, va);
    unsigned most = end > start ? (unsigned)((end - start) / PAGE_SIZE) : 0;
    pte_t *entry = pt_walk(&as->user, VA(va), &level) + 1;
    /* What was asked for may be another mapping's, which stood there then. */
    bool asked = w->frame && w->object == m->object && w->index == mapping_index(m, va);
    unsigned n = asked ? fill_with_shown(entry, most, perm, w)
                       : fill_with_peeked(as, m, mapping_index(m, start), entry, most, perm);
    as->present += n;
    VM_COUNT(shown_beside, n);
    design_sync(as, VA(start), VA(start + n * PAGE_SIZE), NULL);
}

/* Nothing is there, and the object has something. */
__attribute__((noinline)) static int fill_shown(struct aspace *as, struct mapping *m, uint64_t va,
                                                uint64_t access, struct slot slot,
                                                struct wanted *w) {
    ASSERT(!m->lazy_tables);
    paddr_t frame;
    uint64_t index = mapping_index(m, va);
    int err = find_frame(m, index, is_tracked(m, access), w, &frame);
    if (err == -K_EAGAIN && access != PTE_W)
        w->most = (unsigned)((end_behind(as, m, va) - va + PAGE_SIZE - 1) / PAGE_SIZE);
    if (err)
        return err;
    fill(as, m, ROUND_DOWN(va, PAGE_SIZE), 0, frame, shown_perm(m, access), slot);
    VM_COUNT(shown, 1);
    if (access != PTE_W && !m->object->zeros && (w->n > 1 || !w->frame))
        fill_behind(as, m, va, w);
    return 0;
}

static seldom int repair(struct aspace *as, uint64_t va, uint64_t access, struct wanted *w) {
    if (turn_closes(as, va))
        return wait_for_turn(as, w);
    struct mapping *m = mapping_again(&as->mappings, va);
    if (!m || !(m->perm & access))
        return -K_EFAULT;
    unsigned level;
    pte_t *entry = pt_walk(&as->user, VA(va), &level);
    if (!pte_valid(*entry)) {
        struct slot slot = {entry, level};
        int err = m->object->zeros && m->owns ? fill_zero(as, m, va, slot, w)
                                              : fill_shown(as, m, va, access, slot, w);
        bool shown = !m->shared && !m->object->zeros;
        if (err || access != PTE_W || !shown)
            return err;
        entry = pt_walk(&as->user, VA(va), &level); /* the object's own page, without W */
        return own(as, m, va, entry, level, w);
    }
    if (*entry & access)
        /* The entry is good: this hart had cached that it was not. */
        tlb_fence_new(&as->tlb, VA(va));
    else if (access == PTE_W && !m->shared)
        return own(as, m, va, entry, level, w);
    else
        return show(as, m, va, access, entry, level, w);
    return 0;
}

static inline int repair_with_lock(struct aspace *as, uint64_t va, uint64_t access,
                                   struct wanted *w) {
    spin_lock(&as->lock);
    int err = repair(as, va, access, w);
    as->faults += err == 0;
    if (DEBUG)
        check_around(as, va);
    spin_unlock(&as->lock);
    return err;
}

struct asking {
    struct aspace *as;
    uint64_t va, access;
    struct wanted *w;
};

static int repair_with_frame(void *ctx, const paddr_t *frame, unsigned n) {
    const struct asking *a = ctx;
    a->w->frame = frame;
    a->w->n = n;
    int err = repair_with_lock(a->as, a->va, a->access, a->w);
    a->w->frame = NULL;
    a->w->n = 0;
    return err;
}

/* While the object is asked everything may change, so the mapping and the entry are looked at
 * again. */
static int ask(struct aspace *as, uint64_t va, uint64_t access, struct wanted *w) {
    struct object *o = w->object;
    struct asking a = {as, va, access, w};
    int err = -K_EFAULT;
    if (!hart_self()->faults_held)
        err = o->ops->page ? o->ops->page(o, w->index, w->most, w->write, repair_with_frame, &a)
                           : -K_ENXIO;
    object_put(o);
    return err;
}

static int look_again(struct aspace *as, uint64_t va, uint64_t access, struct wanted *w) {
    int err = repair_with_lock(as, va, access, w);
    ready_drop(as, &w->had);
    return err;
}

/* Does what is needed; the next need is another look, but where that says something else. */
static seldom int go_on(struct aspace *as, uint64_t va, uint64_t access, struct wanted *w) {
    enum need need = w->need;
    w->need = NOTHING;
    if (need == A_PAGE)
        return ask(as, va, access, w);
    if (need == NOTHING)
        return look_again(as, va, access, w);
    if (need == A_FRAME) {
        w->had = w->next;
        ready_make(&w->had);
    } else {
        turn_wait_for_end(as, w->turn);
    }
    return -K_EAGAIN;
}

/* As it stands, for who stops here with a debugger: no part of it becomes the callers'. */
__attribute__((noinline)) int aspace_fault(struct aspace *as, uint64_t va, uint64_t access) {
    if (va >= USER_MAX)
        return -K_EFAULT;
    struct wanted w;
    w.need = NOTHING;
    w.had.frame = frame_single(PA(0));
    w.had.from = PA(0);
    w.had.lazy = false;
    w.frame = NULL;
    w.n = 0;
    VM_COUNT(faults, 1);
    int err = repair_with_lock(as, va, access, &w);
    while (__builtin_expect(err == -K_EAGAIN, 0))
        err = go_on(as, va, access, &w);
    return err;
}

/* First the mark, then the walk; whoever takes a page away does so and then looks for the mark
 * (change.c, wait_for_copies). What another hart's fault has put in the page is seen with its
 * entry. */
always_inline bool find_page(struct aspace *as, uint64_t va, uint64_t access, void **byte) {
    unsigned level;
    __atomic_store_n(&hart_self()->page_of, as, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    pte_t e = __atomic_load_n(pt_way(&as->user, VA(va), &level), __ATOMIC_ACQUIRE);
    if (!pte_lets_user(e, access))
        return false;
    *byte = pa_ptr(PA(pte_pa(e).v + (va & (level_size(level) - 1))));
    return true;
}

__attribute__((noinline)) static int fault_page(struct aspace *as, uint64_t va, uint64_t access,
                                                void **byte) {
    do {
        aspace_page_end();
        int err = aspace_fault(as, va, access);
        if (err)
            return err == -K_ENXIO ? -K_EFAULT : err;
    } while (!find_page(as, va, access, byte));
    return 0;
}

int aspace_page(struct aspace *as, uint64_t va, uint64_t access, void **byte) {
    return find_page(as, va, access, byte) ? 0 : fault_page(as, va, access, byte);
}
