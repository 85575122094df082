/* Looking at a process's memory from outside: see inspect.h. */
#include "mm/inspect.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/kmap.h"

const struct pt *inspect_view(const struct aspace *as, bool kernel) {
    if (!kernel)
        return &as->user;
    if (as->kernel.root.v)
        return &as->kernel;
    return as->design->on_kernel_pt ? &kernel_pt : &as->user;
}

uint64_t inspect_satp(const struct aspace *as, bool kernel) {
    if (!kernel)
        return as->user_satp;
    return as->design->on_kernel_pt ? kernel_satp : as->kernel_satp;
}

const pte_t *inspect_table(const struct pt *pt, vaddr_t va, unsigned level) {
    if (!va_canonical(va))
        return NULL;
    struct pt_cursor c = pt_cursor_root(pt->root, va.v, va.v);
    while (c.level > level) {
        if (!pt_is_above(&c))
            return NULL;
        pt_down(&c);
    }
    return pt_table(&c);
}

struct count {
    const struct aspace *as;
    const struct region *region;
    struct inspect_pages pages;
};

/* Whether a page of a program is not the program image's own any more. */
static bool is_copy(const struct count *c, vaddr_t va, pte_t e) {
    uint64_t page = c->region->first_page + (va.v - c->region->start) / PAGE_SIZE;
    return c->region->kind == REGION_IMAGE && pte_pa(e).v != c->as->image->page[page].v;
}

static bool count_leaf(void *ctx, vaddr_t va, unsigned level, pte_t *entry) {
    struct count *c = ctx;
    pte_t e = *entry;
    if (pte_is_table(e))
        return true;
    uint64_t pages = level_size(level) / PAGE_SIZE;
    bool sole = frame_sole(frame_leaf(e, level));
    c->pages.present += pages;
    c->pages.shared += sole ? 0 : pages;
    c->pages.copied += is_copy(c, va, e) ? pages : 0;
    return true;
}

struct inspect_pages inspect_region(const struct aspace *as, const struct region *r) {
    struct count c = {.as = as, .region = r};
    pt_visit(&as->user, VA(r->start), VA(r->end), count_leaf, &c);
    return c.pages;
}
