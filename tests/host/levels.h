/* How many levels page tables have from here on: for the kernel's code, and for the walker. */
#pragma once
#include "arch/layout.h"
#include "walker.h"

#define LEVELS_MIN 3
#define LEVELS_MAX 5

static inline void use_levels(unsigned levels) {
    paging = (struct paging)PAGING(levels);
    walker_levels = levels;
}

/* The first address of the high half; with Sv39 it is KERNEL_HALF. */
static inline uint64_t high_half(void) { return 0 - USER_HALF_END; }
