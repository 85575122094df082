/* Looking at a process's memory from outside: see inspect.h. */
#include "mm/inspect.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"

const struct pt *inspect_view(const struct aspace *as, bool kernel) {
    ASSERT_LOCKED(&as->lock);
    if (!kernel)
        return &as->user;
    if (as->kernel.root.v)
        return &as->kernel;
    return as->design->on_kernel_pt ? &kernel_pt : &as->user;
}

uint64_t inspect_satp(const struct aspace *as, bool kernel) {
    ASSERT_LOCKED(&as->lock);
    if (!kernel)
        return as->user_satp;
    return as->design->on_kernel_pt ? kernel_satp : as->kernel_satp;
}

const pte_t *inspect_table(const struct pt *pt, vaddr_t va, unsigned level) {
    if (!va_canonical(va, pt->levels))
        return NULL;
    struct pt_cursor c = pt_cursor_root(pt, va.v, va.v);
    while (c.level > level) {
        if (!pt_is_above(&c))
            return NULL;
        pt_down(&c);
    }
    return pt_table(&c);
}

struct count {
    const struct mapping *mapping;
    struct inspect_pages pages;
};

/* Whether a page of a private mapping is not the object's own any more. */
static bool is_copy(const struct mapping *m, vaddr_t va, pte_t e) {
    if (m->shared || m->object->zeros)
        return false;
    if (!m->object->ops->peek)
        return frame_sole(frame_single(pte_pa(e))); /* the object has its own ones, too */
    paddr_t frame = m->object->ops->peek(m->object, mapping_index(m, va.v));
    if (frame.v)
        frame_put(frame_single(frame));
    return pte_pa(e).v != frame.v;
}

static bool count_leaf(void *ctx, vaddr_t va, unsigned level, pte_t *entry) {
    struct count *c = ctx;
    pte_t e = *entry;
    if (pte_is_table(e) && level > 0)
        return true;
    uint64_t pages = level_size(level) / PAGE_SIZE;
    bool sole = frame_sole(frame_leaf(e, level));
    c->pages.present += pages;
    c->pages.shared += sole ? 0 : pages;
    c->pages.copied += is_copy(c->mapping, va, e) ? pages : 0;
    return true;
}

struct inspect_pages inspect_mapping(const struct aspace *as, const struct mapping *m) {
    ASSERT_LOCKED(&as->lock);
    struct count c = {.mapping = m};
    pt_visit(&as->user, VA(m->start), VA(m->end), count_leaf, &c);
    return c.pages;
}
