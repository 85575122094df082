/* The account of an address space: see commit.h. */
#include "mm/commit.h"
#include "lib/errno.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/pieces.h"

bool commit_lazy;

int commit_spares(uint32_t hart_number) { return frame_commit(2 * hart_number); }

/* Before the process has a page: the root, the way to TRAMPOLINE, and where its kernel stack is not
 * beside that, a table for it; and what further threads have. */
static uint64_t fixed_tables(const struct aspace *as) {
    bool far_stack = as->slot >= KSTACKS_NEAR && !as->design->on_kernel_pt;
    return paging.levels * (as->design->has_root ? 2 : 1) + far_stack + as->thread_tables;
}

/* Both views have a table where the user has one, or the user alone. */
static uint64_t in_views(const struct aspace *as, uint64_t tables) {
    return tables * (as->design->copies_tables ? 2 : 1);
}

/* The nearest ones around [start, end) whose tables are promised. */
static const struct mapping *promised_below(const struct aspace *as, uint64_t start) {
    const struct mapping *m = mapping_below(&as->mappings, start);
    while (m && m->lazy_tables)
        m = m->prev;
    return m;
}

static const struct mapping *promised_from(const struct aspace *as, uint64_t end) {
    const struct mapping *m = mapping_from(&as->mappings, end);
    while (m && m->lazy_tables)
        m = m->next;
    return m;
}

/* Tables of the user's that m needs and its neighbours have not: below the root, one for each
 * span of an entry of the level above. */
static uint64_t tables_of(const struct mapping *m, const struct mapping *before,
                          const struct mapping *after) {
    uint64_t tables = 0;
    for (unsigned level = 1; level < paging.levels; level++) {
        unsigned shift = level_shift(level);
        uint64_t first = m->start >> shift, end = ((m->end - 1) >> shift) + 1;
        first += before && (before->end - 1) >> shift == first;
        end -= after && after->start >> shift == end - 1;
        if (first >= end)
            break; /* nothing new here, nor above */
        tables += end - first;
    }
    return tables;
}

uint64_t commit_pages(const struct mapping *m) {
    return m->owns && !m->lazy ? mapping_pages(m) : 0;
}

uint64_t commit_most(const struct aspace *as, const struct mapping *m) {
    return commit_pages(m) + (m->lazy_tables ? 0 : in_views(as, tables_of(m, NULL, NULL)));
}

/* What m adds to what the space needs. */
static uint64_t need_of(const struct aspace *as, const struct mapping *m) {
    if (m->lazy_tables)
        return commit_pages(m);
    const struct mapping *before = promised_below(as, m->start);
    const struct mapping *after = promised_from(as, m->end);
    return commit_pages(m) + in_views(as, tables_of(m, before, after));
}

void commit_add(struct aspace *as, const struct mapping *m) {
    as->needed += need_of(as, m);
    as->granted += m->end - m->start;
}

void commit_remove(struct aspace *as, const struct mapping *m) {
    as->needed -= need_of(as, m);
    as->granted -= m->end - m->start;
}

/* What is promised but for the tables of lazy mappings. */
static uint64_t promised(const struct aspace *as) { return as->needed + fixed_tables(as); }

int commit_settle(struct aspace *as) {
    uint64_t wanted = promised(as) + as->lazy_tables;
    if (wanted > as->committed) {
        int err = frame_commit(wanted - as->committed);
        if (err)
            return err;
    } else {
        frame_uncommit(as->committed - wanted);
    }
    as->committed = wanted;
    return 0;
}

int commit_missing_tables(struct aspace *as, unsigned missing) {
    uint64_t tables = in_views(as, missing);
    int err = frame_commit(tables);
    if (err)
        return err;
    as->lazy_tables += tables;
    as->lazy_made += tables;
    as->committed += tables;
    return 0;
}

/* A mapping may be far larger than memory: at most an entry of the root's at once. */
static uint64_t count_tables(struct aspace *as, const struct mapping *m) {
    uint64_t tables = 0, span = level_size(as->user.levels - 1U);
    for (uint64_t at = m->start, next; at < m->end; at = next) {
        next = MIN(ROUND_DOWN(at, span) + span, m->end);
        uint64_t here = pt_tables(&as->user, VA(at), VA(next));
        tables += here;
        piece_done_locked(&as->lock, 8 + (unsigned)here);
    }
    return tables;
}

uint64_t commit_tables_in_use(struct aspace *as) {
    uint64_t tables = 0;
    uint32_t lazy = as->mappings.lazy; /* not yet seen: most have a stack alone, which is first */
    for (const struct mapping *m = as->mappings.first; lazy > 0; m = m->next) {
        if (m->lazy_tables) {
            lazy--;
            tables += m->touched ? count_tables(as, m) : 0;
        }
        piece_done_locked(&as->lock, 1);
    }
    return in_views(as, tables);
}

/* What one table of any level is about lies around one border between tables at the other place, so
 * for each there are two of each level at most. */
uint64_t commit_to_move(struct aspace *as, const struct mapping *m, const struct mapping *to) {
    uint64_t tables = m->touched ? 2 * (paging.levels - 1U) * count_tables(as, m) : 0;
    return in_views(as, MIN(tables, tables_of(to, NULL, NULL)));
}

/* A table on the border of a lazy mapping may be promised, too: it is counted twice. So the
 * count may exceed what was committed for it, which was enough and is enough with less. A table
 * that another thread's fault makes meanwhile may have been counted or not: it counts. */
void commit_count_tables(struct aspace *as) {
    uint64_t made = as->lazy_made;
    uint64_t tables = commit_tables_in_use(as);
    tables += as->lazy_made - made;
    as->lazy_tables = MIN(tables, as->committed - promised(as));
}
