/* Pages that an object has in memory anyway, mapped before somebody touches them: see change.h. */
#include "lib/panic.h"
#include "mm/change.h"

/* From start on, until end or where the object has no more. */
static uint64_t populate_some(struct aspace *as, const struct mapping *m, uint64_t start,
                              uint64_t end) {
    paddr_t frame[32];
    unsigned n = 0;
    for (uint64_t at = start; at < end && n < ARRAY_LEN(frame); at += PAGE_SIZE, n++) {
        frame[n] = m->object->ops->peek(m->object, mapping_index(m, at));
        if (!frame[n].v)
            break;
    }
    uint64_t perm = m->shared ? m->perm : m->perm & ~PTE_W;
    if (n > 0 && pt_map_frames(&as->user, VA(start), frame, n, perm | PTE_U))
        panic("an object's pages: their tables were not covered by the commitment");
    as->present += n;
    return start + n * PAGE_SIZE;
}

static void populate_mapping(struct aspace *as, struct mapping *m, uint64_t start, uint64_t end) {
    m->touched = true;
    while (start < end) {
        uint64_t next = populate_some(as, m, start, end);
        start = next == start ? start + PAGE_SIZE : next;
    }
}

void change_populate(struct aspace *as, uint64_t start, uint64_t end) {
    struct mapping *m = mapping_from(&as->mappings, start);
    for (; m && m->start < end; m = m->next)
        if (!m->object->zeros && m->perm && m->object->ops->peek)
            populate_mapping(as, m, MAX(m->start, start), MIN(m->end, end));
}
