/* See pmp.h. */
#include "machine/cpu/pmp.h"

/* The addresses [*start, *end) of an entry; none when it is off. */
static bool pmp_range(const struct hart *hart, unsigned i, uint64_t *start, uint64_t *end) {
    unsigned kind = hart->pmpcfg[i] & PMP_A;
    uint64_t address = hart->pmpaddr[i];
    if (kind == 0)
        return false;
    if (kind == PMP_TOR) {
        *start = i ? hart->pmpaddr[i - 1] << 2 : 0;
        *end = address << 2;
    } else if (kind == PMP_NA4) {
        *start = address << 2;
        *end = *start + 4;
    } else { /* NAPOT: the trailing ones say how large */
        uint64_t ones = address & ~(address + 1);
        *start = (address & ~ones) << 2;
        *end = *start + ((ones + 1) << 3);
    }
    return *start < *end;
}

bool pmp_allows(const struct sim *sim, const struct hart *hart, uint64_t pa, unsigned size,
                enum access access, enum privilege priv) {
    static const uint8_t needs[] = {PMP_X, PMP_R, PMP_W};
    if (!sim->options.machine_mode)
        return true;
    for (unsigned i = 0; i < PMP_ENTRIES; i++) {
        uint64_t start, end;
        if (!pmp_range(hart, i, &start, &end) || pa + size <= start || pa >= end)
            continue;
        if (pa < start || pa + size > end)
            return false;
        if (priv == PRIV_M && !(hart->pmpcfg[i] & PMP_L))
            return true;
        return hart->pmpcfg[i] & needs[access];
    }
    return priv == PRIV_M;
}

bool pmp_uniform(const struct sim *sim, const struct hart *hart, uint64_t pa) {
    uint64_t page = pa & ~4095ull, start, end;
    if (!sim->options.machine_mode)
        return true;
    for (unsigned i = 0; i < PMP_ENTRIES; i++)
        if (pmp_range(hart, i, &start, &end) && end > page && start < page + 4096 &&
            (start > page || end < page + 4096))
            return false;
    return true;
}
