/* The account of an address space: see commit.h. */
#include "mm/commit.h"
#include "lib/errno.h"
#include "mm/design.h"
#include "mm/frame.h"

/* A user's table before it has a page: the root, and the way to TRAMPOLINE. */
#define USER_FIXED_TABLES 3

bool commit_lazy;

int commit_spares(uint32_t hart_number) { return frame_commit(hart_number); }

bool commit_is_private(enum region_kind kind, uint64_t perm) {
    return kind != REGION_IMAGE || (perm & PTE_W);
}

/* Both views have a table where the user has one, or the user alone. */
static uint64_t in_views(const struct aspace *as, uint64_t tables) {
    return tables * (as->design->copies_tables ? 2 : 1);
}

/* Tables of lazy heap are committed one by one. Those of the program are few. */
static bool tables_promised(const struct aspace *as, const struct region *r) {
    return !r->lazy || r < &as->region[as->heap];
}

/* Frames that promised regions may come to need: a page for each private one, and a
 * table for each span of 2 MiB and of 1 GiB that a region touches, twice where
 * the kernel's view has a copy. Regions are in order of address. */
static uint64_t frames_promised(const struct aspace *as) {
    uint64_t pages = 0, tables = 0, next_large = 0, next_giga = 0;
    for (uint32_t i = 0; i < as->regions; i++) {
        const struct region *r = &as->region[i];
        if (r->start == r->end || !tables_promised(as, r))
            continue;
        if (!r->lazy && commit_is_private(r->kind, r->perm))
            pages += (r->end - r->start) / PAGE_SIZE;
        uint64_t large = MAX(r->start / LARGE_SIZE, next_large);
        uint64_t giga = MAX(r->start / GIB(1), next_giga);
        next_large = (r->end - 1) / LARGE_SIZE + 1;
        next_giga = (r->end - 1) / GIB(1) + 1;
        tables += next_large - large + next_giga - giga;
    }
    return pages + in_views(as, tables) + USER_FIXED_TABLES + as->design->fixed_tables;
}

int commit_regions(struct aspace *as) {
    uint64_t needed = frames_promised(as) + as->lazy_tables;
    if (needed > as->committed) {
        int err = frame_commit(needed - as->committed);
        if (err)
            return err;
    } else {
        frame_uncommit(as->committed - needed);
    }
    as->committed = needed;
    return 0;
}

int commit_touch(struct aspace *as, const struct region *r, unsigned missing_tables) {
    uint64_t tables = tables_promised(as, r) ? 0 : in_views(as, missing_tables);
    int err = frame_commit(1 + tables);
    if (err)
        return err;
    as->lazy_tables += tables;
    as->committed += tables;
    return 0;
}

static bool count_table(void *ctx, vaddr_t va, unsigned level, pte_t *e) {
    uint64_t *tables = ctx;
    *tables += pte_is_table(*e);
    return true;
}

uint64_t commit_tables_in_use(const struct aspace *as) {
    uint64_t tables = 0;
    for (uint32_t i = as->heap; i < as->regions; i++) {
        const struct region *r = &as->region[i];
        if (r->lazy && r->start < r->end)
            pt_visit(&as->user, VA(r->start), VA(r->end), count_table, &tables);
    }
    return in_views(as, tables);
}

/* A table on the border of a lazy region may be promised, too: it is counted twice. So the
 * count may exceed what was committed for it, which was enough and is enough with less. */
void commit_count_tables(struct aspace *as) {
    uint64_t in_use = commit_tables_in_use(as);
    as->lazy_tables = in_use ? MIN(in_use, as->committed - frames_promised(as)) : 0;
}
