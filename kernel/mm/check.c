/* The checks of check.h. */
#include "mm/check.h"
#include "lib/panic.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/turn.h"

struct check {
    const struct aspace *as;
    uint64_t present; /* pages that were seen */
    uint64_t own;     /* of them, those against the space's own promise: lazy ones are not */
};

static void wrong(const struct aspace *as, vaddr_t va, pte_t e, const char *what) {
    panic("address space of slot %u: the entry 0x%lx for 0x%lx %s", as->slot, (unsigned long)e,
          (unsigned long)va.v, what);
}

/* Whether a page shows the object's own frame. */
static bool is_the_objects(const struct mapping *m, vaddr_t va, pte_t e) {
    const struct object_ops *ops = m->object->ops;
    if (!ops->peek) /* it cannot be asked here, but has a reference of its own */
        return m->shared || !frame_sole(frame_single(pte_pa(e)));
    paddr_t frame = (ops->peek_cut ? ops->peek_cut : ops->peek)(m->object, mapping_index(m, va.v));
    if (frame.v)
        frame_put(frame_single(frame));
    return pte_pa(e).v == frame.v;
}

static void check_frame(const struct check *c, const struct mapping *m, vaddr_t va, unsigned level,
                        pte_t e) {
    if (frame_refs(pte_pa(e)) == 0)
        wrong(c->as, va, e, "maps a free frame");
    if ((e & PTE_W) && !m->shared && !frame_sole(frame_leaf(e, level)))
        wrong(c->as, va, e, "can be written, and others have the frame too");
    if (m->shared && !is_the_objects(m, va, e))
        wrong(c->as, va, e, "is shared, and not the object's");
}

static bool check_user(void *ctx, vaddr_t va, unsigned level, pte_t *entry) {
    struct check *c = ctx;
    pte_t e = *entry;
    if (pte_is_table(e) && (e & (PTE_A | PTE_D | PTE_U | PTE_G)))
        wrong(c->as, va, e, "has a leaf's flags and permits nothing");
    if (pte_is_table(e) && level > 0)
        return true;
    const struct mapping *m = mapping_at(&c->as->mappings, va.v);
    if (!m || va.v + level_size(level) > m->end)
        wrong(c->as, va, e, "is not inside a mapping");
    if (!m->touched)
        wrong(c->as, va, e, "is inside a mapping that was never touched");
    /* Where permissions change, the mapping has lost them first (change_protect). */
    if ((e & PTE_RWX & ~(uint64_t)m->perm) && !turn_closes(c->as, va.v))
        wrong(c->as, va, e, "permits more than its mapping");
    if (!pte_is_kept(e) &&
        ((e & (PTE_R | PTE_U | PTE_A)) != (PTE_R | PTE_U | PTE_A) || (e & PTE_G)))
        wrong(c->as, va, e, "lacks R, U or A, or has G");
    if ((e & PTE_W) && !(e & PTE_D))
        wrong(c->as, va, e, "has W without D");
    if (c->as->design->agrees && !c->as->design->agrees(c->as, va, level, e))
        wrong(c->as, va, e, "is something else in the kernel's view");
    check_frame(c, m, va, level, e);
    c->present += level_size(level) / PAGE_SIZE;
    if (!m->lazy && m->owns && !is_the_objects(m, va, e))
        c->own += level_size(level) / PAGE_SIZE;
    return true;
}

static bool check_kernel(void *ctx, vaddr_t va, unsigned level, pte_t *entry) {
    struct check *c = ctx;
    if (pte_is_table(*entry) && level > 0)
        return true;
    if ((*entry & PTE_X) && !(*entry & PTE_U))
        wrong(c->as, va, *entry, "could be executed by the kernel");
    c->present += level_size(level) / PAGE_SIZE;
    return true;
}

/* Both views of [start, end), by the entries of the two roots. Where these are the same,
 * the kernel sees the user's own tables, of which check_user has said all. */
static void check_range(struct check *user, struct check *kernel, uint64_t start, uint64_t end) {
    const struct aspace *as = user->as;
    const struct pt *view = as->kernel.root.v ? &as->kernel : &as->user;
    struct pt_cursor theirs = pt_cursor(&as->user, VA(start), VA(end));
    struct pt_cursor ours = pt_cursor(view, VA(start), VA(end));
    *kernel = (struct check){.as = as};
    do {
        vaddr_t from = VA(theirs.pos), to = VA(MIN(pt_last(&theirs) + 1, end));
        uint64_t before = user->present;
        if (pte_valid(*theirs.entry))
            pt_visit(&as->user, from, to, check_user, user);
        if (*ours.entry == *theirs.entry)
            kernel->present += user->present - before;
        else if (pte_valid(*ours.entry))
            pt_visit(view, from, to, check_kernel, kernel);
    } while (pt_next(&theirs) && pt_next(&ours));
}

static void check_granted(const struct aspace *as) {
    uint64_t bytes = 0;
    for (const struct mapping *m = as->mappings.first; m; m = m->next)
        bytes += m->end - m->start;
    if (bytes != as->granted)
        panic("address space of slot %u: %lu bytes are mapped, counted are %lu", as->slot,
              (unsigned long)bytes, (unsigned long)as->granted);
}

static void check_locked(const struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    check_granted(as);
    struct check user = {.as = as}, kernel;
    check_range(&user, &kernel, 0, USER_MAX);
    if (user.present != as->present || kernel.present != as->present)
        panic("address space of slot %u: %lu pages counted, %lu mapped for the user, %lu for the "
              "kernel",
              as->slot, (unsigned long)as->present, (unsigned long)user.present,
              (unsigned long)kernel.present);
    uint64_t used = user.own + as->user.tables + as->kernel.tables;
    if (used > as->committed)
        panic("address space of slot %u: uses %lu frames, promised are %lu", as->slot,
              (unsigned long)used, (unsigned long)as->committed);
}

void check_space(struct aspace *as) {
    spin_lock(&as->lock); /* somebody may take pages away (rmap.h) */
    check_locked(as);
    spin_unlock(&as->lock);
}

void check_around(const struct aspace *as, uint64_t va) {
    struct check user = {.as = as}, kernel;
    uint64_t start = ROUND_DOWN(va, LARGE_SIZE);
    check_range(&user, &kernel, start, start + LARGE_SIZE);
    if (user.present != kernel.present)
        panic("address space of slot %u: around 0x%lx %lu pages are mapped for the user, %lu for "
              "the kernel",
              as->slot, (unsigned long)va, (unsigned long)user.present,
              (unsigned long)kernel.present);
}
