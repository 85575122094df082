/* ACLINT: MTIMER and MSWI. */
#include "machine/dev/clint.h"
#include "machine/dev/bytes.h"

/* As SiFive's CLINT places them; the stride is the register's size. */
#define MSIP 0x0
#define MTIMECMP 0x4000
#define MTIME 0xbff8

void clint_reset(struct clint *c) {
    *c = (struct clint){0};
    for (unsigned hart = 0; hart < CLINT_HARTS; hart++)
        c->mtimecmp[hart] = UINT64_MAX;
}

static uint64_t ticks(struct dev_env *env) { return env->now(env->ctx) / CLINT_TICK_NS; }

uint64_t clint_mtime(struct dev_env *env, const struct clint *c) { return ticks(env) + c->added; }

bool clint_timer_pending(struct dev_env *env, const struct clint *c, unsigned hart) {
    return clint_mtime(env, c) >= c->mtimecmp[hart];
}

bool clint_software_pending(const struct clint *c, unsigned hart) { return c->msip[hart]; }

uint64_t clint_next_ns(struct dev_env *env, const struct clint *c, unsigned hart) {
    return clint_when_ns(env, c, c->mtimecmp[hart]);
}

uint64_t clint_when_ns(struct dev_env *env, const struct clint *c, uint64_t mtime) {
    if (clint_mtime(env, c) >= mtime)
        return env->now(env->ctx);
    uint64_t wait = mtime - clint_mtime(env, c);
    uint64_t last = UINT64_MAX / CLINT_TICK_NS; /* tick that has a nanosecond */
    return wait > last - ticks(env) ? UINT64_MAX : (ticks(env) + wait) * CLINT_TICK_NS;
}

/* Whether an access is to aligned halves or the whole of a register of 8 bytes. */
static bool fits(uint64_t offset, unsigned size) {
    return (size == 4 || size == 8) && offset % size == 0;
}

static uint64_t part(uint64_t reg, uint64_t offset, unsigned size) {
    if (size == 8)
        return reg;
    return offset & 4 ? reg >> 32 : (uint32_t)reg;
}

static uint64_t merged(uint64_t reg, uint64_t offset, unsigned size, uint64_t value) {
    if (size == 8)
        return value;
    return offset & 4 ? set_high32(reg, value) : set_low32(reg, value);
}

uint64_t clint_read(struct dev_env *env, struct clint *c, uint64_t offset, unsigned size) {
    if (!fits(offset, size))
        return 0;
    if (offset < MSIP + 4 * CLINT_HARTS)
        return size == 4 && c->msip[offset / 4];
    if (offset >= MTIMECMP && offset < MTIMECMP + 8 * CLINT_HARTS)
        return part(c->mtimecmp[(offset - MTIMECMP) / 8], offset, size);
    if (offset >= MTIME && offset < MTIME + 8)
        return part(clint_mtime(env, c), offset, size);
    return 0;
}

void clint_write(struct dev_env *env, struct clint *c, uint64_t offset, unsigned size,
                 uint64_t value) {
    if (!fits(offset, size))
        return;
    if (offset < MSIP + 4 * CLINT_HARTS) {
        if (size == 4)
            c->msip[offset / 4] = value & 1;
    } else if (offset >= MTIMECMP && offset < MTIMECMP + 8 * CLINT_HARTS) {
        uint64_t *reg = &c->mtimecmp[(offset - MTIMECMP) / 8];
        *reg = merged(*reg, offset, size, value);
    } else if (offset >= MTIME && offset < MTIME + 8) {
        c->added = merged(clint_mtime(env, c), offset, size, value) - ticks(env);
    }
}
