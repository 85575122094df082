/* Entries that are none: privileged specification 4.3.1, 4.3.2 steps 3 to 6, 4.4.1.
 *
 * They are looked at when they are written to a table in use, and when a walk reads them. */
#include "machine/cpu/bits.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/pte.h"
#include "machine/finding.h"
#include "machine/frames/tables.h"
#include "machine/rules/rules.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Instructions without a store to it after which a page is looked at again. */
enum { PAUSE = 256 };
enum { TEXT_BYTES = 1024, SINCE_BYTES = 512 };

enum wrong { FINE, NO_READ, POINTER_FLAGS, RESERVED, NO_RAM, MISALIGNED };
static const char *const why[] = {
    [NO_READ] = "W is set without R, which is reserved",
    [POINTER_FLAGS] = "A, D and U have to be 0 in a pointer to a table",
    [RESERVED] = "its bits 54 to 63 are reserved",
    [NO_RAM] = "it points to a table where there is no RAM",
    [MISALIGNED] = "it is a large page whose address is not a multiple of its size",
};

static bool is_pointer(uint64_t pte) { return !(pte & PTE_LEAF); }

/* By the bits below the page number. */
static enum wrong wrong_flags(uint64_t pte) {
    if (!(pte & PTE_V))
        return FINE;
    if ((pte & (PTE_W | PTE_R)) == PTE_W)
        return NO_READ;
    return is_pointer(pte) && (pte & (PTE_A | PTE_D | PTE_U)) ? POINTER_FLAGS : FINE;
}

/* A pointer in a table of the lowest level leads nowhere: that is a page fault, and kernels use it
 * for pages without any permission. */
static enum wrong wrong_at(const struct sim *sim, uint64_t pte, unsigned level) {
    if (!(pte & PTE_V))
        return FINE;
    if (pte & PTE_RESERVED)
        return RESERVED;
    if (is_pointer(pte) && level > 0 && !ram_has(sim, field(pte, 10, 44) << 12, 4096))
        return NO_RAM;
    if (!is_pointer(pte) && field(pte, 10, 9 * level) != 0)
        return MISALIGNED;
    return wrong_flags(pte);
}

/* ---- written -------------------------------------------------------------------------------- */
static bool in_use(struct sim *sim, uint64_t pa, struct table_use *use) {
    struct rules *rules = &sim->rules;
    uint64_t page = pa & ~4095ull, now = sim_now(sim);
    bool again = rules->no_table == page && now < rules->no_table_until;
    if (!again && table_in_use(sim, page, use))
        return true;
    rules->no_table = page;
    rules->no_table_until = now + PAUSE;
    return false;
}

static void tell_written(struct sim *sim, uint64_t pa, uint64_t pte, const struct table_use *use,
                         enum wrong wrong) {
    char text[TEXT_BYTES], where[PLACE_BYTES] = "", who[32] = "a device";
    const struct hart *hart = sim->running;
    uint64_t pc = hart ? hart->pc : 0, va = use->va | field(pa, 3, 9) << (12 + 9 * use->level);
    if (!finding_first_time(sim, SIM_BAD_ENTRY, pc, wrong))
        return;
    if (hart)
        snprintf(who, sizeof(who), "hart %u", hart->id);
    snprintf(text, sizeof(text),
             "bad entry: %s stores 0x%" PRIx64 "%s%s to a page table in use, at 0x%" PRIx64
             ": an entry of level %u, for the addresses from 0x%" PRIx64
             " on, of hart %u's satp; %s.",
             who, pte, hart ? " at " : "", hart ? finding_place(sim, pc, where) : "", pa,
             use->level, va, use->hart->id, why[wrong]);
    finding_tell(sim,
                 &(struct sim_finding){SIM_BAD_ENTRY, text, hart ? (int)hart->id : -1, pc, pc});
}

/* What the entry that is now at pa breaks. Its level is known if somebody has kept the old one;
 * else what it breaks at the lowest. */
static enum wrong wrong_of_level(struct sim *sim, uint64_t pa, uint64_t pte) {
    for (unsigned i = 0; i < sim->options.harts; i++) {
        const struct kept *kept = keep_of(&sim->harts[i], pa);
        if (kept != NULL)
            return wrong_at(sim, pte, kept->level);
    }
    return wrong_at(sim, pte, 0);
}

/* Of a store to a part of it only the lowest byte says something: the rest may follow. */
static void entry_written(struct sim *sim, uint64_t pa, bool whole) {
    struct table_use use;
    uint64_t pte;
    memcpy(&pte, sim->ram + (pa - RAM_BASE), 8);
    enum wrong wrong = whole ? wrong_of_level(sim, pa, pte) : wrong_flags(pte);
    if (wrong == FINE || !in_use(sim, pa, &use))
        return;
    if (whole) /* of this level */
        wrong = wrong_at(sim, pte, use.level);
    if (wrong != FINE)
        tell_written(sim, pa, pte, &use, wrong);
}

void rules_written(struct sim *sim, uint64_t pa, uint64_t bytes) {
    if (!(sim->options.checks & SIM_CHECK_ENTRIES))
        return;
    for (uint64_t at = pa & ~7ull; at < pa + bytes; at += 8)
        entry_written(sim, at, at >= pa && at + 8 <= pa + bytes);
}

/* ---- read ----------------------------------------------------------------------------------- */
void rules_walked(struct sim *sim, struct hart *hart, const struct walked *w) {
    char text[TEXT_BYTES], where[PLACE_BYTES], ago[SINCE_BYTES];
    enum wrong wrong = wrong_at(sim, w->value, w->level);
    if (wrong == FINE) {
        if ((w->value & PTE_V) && !is_pointer(w->value))
            rules_leaf(sim, hart, w);
        return;
    }
    if (!(sim->options.checks & SIM_CHECK_ENTRIES) ||
        !finding_first_time(sim, SIM_BAD_ENTRY, finding_writer(sim, w->pa), wrong))
        return;
    finding_since(sim, w->pa, ago, sizeof(ago));
    snprintf(text, sizeof(text),
             "bad entry: hart %u is led to 0x%" PRIx64 ", at 0x%" PRIx64
             " in a table of level %u, for the address 0x%" PRIx64 "%s%s; %s. Of the entry: %s.",
             hart->id, w->value, w->pa, w->level, w->va, w->ahead ? "" : " at ",
             w->ahead ? ", which nobody has asked for yet" : finding_place(sim, hart->pc, where),
             why[wrong], ago);
    finding_tell(sim, &(struct sim_finding){SIM_BAD_ENTRY, text, (int)hart->id,
                                            w->ahead ? 0 : hart->pc, finding_writer(sim, w->pa)});
}
