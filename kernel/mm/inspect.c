/* Looking at a process's memory from outside: see inspect.h. */
#include "mm/inspect.h"
#include "lib/string.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/pieces.h"

/* In entries of page tables: about. */
#define PEEK_COST 4   /* at an object's page */
#define LARGE_COST 32 /* a look at each frame of a large one */

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

void inspect_permissions(const struct mapping *m, char text[5]) {
    text[0] = m->perm & PTE_R ? 'r' : '-';
    text[1] = m->perm & PTE_W ? 'w' : '-';
    text[2] = m->perm & PTE_X ? 'x' : '-';
    text[3] = m->shared ? 's' : 'p';
    text[4] = '\0';
}

/* Whether a page of a private mapping is not the object's own any more. *passed: as pieces.h counts
 * what that takes. */
static bool is_copy(const struct mapping *m, uint64_t va, pte_t e, unsigned *passed) {
    if (m->shared || m->object->zeros)
        return false;
    if (!m->object->ops->peek)
        return frame_sole(frame_single(pte_pa(e))); /* the object has its own ones, too */
    paddr_t frame = m->object->ops->peek(m->object, mapping_index(m, va));
    if (frame.v)
        frame_put(frame_single(frame));
    *passed += PEEK_COST;
    return pte_pa(e).v != frame.v;
}

static void count_leaf(struct inspect_pages *all, const struct mapping *m,
                       const struct pt_cursor *c, unsigned *passed) {
    pte_t e = *c->entry;
    uint64_t pages = (MIN(pt_last(c), c->last) - c->pos) / PAGE_SIZE + 1;
    all->present += pages;
    *passed += c->level > 0 ? LARGE_COST : 0;
    all->shared += frame_sole(frame_leaf(e, c->level)) ? 0 : pages;
    all->copied += is_copy(m, c->pos, e, passed) ? pages : 0;
}

size_t inspect_bytes(const struct aspace *as, uint64_t at, void *dst, size_t n) {
    ASSERT_LOCKED(&as->lock);
    unsigned level;
    if (at >= USER_MAX)
        return 0;
    const pte_t *e = pt_walk(&as->user, VA(at), &level);
    if (!e || !pte_is_leaf(*e))
        return 0;
    uint64_t offset = at % (PAGE_SIZE << level * FRAME_LARGE_ORDER);
    n = MIN(n, (size_t)(PAGE_SIZE - at % PAGE_SIZE));
    memcpy(dst, (const char *)pa_ptr(pte_pa(*e)) + offset, n);
    return n;
}

uint64_t inspect_count(const struct aspace *as, uint64_t at, uint64_t end, unsigned *passed,
                       struct inspect_pages *all) {
    ASSERT_LOCKED(&as->lock);
    const struct mapping *m = mapping_from(&as->mappings, at);
    if (!m || m->start >= end)
        return end;
    end = MIN(m->end, end);
    struct pt_cursor c = pt_cursor(&as->user, VA(MAX(at, m->start)), VA(end));
    do {
        while (pt_is_above(&c))
            pt_down(&c);
        if (++*passed > PIECE)
            return c.pos;
        if (pte_valid(*c.entry))
            count_leaf(all, m, &c, passed);
    } while (pt_advance(&c));
    return end;
}

static bool is_resident(const struct aspace *as, const struct mapping *m, uint64_t va) {
    unsigned level;
    const pte_t *e = pt_walk(&as->user, VA(va), &level);
    if (e && (pte_is_leaf(*e) || (level == 0 && pte_valid(*e)))) /* or kept: pte.h */
        return true;
    if (m->object->zeros || !m->object->ops->peek)
        return false;
    paddr_t frame = m->object->ops->peek(m->object, mapping_index(m, va));
    if (frame.v)
        frame_put(frame_single(frame));
    return frame.v;
}

uint64_t inspect_resident(const struct aspace *as, uint64_t start, uint64_t end, uint8_t *there) {
    ASSERT_LOCKED(&as->lock);
    uint64_t n = 0;
    for (uint64_t va = start; va < end; va += PAGE_SIZE, n++) {
        const struct mapping *m = mapping_from(&as->mappings, va);
        if (!m || m->start > va)
            break;
        there[n] = is_resident(as, m, va);
    }
    return n;
}
