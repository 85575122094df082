/* What a user sees of the inside: see sim.h. */
#include "machine/cpu/memory.h"
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

bool sim_physical(struct sim *sim, unsigned hart, uint64_t va, uint64_t *pa) {
    return hart < sim->options.harts &&
           translate_quietly(sim, &sim->harts[hart], va, sim->harts[hart].priv, pa);
}

void sim_place(const struct sim *sim, uint64_t address, char *buffer, size_t size) {
    place_text(&sim->kernel, 1, address, buffer, size);
}

bool sim_kept(const struct sim *sim, unsigned hart, unsigned index, struct sim_kept *kept) {
    if (hart >= sim->options.harts || index >= sim->harts[hart].keeper.count)
        return false;
    const struct keeper *keeper = &sim->harts[hart].keeper;
    const struct kept *entry = &keeper->entries[keeper->live[index]];
    *kept = (struct sim_kept){.va = entry->va,
                              .pa = entry->pa,
                              .value = entry->value,
                              .when = entry->when,
                              .asid = entry->asid,
                              .level = entry->level,
                              .global = entry->global};
    sim_memory(sim, entry->pa, &kept->memory, sizeof(kept->memory));
    return true;
}

static bool in_image(const struct sim *sim, uint64_t pa) {
    for (unsigned i = 0; i < sim->kernel.elf.segments; i++) {
        const struct elf_segment *s = &sim->kernel.elf.segment[i];
        if (pa - (s->paddr & ~4095ull) < s->size + (s->paddr & 4095))
            return true;
    }
    return false;
}

/* What the allocator says of it, in the user's words. */
static struct sim_frame frame_of(const struct sim *sim, uint64_t page) {
    if (sim->frames.pages == NULL)
        return (struct sim_frame){.is = SIM_FRAME_UNKNOWN};
    const struct frame *frame = &sim->frames.pages[page];
    return (struct sim_frame){.is = frame->is == FRAME_TAKEN  ? SIM_FRAME_TAKEN
                                    : frame->is == FRAME_FREE ? SIM_FRAME_FREE
                                                              : SIM_FRAME_UNKNOWN,
                              .from = frame->by.from,
                              .when = frame->by.when,
                              .hart = frame->hart};
}

bool sim_frame(const struct sim *sim, uint64_t pa, struct sim_frame *frame) {
    if (!ram_has(sim, pa, 1))
        return false;
    uint64_t page = (pa - RAM_BASE) >> 12;
    *frame = frame_of(sim, page);
    if (in_image(sim, pa & ~4095ull))
        frame->is = SIM_FRAME_IMAGE;
    else if (sim->events.on && sim->events.own.marks[page].level != 0)
        frame->is = SIM_FRAME_TABLE;
    return true;
}
