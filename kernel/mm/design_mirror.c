/* mirror: a kernel page table for every process, into which the process's leaves
 * are copied without PTE_U, at the same addresses. The kernel dereferences user
 * pointers directly: the page-table lab's design. */
#include "arch/usermem.h"
#include "lib/panic.h"
#include "mm/cursor.h"
#include "mm/design.h"
#include "mm/kernel_view.h"
#include "mm/kmap.h"
#include "mm/pieces.h"

static void pass(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    piece_done(count);
}

static void destroy(struct aspace *as) {
    for (const struct mapping *m = as->mappings.first; m; m = m->next)
        if (m->touched)
            pt_take_leaves(&as->kernel, VA(m->start), VA(m->end), pass, NULL);
    kernel_view_destroy(as, VA(aspace_end(as)));
}

/* What the kernel may do with a user's page: read it, and write it where the user
 * may; never execute it. */
static pte_t mirrored(pte_t user) { return user & ~(PTE_U | PTE_X); }

static pte_t mirrored_entry(pte_t user) { return pte_valid(user) ? mirrored(user) : 0; }

/* One page, as after most faults. False: it is part of something larger in one of the two. */
static inline bool sync_page(struct aspace *as, vaddr_t va) {
    unsigned from_level, to_level;
    const pte_t *from = pt_way(&as->user, va, &from_level);
    pte_t *to = pt_way(&as->kernel, va, &to_level);
    if (from_level > 0 || (to_level > 0 && pt_entry(&as->kernel, va, 0, &to)))
        return false;
    *to = mirrored_entry(*from);
    return true;
}

/* A leaf that the user has split is mirrored in full: beyond the range nothing else
 * differs. */
static void widen(struct pt_cursor *c) {
    c->pos = pt_first(c);
    c->last = MAX(c->last, pt_last(c));
}

/* Enters the user's table and the kernel's, which is made where there is none. */
static void both_down(struct aspace *as, struct pt_cursor *user, struct pt_cursor *kernel) {
    if (pte_is_leaf(*kernel->entry)) {
        widen(user);
        widen(kernel);
    }
    if (!pte_is_table(*kernel->entry) && pt_make_table(&as->kernel, kernel->entry))
        panic("a mirrored table was not covered by the commitment");
    pt_down(user);
    pt_down(kernel);
}

/* Invariant: outside of the range the two agree already, and have tables in the same places. */
static seldom void sync_range(struct aspace *as, vaddr_t start, vaddr_t end,
                              struct pt_gather *gather) {
    struct pt_cursor user = pt_cursor_root(&as->user, start.v, end.v - 1);
    struct pt_cursor kernel = pt_cursor_root(&as->kernel, start.v, end.v - 1);
    do {
        while (pt_is_above(&user))
            both_down(as, &user, &kernel);
        if (pt_is_above(&kernel))
            pt_gather_below(&kernel, gather);
        const pte_t *from = user.entry;
        pte_t *to = kernel.entry;
        unsigned count = user.level == 0 ? pt_run(&user) : 1;
        if (user.level == 0)
            pt_run(&kernel);
        for (unsigned i = 0; i < count; i++)
            to[i] = mirrored_entry(from[i]);
    } while (pt_advance(&user) && pt_advance(&kernel));
}

static void sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather) {
    if (start.v == end.v || (end.v - start.v == PAGE_SIZE && sync_page(as, start)))
        return;
    sync_range(as, start, end, gather);
}

static bool agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) {
    unsigned at;
    return *pt_walk(&as->kernel, va, &at) == mirrored(user) && at == level;
}

static int direct_in(void *dst, uaddr_t src, size_t n) { return ucopy(dst, (void *)src.v, n); }

static int direct_out(uaddr_t dst, const void *src, size_t n) {
    return ucopy((void *)dst.v, src, n);
}

static int direct_str(char *dst, uaddr_t src, size_t size) {
    return ucopystr(dst, (char *)src.v, size);
}

static int direct_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                         size_t *done) {
    return ucopy_pieces((uint8_t *)user.v, p, n, to_user, done);
}

DESIGN struct design mirror = {
    .name = "mirror",
    .has_root = true,
    .copies_tables = true,
    .create = kernel_view_create,
    .destroy = destroy,
    .sync = sync,
    .agrees = agrees,
    .copyin = direct_in,
    .copyout = direct_out,
    .copyinstr = direct_str,
    .copy_pieces = direct_pieces,
};
