/* mirror: a kernel page table for every process, into which the process's leaves
 * are copied without PTE_U, at the same addresses. The kernel dereferences user
 * pointers directly: the page-table lab's design. */
#include "arch/usermem.h"
#include "lib/panic.h"
#include "mm/design.h"
#include "mm/kernel_view.h"
#include "mm/kmap.h"

const struct design design = {
    .name = "mirror", .fixed_tables = KERNEL_VIEW_TABLES, .copies_tables = true};

int design_create(struct aspace *as) { return kernel_view_create(as); }

void design_destroy(struct aspace *as) { kernel_view_destroy(as, VA(aspace_end(as))); }

/* What the kernel may do with a user's page: read it, and write it where the user
 * may; never execute it. */
static pte_t mirrored(pte_t user) { return user & ~(PTE_U | PTE_X); }

static void clear_table(struct pt *pt, pte_t e, unsigned level, struct pt_gather *gather) {
    pte_t *table = pa_ptr(pte_pa(e));
    for (unsigned i = 0; level > 0 && i < PT_ENTRIES; i++)
        if (pte_is_table(table[i]))
            clear_table(pt, table[i], level - 1, gather);
    pt_gather_table(gather, table);
}

static pte_t *table_for(struct pt *pt, pte_t *e) {
    if (!pte_is_table(*e)) {
        paddr_t made;
        if (pt_table_take(pt, &made))
            panic("a mirrored table was not covered by the commitment");
        *e = pte_table(made);
    }
    return pa_ptr(pte_pa(*e));
}

/* Makes the kernel's entries for [start, last] what the user's entries say. Both
 * tables start at address base; user is NULL where the user has no table.
 * Invariant: outside of the range the two agree already. */
static void mirror(struct aspace *as, const pte_t *user, pte_t *kernel, unsigned level,
                   uint64_t base, uint64_t start, uint64_t last, struct pt_gather *gather) {
    uint64_t size = level_size(level);
    uint64_t first_i = start > base ? (start - base) / size : 0;
    uint64_t last_i = MIN((last - base) / size, (uint64_t)PT_ENTRIES - 1);
    for (uint64_t i = first_i; i <= last_i; i++) {
        pte_t from = user[i], was = kernel[i];
        if (pte_is_table(from)) {
            uint64_t below = base + i * size;
            /* A leaf that the user has split is mirrored anew in full. */
            bool whole = pte_is_leaf(was);
            mirror(as, pa_ptr(pte_pa(from)), table_for(&as->kernel, &kernel[i]), level - 1, below,
                   whole ? below : start, whole ? below + (size - 1) : last, gather);
            continue;
        }
        kernel[i] = pte_valid(from) ? mirrored(from) : 0;
        if (pte_is_table(was))
            clear_table(&as->kernel, was, level - 1, gather);
    }
}

void design_sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather) {
    if (start.v < end.v)
        mirror(as, pa_ptr(as->user.root), pa_ptr(as->kernel.root), PT_ROOT_LEVEL, 0, start.v,
               end.v - 1, gather);
}

bool design_agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) {
    unsigned at;
    return *pt_walk(&as->kernel, va, &at) == mirrored(user) && at == level;
}

int design_copyin(void *dst, uaddr_t src, size_t n) { return ucopy(dst, (void *)src.v, n); }

int design_copyout(uaddr_t dst, const void *src, size_t n) { return ucopy((void *)dst.v, src, n); }

int design_copyinstr(char *dst, uaddr_t src, size_t size) {
    return ucopystr(dst, (char *)src.v, size);
}

int design_copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) {
    return ucopy_pieces((uint8_t *)user.v, p, n, to_user, done);
}
