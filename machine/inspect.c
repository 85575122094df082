/* What a user sees of the inside: see sim.h. */
#include "machine/machine.h"
#include <string.h>

unsigned sim_last_hart(const struct sim *sim) { return sim->turn_hart; }

static uint64_t state_of(const struct hart *hart) {
    return hart->state != HART_STARTED ? 0 : hart->waiting ? 2 : 1;
}

uint64_t sim_register(const struct sim *sim, unsigned hart, unsigned which) {
    if (hart >= sim->options.harts)
        return 0;
    const struct hart *h = &sim->harts[hart];
    if (which < SIM_F)
        return h->x[which];
    if (which < SIM_PC)
        return h->f[which - SIM_F];
    switch (which) {
    case SIM_PC: return h->pc;
    case SIM_PRIVILEGE: return h->priv;
    case SIM_STATE: return state_of(h);
    case SIM_MSTATUS: return h->mstatus;
    case SIM_MIE: return h->mie;
    case SIM_MIP: return h->mip;
    case SIM_SATP: return h->satp;
    case SIM_STVEC: return h->stvec;
    case SIM_SEPC: return h->sepc;
    case SIM_SCAUSE: return h->scause;
    case SIM_STVAL: return h->stval;
    case SIM_SSCRATCH: return h->sscratch;
    case SIM_MTVEC: return h->mtvec;
    case SIM_MEPC: return h->mepc;
    case SIM_MCAUSE: return h->mcause;
    case SIM_MTVAL: return h->mtval;
    case SIM_MSCRATCH: return h->mscratch;
    default: return 0;
    }
}

bool sim_memory(const struct sim *sim, uint64_t pa, void *to, size_t bytes) {
    if (!ram_has(sim, pa, bytes))
        return false;
    memcpy(to, sim->ram + (pa - RAM_BASE), bytes);
    return true;
}

bool sim_symbol(const struct sim *sim, const char *name, uint64_t *value) {
    return symbols_address(&sim->kernel.symbols, name, value);
}

void sim_place(const struct sim *sim, uint64_t address, char *buffer, size_t size) {
    place_text(&sim->kernel, 1, address, buffer, size);
}
