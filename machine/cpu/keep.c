/* See keep.h. */
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"
#include "machine/cpu/pte.h"
#include "machine/finding.h"
#include "machine/rules/rules.h"
#include <string.h>

/* Instructions of each hart within which a changed entry is fenced elsewhere. */
enum { GRACE = 50000 };

static struct kept *set_of(struct keeper *keeper, unsigned level, uint64_t va) {
    uint64_t page = va >> (12 + 9 * level);
    return &keeper->entries[((page ^ page >> 9 ^ level * 37) & (KEPT_SETS - 1)) * KEPT_WAYS];
}

struct kept *keep_find(struct hart *hart, uint16_t asid, unsigned level, uint64_t va) {
    struct kept *set = set_of(&hart->keeper, level, va);
    va &= ~(level_bytes(level) - 1);
    for (unsigned i = 0; i < KEPT_WAYS; i++)
        if (set[i].used && set[i].va == va && set[i].level == level &&
            (set[i].global || set[i].asid == asid))
            return &set[i];
    return NULL;
}

static bool is_leaf(const struct kept *entry) {
    return entry->level == 0 || !(entry->value & PTE_V) || (entry->value & PTE_LEAF);
}

static unsigned bucket_number(uint64_t pa) { return (pa >> 3 ^ pa >> 13) % KEPT_BUCKETS; }

static uint16_t *bucket_of(struct keeper *keeper, uint64_t pa) {
    return &keeper->by_pa[bucket_number(pa)];
}

const struct kept *keep_of(const struct hart *hart, uint64_t pa) {
    const struct keeper *keeper = &hart->keeper;
    for (uint16_t at = keeper->by_pa[bucket_number(pa)]; at != 0; at = keeper->entries[at - 1].next)
        if (keeper->entries[at - 1].pa == pa)
            return &keeper->entries[at - 1];
    return NULL;
}

static void unlink(struct keeper *keeper, const struct kept *entry) {
    uint16_t *at = bucket_of(keeper, entry->pa), self = (uint16_t)(entry - keeper->entries + 1);
    while (*at != self)
        at = &keeper->entries[*at - 1].next;
    *at = entry->next;
}

/* The tlb may have what the entry says; of a large page, in many places. */
static void forget_translation(struct hart *hart, const struct kept *entry) {
    if (!(entry->value & PTE_V))
        return;
    if (entry->level == 0)
        hart_forget_page(hart, entry->va);
    else
        hart_forget(hart);
}

static void drop(struct sim *sim, struct hart *hart, struct kept *entry) {
    struct keeper *keeper = &hart->keeper;
    /* Without keeping, a tlb has nothing below a pointer that nobody watches. */
    if ((entry->value & PTE_LEAF) || !sim->options.keep)
        forget_translation(hart, entry);
    unlink(keeper, entry);
    sim->page_kept[(entry->pa - RAM_BASE) >> 12]--;
    entry->used = false;
    uint16_t last = keeper->live[--keeper->count];
    keeper->live[entry->place] = last;
    keeper->entries[last].place = entry->place;
}

void keep_add(struct sim *sim, struct hart *hart, const struct kept *entry) {
    struct kept *set = set_of(&hart->keeper, entry->level, entry->va), *at = NULL;
    for (unsigned i = 0; i < KEPT_WAYS; i++)
        if (set[i].used && set[i].va == entry->va && set[i].level == entry->level &&
            set[i].asid == entry->asid)
            at = &set[i];
    for (unsigned i = 0; at == NULL && i < KEPT_WAYS; i++)
        if (!set[i].used)
            at = &set[i];
    if (at == NULL)
        at = &set[choose(&hart->random) % KEPT_WAYS];
    if (at->used)
        drop(sim, hart, at);
    *at = *entry;
    at->used = true;
    at->place = (uint16_t)hart->keeper.count;
    uint16_t index = (uint16_t)(at - hart->keeper.entries),
             *bucket = bucket_of(&hart->keeper, at->pa);
    hart->keeper.live[hart->keeper.count++] = index;
    at->next = *bucket;
    *bucket = index + 1;
    uint64_t page = (entry->pa - RAM_BASE) >> 12;
    sim->page_kept[page]++;
    if (!(sim->page_flags[page] & PAGE_TABLE))
        watch_page(sim, entry->pa, PAGE_TABLE);
}

static bool covered(const struct kept *entry, uint64_t va, uint64_t bytes, bool has_asid,
                    uint64_t asid) {
    uint64_t first = va & ~(level_bytes(entry->level) - 1);
    uint64_t last = bytes - 1 < UINT64_MAX - va ? va + bytes - 1 : UINT64_MAX;
    if (bytes > 0 && (!is_leaf(entry) || entry->va < first || entry->va > last))
        return false;
    return !has_asid || (!entry->global && entry->asid == asid);
}

/* A fence with an address is for leaf entries only. That there was no table is an entry above
 * them, once there is a table. */
static bool is_missing_table(const struct sim *sim, const struct kept *entry) {
    uint64_t now;
    memcpy(&now, sim->ram + (entry->pa - RAM_BASE), 8);
    return !(entry->value & PTE_V) && entry->level > 0 && (now & PTE_V) && !(now & PTE_LEAF);
}

static bool is_kept(struct hart *hart, const struct kept *entry) {
    const struct kept *found = keep_find(hart, entry->asid, entry->level, entry->va);
    return found != NULL && found->when == entry->when;
}

void keep_fence(struct sim *sim, struct hart *hart, uint64_t va, uint64_t bytes, bool has_asid,
                uint64_t asid) {
    struct keeper *keeper = &hart->keeper;
    if (has_asid)
        asid &= (1ull << sim->options.asid_bits) - 1;
    for (unsigned i = keeper->count; i-- > 0;) {
        struct kept *entry = &keeper->entries[keeper->live[i]];
        if (covered(entry, va, bytes, has_asid, asid) &&
            !(bytes > 0 && is_missing_table(sim, entry))) {
            speculate_forgotten(hart, entry->va);
            drop(sim, hart, entry);
        }
    }
    if (hart->spurious.pending && !is_kept(hart, &hart->spurious.by))
        hart->spurious.pending = false;
    for (unsigned i = hart->stale_count; i-- > 0;)
        if (!is_kept(hart, &hart->stale[i].by))
            hart->stale[i] = hart->stale[--hart->stale_count];
    speculate_afresh(sim, hart);
}

void keep_trapped(struct hart *hart) { hart->spurious.traps += hart->priv == hart->spurious.priv; }

void keep_returned(struct sim *sim, struct hart *hart) {
    if (!hart->spurious.pending || hart->priv != hart->spurious.priv)
        return;
    if (hart->priv == PRIV_U ? hart->pc != hart->spurious.pc : --hart->spurious.traps > 0)
        return;
    hart->spurious.pending = false;
    finding_not_repaired(sim, hart, &hart->spurious.by, hart->spurious.va);
}

/* The entry at pa is another one now. */
static void entry_written(struct sim *sim, struct hart *hart, uint64_t pa) {
    struct keeper *keeper = &hart->keeper;
    uint16_t at = *bucket_of(keeper, pa);
    while (at != 0) {
        struct kept *entry = &keeper->entries[at - 1];
        at = entry->next;
        if (entry->pa != pa)
            continue;
        if (sim->options.keep)
            forget_translation(hart, entry);
        else
            drop(sim, hart, entry);
    }
}

void keep_written(struct sim *sim, uint64_t pa, uint64_t bytes) {
    uint64_t page = (pa - RAM_BASE) >> 12;
    rules_written(sim, pa, bytes);
    if (sim->page_kept[page] == 0) {
        sim->page_flags[page] &= (uint8_t)~PAGE_TABLE;
        return;
    }
    finding_note_write(sim, pa, bytes);
    for (uint64_t at = pa & ~7ull; at < pa + bytes; at += 8)
        for (unsigned i = 0; i < sim->options.harts; i++)
            entry_written(sim, &sim->harts[i], at);
}

void keep_contradicted(struct sim *sim, struct hart *hart, const struct kept *entry, uint64_t va,
                       enum access access, uint64_t memory) {
    struct stale_use use = {*entry, hart->pc, va, memory, sim_now(sim), access};
    if (!finding_written_by_other(sim, hart, entry->pa)) {
        finding_stale_entry(sim, hart, &use);
        return;
    }
    for (unsigned i = 0; i < hart->stale_count; i++)
        if (hart->stale[i].by.va == entry->va && hart->stale[i].by.when == entry->when)
            return;
    if (hart->stale_count < STALE_MAX)
        hart->stale[hart->stale_count++] = use;
}

void keep_expire(struct sim *sim, struct hart *hart) {
    for (unsigned i = hart->stale_count; i-- > 0;)
        if (sim->executed - hart->stale[i].when > GRACE * sim->options.harts) {
            finding_stale_entry(sim, hart, &hart->stale[i]);
            hart->stale[i] = hart->stale[--hart->stale_count];
        }
}

void keep_refused(struct hart *hart, const struct kept *entry, uint64_t va) {
    hart->spurious.pending = true;
    hart->spurious.by = *entry;
    hart->spurious.va = va;
    hart->spurious.pc = hart->pc;
    hart->spurious.priv = hart->priv;
    hart->spurious.traps = 0;
}
