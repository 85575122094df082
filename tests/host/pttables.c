/* The source of tables of pttables.h. */
#include "pttables.h"
#include "hostarch.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include <string.h>

uint32_t pttables_out;
int64_t pttables_fail;
static bool out[PTTABLES_MAX];
static uint32_t next;

void pttables_reset(void) {
    if (!host_ram_base)
        host_ram_map(PTTABLES_MAX * PAGE_SIZE);
    memset(out, 0, sizeof out);
    pttables_out = next = 0;
    pttables_fail = 0;
}

static int take(paddr_t *table) {
    if ((pttables_fail > 0 && --pttables_fail == 0) || pttables_out == PTTABLES_MAX)
        return -K_ENOMEM;
    while (out[next])
        next = (next + 1) % PTTABLES_MAX;
    out[next] = true;
    pttables_out++;
    *table = PA(HOST_RAM_START + next * PAGE_SIZE);
    memset(pa_ptr(*table), 0, PAGE_SIZE);
    return 0;
}

static void give(paddr_t table, bool zeroed) {
    uint64_t i = (table.v - HOST_RAM_START) / PAGE_SIZE;
    const pte_t *entry = pa_ptr(table);
    for (unsigned k = 0; zeroed && k < PT_ENTRIES; k++)
        ASSERT(entry[k] == 0);
    ASSERT(IS_ALIGNED(table.v, PAGE_SIZE) && i < PTTABLES_MAX);
    ASSERT(out[i]);
    out[i] = false;
    pttables_out--;
    memset(pa_ptr(table), 0xff, PAGE_SIZE); /* whoever still reads it finds rubbish */
}

const struct pt_memory pttables = {take, give};
