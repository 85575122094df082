/* Which pages are page tables, and what is stored to them: see events.h.
 *
 * Each marked table counts in refs of its children, from which it follows when one is a table no
 * more: no marked table and no root leads to it. That holds since every store of a hart to a
 * marked table comes here, before and after (events_before, events_written). A device that writes
 * over one is no event; what is marked below it may then be too much, or too little. */
#include "machine/cpu/bits.h"
#include "machine/cpu/memory.h"
#include "machine/cpu/pte.h"
#include <string.h>

enum { ENTRIES = 512, FIRST_MODE = 8, FIRST_LEVELS = 3 }; /* of satp: Sv39 has mode 8 */

static struct table_mark *mark_of(struct sim *sim, uint64_t pa) {
    return &sim->events.own.marks[(pa - RAM_BASE) >> 12];
}

static uint64_t read_entry(const struct sim *sim, uint64_t pa) {
    uint64_t value;
    memcpy(&value, sim->ram + (pa - RAM_BASE), 8);
    return value;
}

/* The table that an entry points to; 0: none, or one that is not in RAM. */
static uint64_t child_of(const struct sim *sim, uint64_t entry) {
    uint64_t pa = field(entry, 10, 44) << 12;
    return (entry & PTE_V) && !(entry & PTE_LEAF) && ram_has(sim, pa, 4096) ? pa : 0;
}

/* One more leads to the table, whose entries are of this level. */
static void ref(struct sim *sim, uint64_t pa, unsigned level) {
    struct table_mark *mark = mark_of(sim, pa);
    if (mark->refs++ > 0)
        return;
    mark->level = (uint8_t)(level + 1);
    watch_page(sim, pa, PAGE_SHOWN);
    for (unsigned i = 0; level > 0 && i < ENTRIES; i++) {
        uint64_t child = child_of(sim, read_entry(sim, pa + 8 * i));
        if (child != 0)
            ref(sim, child, level - 1);
    }
}

static void unref(struct sim *sim, uint64_t pa) {
    struct table_mark *mark = mark_of(sim, pa);
    if (mark->refs == 0 || --mark->refs > 0)
        return;
    unsigned level = mark->level - 1u;
    mark->level = 0;
    sim->page_flags[(pa - RAM_BASE) >> 12] &= (uint8_t)~PAGE_SHOWN;
    for (unsigned i = 0; level > 0 && i < ENTRIES; i++) {
        uint64_t child = child_of(sim, read_entry(sim, pa + 8 * i));
        if (child != 0)
            unref(sim, child);
    }
}

/* ---- stores --------------------------------------------------------------------------------- */
void events_before(struct sim *sim, uint64_t pa) {
    sim->events.before = read_entry(sim, pa & ~7ull);
}

void events_written(struct sim *sim, uint64_t pa) {
    pa &= ~7ull;
    uint64_t old = sim->events.before, new = read_entry(sim, pa);
    unsigned level = mark_of(sim, pa)->level - 1u;
    if (old == new || sim->running == NULL)
        return;
    events_record(sim, &(struct sim_event){.kind = SIM_EVENT_TABLE,
                                           .hart = (int)sim->running->id,
                                           .when = sim_now(sim),
                                           .pc = sim->running->pc,
                                           .value = {pa, new, old},
                                           .level = level});
    uint64_t from = child_of(sim, old), to = child_of(sim, new);
    if (level == 0 || from == to)
        return;
    if (to != 0)
        ref(sim, to, level - 1);
    if (from != 0)
        unref(sim, from);
}

/* ---- roots ---------------------------------------------------------------------------------- */
static void drop_root(struct sim *sim, unsigned index) {
    struct events *events = &sim->events;
    unref(sim, events->roots[index].pa);
    events->roots[index] = events->roots[--events->roots_count];
}

static struct sim_root *find_root(struct events *events, uint64_t pa, uint16_t asid) {
    for (unsigned i = 0; i < events->roots_count; i++)
        if (events->roots[i].pa == pa && events->roots[i].asid == asid)
            return &events->roots[i];
    return NULL;
}

static unsigned oldest_root(const struct events *events) {
    unsigned oldest = 0;
    for (unsigned i = 1; i < events->roots_count; i++)
        if (events->roots[i].when < events->roots[oldest].when)
            oldest = i;
    return oldest;
}

void events_root(struct sim *sim, unsigned hart, uint64_t satp) {
    struct events *events = &sim->events;
    uint64_t pa = field(satp, 0, 44) << 12;
    uint16_t asid = (uint16_t)field(satp, 44, 16);
    unsigned mode = (unsigned)(satp >> 60);
    if (mode < FIRST_MODE || !ram_has(sim, pa, 4096))
        return;
    struct sim_root *root = find_root(events, pa, asid);
    if (root == NULL) {
        if (events->roots_count == SIM_ROOTS_MAX)
            drop_root(sim, oldest_root(events));
        root = &events->roots[events->roots_count++];
        *root = (struct sim_root){
            .pa = pa, .asid = asid, .levels = mode - FIRST_MODE + FIRST_LEVELS};
        ref(sim, pa, root->levels - 1);
    }
    root->switches++;
    root->when = sim_now(sim);
    root->hart = hart;
}

void events_freed(struct sim *sim, uint64_t pa) {
    for (unsigned i = sim->events.roots_count; i-- > 0;)
        if (sim->events.roots[i].pa == pa)
            drop_root(sim, i);
}
