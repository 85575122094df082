/* The sums of what harts have counted: see vmstat.h. */
#include "mm/vmstat.h"

void vmstat_get(struct abi_vmstat *out) {
    uint64_t *sums = (uint64_t *)out;
    for (unsigned e = 0; e < HART_COUNTS; e++) {
        sums[e] = 0;
        for (uint32_t i = 0; i < hart_count; i++)
            sums[e] += __atomic_load_n(&harts[i].counted[e], __ATOMIC_RELAXED);
    }
}
