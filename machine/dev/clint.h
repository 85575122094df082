/* The timer and the software interrupts of the harts: MTIMER and MSWI devices of the RISC-V ACLINT
 * specification 1.0, placed as SiFive's CLINT has them. Registers of 8 bytes are accessed whole or
 * by halves, those of 4 alone.
 *
 * mtime counts at 10 MHz; it is guest time and what writing it has added. */
#pragma once
#include "machine/dev/env.h"

#define CLINT_HARTS 8
#define CLINT_TICK_NS 100
#define CLINT_BYTES 0x10000

struct clint {
    bool msip[CLINT_HARTS];
    uint64_t mtimecmp[CLINT_HARTS];
    uint64_t added; /* to mtime, in ticks, modulo 2^64 */
};

/* No interrupts: mtimecmp, which may be anything then, is never reached. */
void clint_reset(struct clint *c);
uint64_t clint_read(struct dev_env *env, struct clint *c, uint64_t offset, unsigned size);
void clint_write(struct dev_env *env, struct clint *c, uint64_t offset, unsigned size,
                 uint64_t value);

uint64_t clint_mtime(struct dev_env *env, const struct clint *c);

/* Whether MTIP and MSIP of a hart below CLINT_HARTS are set now. */
bool clint_timer_pending(struct dev_env *env, const struct clint *c, unsigned hart);
bool clint_software_pending(const struct clint *c, unsigned hart);

/* The first nanosecond of guest time at which the timer is pending, now when it is already, and
 * UINT64_MAX for never. It holds until the next write. */
uint64_t clint_next_ns(struct dev_env *env, const struct clint *c, unsigned hart);
/* The same of any comparison with mtime. */
uint64_t clint_when_ns(struct dev_env *env, const struct clint *c, uint64_t mtime);
