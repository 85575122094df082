/* See tables.h. */
#include "machine/frames/tables.h"
#include "machine/cpu/bits.h"
#include "machine/cpu/keep.h"
#include <string.h>

enum { V = 1, R_W_X = 0xe, SV39 = 8 };

static bool leads_to(uint64_t pte, uint64_t pa) {
    return (pte & (V | R_W_X)) == V && field(pte, 10, 44) == pa >> 12;
}

/* Tables that refer to each other in many ways are looked at only so often. */
enum { TABLES_MOST = 4096 };

struct search {
    const struct sim *sim;
    uint64_t pa;
    struct table_use *use;
    unsigned left;
};

/* Looks in a table of this level, and in those below it, for an entry that leads to the page. */
static bool linked(struct search *s, uint64_t table, unsigned level, uint64_t va) {
    if (level == 0 || !ram_has(s->sim, table, 4096) || s->left == 0)
        return false;
    s->left--;
    for (unsigned i = 0; i < 512; i++) {
        uint64_t pte, first = va | (uint64_t)i << (12 + 9 * level);
        memcpy(&pte, s->sim->ram + (table - RAM_BASE) + 8 * i, 8);
        if ((pte & (V | R_W_X)) != V)
            continue;
        if (leads_to(pte, s->pa)) {
            s->use->how = TABLE_LINKED;
            s->use->entry = table + 8 * i;
            s->use->va = first;
            s->use->level = level - 1;
            return true;
        }
        if (linked(s, field(pte, 10, 44) << 12, level - 1, first))
            return true;
    }
    return false;
}

/* Entries for other ASIDs than the hart has now may be stale: it must not go back to these
 * without a fence. */
static bool kept(const struct hart *hart, uint64_t pa, struct table_use *use) {
    for (unsigned i = 0; i < hart->keeper.count; i++) {
        const struct kept *entry = &hart->keeper.entries[hart->keeper.live[i]];
        if (entry->level == 0 || !leads_to(entry->value, pa) ||
            !(entry->global || entry->asid == field(hart->satp, 44, 16)))
            continue;
        use->how = TABLE_KEPT;
        use->entry = entry->pa;
        use->va = entry->va;
        use->level = entry->level - 1u;
        return true;
    }
    return false;
}

static bool used_by(const struct sim *sim, const struct hart *hart, uint64_t pa,
                    struct table_use *use) {
    unsigned mode = (unsigned)(hart->satp >> 60), levels = mode - SV39 + 3;
    uint64_t root = field(hart->satp, 0, 44) << 12;
    struct search search = {sim, pa, use, TABLES_MOST};
    if (hart->state != HART_STARTED || mode == 0)
        return false;
    *use = (struct table_use){.hart = hart, .how = TABLE_ROOT, .level = levels - 1};
    if (root != pa && !linked(&search, root, levels - 1, 0) && !kept(hart, pa, use))
        return false;
    use->va = (uint64_t)sext(use->va, 12 + 9 * levels);
    return true;
}

bool table_in_use(const struct sim *sim, uint64_t pa, struct table_use *use) {
    for (unsigned i = 0; i < sim->options.harts; i++)
        if (used_by(sim, &sim->harts[i], pa, use))
            return true;
    return false;
}
