/* See trace.h. */
#include "machine/doctor/trace.h"
#include "machine/cpu/privileged.h"
#include "machine/doctor/walk.h"
#include <string.h>

enum { OPCODE_STORE = 0x23, OPCODE_STORE_FP = 0x27, OPCODE_AMO = 0x2f };

struct before {
    uint64_t pc, satp, lock; /* lock: the address of an atomic instruction; 0: it is none */
    unsigned privilege;
    bool store;
};

static bool is_store(uint32_t w) {
    unsigned opcode = w & 0x7f;
    if ((w & 3) == 3)
        return opcode == OPCODE_STORE || opcode == OPCODE_STORE_FP;
    return (w & 3) != 1 && (w >> 13 & 7) >= 5; /* C.FSD, C.SW, C.SD, and those by sp */
}

/* What the hart is about to do, if it is its turn. */
static void look_at(const struct sim *sim, unsigned hart, struct before *to) {
    uint16_t halves[2] = {0};
    *to = (struct before){.pc = sim_register(sim, hart, SIM_PC),
                          .satp = sim_register(sim, hart, SIM_SATP),
                          .privilege = (unsigned)sim_register(sim, hart, SIM_PRIVILEGE)};
    walk_read(sim, to->satp, to->privilege, to->pc, &halves[0], 2);
    walk_read(sim, to->satp, to->privilege, to->pc + 2, &halves[1], 2);
    uint32_t w = halves[0] | (uint32_t)halves[1] << 16;
    to->store = is_store(w);
    if ((w & 0x7f) == OPCODE_AMO)
        to->lock = sim_register(sim, hart, w >> 15 & 31);
}

static void note_place(struct activity *a, uint64_t pc) {
    for (unsigned i = 0; i < a->place_count; i++)
        if (a->places[i] == pc)
            return;
    if (a->place_count < TRACE_PLACES)
        a->places[a->place_count++] = pc;
}

static uint64_t state_of(const struct sim *sim, unsigned hart) {
    uint64_t state = sim_register(sim, hart, SIM_PC);
    for (unsigned x = 1; x < 32; x++)
        state = (state ^ sim_register(sim, hart, x)) * 0x9e3779b97f4a7c15ull + x;
    return state;
}

/* Compares with a state of before, which is renewed after 1, 2, 4, 8 ... steps: so a loop is found
 * however long it is (Brent). */
static void look_for_repetition(const struct sim *sim, unsigned hart, struct activity *a) {
    uint64_t state = state_of(sim, hart);
    if (a->anchor_steps > 0 && state == a->anchor && a->stores == a->stores_then)
        a->nothing_changes = true;
    if ((a->steps & (a->steps - 1)) == 0) {
        a->anchor = state;
        a->anchor_steps = a->steps;
        a->stores_then = a->stores;
    }
}

static void note_step(const struct sim *sim, unsigned hart, const struct before *b,
                      struct activity *a) {
    uint64_t status = sim_register(sim, hart, SIM_MSTATUS);
    a->steps++;
    a->pc = b->pc;
    a->in_user |= b->privilege == PRIV_U;
    a->in_kernel |= b->privilege != PRIV_U;
    a->interruptible |= b->privilege == PRIV_U ||
                        (status & (b->privilege == PRIV_M ? MSTATUS_MIE : MSTATUS_SIE));
    note_place(a, b->pc);
    a->stores += b->store || b->lock != 0;
    if (b->lock != 0) {
        a->many_locks |= a->atomics > 0 && a->lock != b->lock;
        a->lock = b->lock;
        a->atomics++;
    }
    look_for_repetition(sim, hart, a);
}

void trace(struct sim *sim, unsigned harts, uint64_t instructions,
           struct activity activity[SIM_HARTS_MAX]) {
    struct before before[SIM_HARTS_MAX];
    memset(activity, 0, SIM_HARTS_MAX * sizeof(activity[0]));
    for (uint64_t i = 0; i < instructions; i++) {
        uint64_t now = sim_instructions(sim);
        for (unsigned hart = 0; hart < harts; hart++)
            look_at(sim, hart, &before[hart]);
        struct sim_end end = sim_run(sim, 1);
        unsigned hart = sim_last_hart(sim);
        if (sim_instructions(sim) != now)
            note_step(sim, hart, &before[hart], &activity[hart]);
        if (end.how != SIM_RUNS)
            return;
    }
}

bool trace_spins(const struct activity *a) {
    return a->atomics > a->steps / TRACE_PLACES && !a->many_locks && a->in_kernel && !a->in_user &&
           a->place_count < TRACE_PLACES;
}
