/* What an object takes back from its mappings: writes, and pages. See change.h. */
#include "lib/panic.h"
#include "mm/changeparts.h"
#include "mm/pt.h"

static bool can_be_written(pte_t e) { return e & PTE_W; }

/* Whether a page has such an entry. */
static bool any_page(const struct aspace *as, uint64_t start, uint64_t end, bool (*is)(pte_t e)) {
    unsigned level;
    for (uint64_t at = start; at < end; at += PAGE_SIZE)
        if (is(*pt_walk(&as->user, VA(at), &level)))
            return true;
    return false;
}

void change_forbid_writes(struct aspace *as, const struct mapping *m, uint64_t start,
                          uint64_t end) {
    if (!m->shared || !any_page(as, start, end, can_be_written))
        return;
    for (uint64_t at = start; at < end;)
        at = pt_protect(&as->user, VA(at), VA(end), 0, PTE_W).v;
    change_sync(as, start, end);
    if (end - start == PAGE_SIZE)
        tlb_flush_page(&as->tlb, VA(start));
    else
        tlb_flush(&as->tlb);
    change_wait_for_copies(as);
    change_sync_finish(as);
}

/* What the space needs stays: the tables of these mappings are promised. */
void change_take_away(struct aspace *as, const struct mapping *m, uint64_t start, uint64_t end) {
    ASSERT(!m->lazy_tables);
    if (!any_page(as, start, end, pte_valid))
        return;
    unsigned cost;
    for (uint64_t at = start; at < end;)
        at = change_remove_some(as, at, end, m->lazy, &cost);
}
