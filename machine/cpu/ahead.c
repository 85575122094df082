/* See ahead.h. */
#include "machine/cpu/ahead.h"
#include "machine/cpu/code.h"
#include "machine/cpu/pmp.h"
#include <string.h>

static void copy(const struct sim *sim, struct page_ahead *page) {
    memcpy(page->bytes, sim->ram + (page->pa - RAM_BASE), sizeof(page->bytes));
}

const uint8_t *ahead_find(const struct hart *hart, uint64_t pa) {
    for (unsigned i = 0; i < AHEAD_PAGES; i++)
        if (hart->ahead[i].pa == pa)
            return hart->ahead[i].bytes;
    return NULL;
}

/* It takes the place of the one that was fetched first. */
static void fetch(struct sim *sim, struct hart *hart, uint64_t pa) {
    if (!ram_has(sim, pa, 4096) || !pmp_allows(sim, hart, pa, 4096, ACCESS_FETCH, hart->priv) ||
        ahead_find(hart, pa) != NULL || code_find(hart, pa) != NULL)
        return;
    struct page_ahead *page = &hart->ahead[hart->ahead_count++ % AHEAD_PAGES];
    page->pa = pa;
    copy(sim, page);
}

void ahead_fetch(struct sim *sim, struct hart *hart, uint64_t pa) {
    if (!sim->options.speculate || !sim->options.stale_code)
        return;
    for (unsigned i = 0; i < AHEAD_PAGES; i++)
        if (hart->ahead[i].pa == pa)
            hart->ahead[i].pa = 0;
    fetch(sim, hart, pa + 4096);
    fetch(sim, hart, pa - 4096);
}

void ahead_fence(const struct sim *sim, struct hart *hart) {
    for (unsigned i = 0; i < AHEAD_PAGES; i++)
        if (hart->ahead[i].pa != 0)
            copy(sim, &hart->ahead[i]);
}
