/* Physical memory protection: privileged specification 3.7.1. A machine whose kernel starts in
 * S-mode is not asked, since its firmware lets the kernel have everything. */
#pragma once
#include "machine/machine.h"

/* pmpcfg */
enum {
    PMP_R = 0x01,
    PMP_W = 0x02,
    PMP_X = 0x04,
    PMP_A = 0x18,
    PMP_TOR = 0x08,
    PMP_NA4 = 0x10,
    PMP_L = 0x80
};

/* Whether `priv` may access all of these bytes. */
bool pmp_allows(const struct sim *sim, const struct hart *hart, uint64_t pa, unsigned size,
                enum access access, enum privilege priv);
/* No entry divides the page of pa: what holds for one byte of it holds for all. */
bool pmp_uniform(const struct sim *sim, const struct hart *hart, uint64_t pa);
