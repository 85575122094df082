/* What orders the accesses of harts: see races.h. */
#include "machine/cpu/bits.h"
#include "machine/machine.h"

/* FENCE: unprivileged specification 2.7. */
enum {
    FENCE_SUCCESSORS = 20,
    FENCE_PREDECESSORS = 24,
    FENCE_MODE = 28,
    FENCE_READ = 2,
    FENCE_WRITE = 1,
    FENCE_TSO = 8
};

static struct races_hart *of(struct sim *sim, const struct hart *hart) {
    return &sim->races.harts[hart->id];
}

/* All that the hart has done, and all that it has seen. */
static struct clock all_of(struct sim *sim, unsigned id) {
    struct clock clock = sim->races.harts[id].now;
    clock_join(&clock, &sim->races.harts[id].loaded);
    clock.at[id] = sim_now(sim);
    return clock;
}

void races_fence(struct sim *sim, const struct hart *hart, uint32_t word) {
    struct races_hart *h = of(sim, hart);
    unsigned before = (unsigned)field(word, FENCE_PREDECESSORS, 4);
    unsigned after = (unsigned)field(word, FENCE_SUCCESSORS, 4);
    if (!sim->races.on || hart->priv == PRIV_U)
        return;
    if (before & after & FENCE_READ)
        clock_join(&h->now, &h->loaded);
    if (before & after & FENCE_WRITE) {
        h->released = all_of(sim, hart->id);
        h->release_pc = hart->pc;
    }
    bool is_full = (before & FENCE_WRITE) && (after & FENCE_READ) &&
                   word >> FENCE_MODE != FENCE_TSO;
    h->full_pc = is_full && hart->pc - h->store_pc <= 4 ? hart->pc : 0;
}

void races_atomic(struct sim *sim, const struct hart *hart, const struct races_atomic *atomic) {
    struct races_hart *h = of(sim, hart);
    struct shadow *shadow = &sim->races.shadow;
    if (!sim->races.on || hart->priv == PRIV_U)
        return;
    struct shadow_page *page = shadow_page(shadow, (atomic->pa - RAM_BASE) >> 12);
    struct carrier *carrier = page ? shadow_carrier(shadow, page, atomic->pa % 4096 / 8, true)
                                   : NULL;
    if (carrier == NULL)
        return;
    carrier->atomic |= (uint8_t)(((1u << atomic->size) - 1) << atomic->pa % 8);
    if (atomic->loads) {
        clock_join(&h->loaded, &carrier->clock);
        if (atomic->acquires)
            clock_join(&h->now, &carrier->clock);
    }
    if (atomic->stores) {
        struct clock all = all_of(sim, hart->id);
        clock_join(&carrier->clock, atomic->releases ? &all : &h->released);
        h->release_pc = 0;
    }
}

void races_order(struct sim *sim, unsigned from, unsigned to) {
    struct clock all = all_of(sim, from);
    if (sim->races.on && from != to)
        clock_join(&sim->races.harts[to].now, &all);
}

void races_meet(struct sim *sim, unsigned a, unsigned b) {
    races_order(sim, a, b);
    races_order(sim, b, a);
}

void races_ask(struct sim *sim, unsigned from, unsigned to) {
    struct clock all = all_of(sim, from);
    if (sim->races.on)
        clock_join(&sim->races.harts[to].asked, &all);
}

void races_asked(struct sim *sim, const struct hart *hart) {
    if (sim->races.on && (hart->mip & (1 << IRQ_SSI | 1 << IRQ_MSI)))
        clock_join(&of(sim, hart)->now, &of(sim, hart)->asked);
}
