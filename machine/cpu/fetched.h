/* What a hart has fetched, kept aside.
 *
 * That is state: the hart may execute it until fence.i, whatever memory has by then. Decoded ops
 * follow from it, but for the marks of those that code_stale has yet to look at. */
#pragma once
#include "machine/machine.h"

struct fetched_page {
    uint64_t pa;
    uint8_t *bytes; /* NULL: as memory has them */
    uint64_t stale[CODE_SLOTS / 64];
};
struct fetched {
    uint32_t count;
    struct fetched_page *pages;
    uint32_t entries[CONTEXTS][FETCH_SETS]; /* which page each fetch entry has, from 1; 0: none */
};

/* *fetched, zeroed before, has what the hart has. false: no memory, and it stays zeroed. */
bool fetched_save(const struct sim *sim, const struct hart *hart, struct fetched *fetched);
void fetched_free(struct fetched *fetched);

/* The hart has that, sim.ram being as it was then: its code pages, and the pages of its fetch
 * entries, whose tags are not touched. */
void fetched_restore(struct sim *sim, struct hart *hart, const struct fetched *fetched);
