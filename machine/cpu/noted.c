/* See noted.h. */
#include "machine/cpu/memory.h"
#include <string.h>

enum { RA = 1, SP = 2, FP = 8 };

static bool is_call(uint64_t cause) { return cause >= CAUSE_ECALL_U && cause <= CAUSE_ECALL_M; }

void note_exception(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t value) {
    struct noted_exceptions *noted = &hart->noted;
    struct sim_exception *last = &noted->list[(noted->count - 1) % NOTED_EXCEPTIONS];
    if (hart->priv == PRIV_U)
        noted->user_satp = hart->satp;
    if (is_call(cause)) {
        noted->called = true;
        return;
    }
    bool same = noted->count > 0 && last->cause == cause && last->pc == hart->pc &&
                last->value == value;
    uint64_t again = same && !noted->called ? last->again + 1 : 1;
    uint64_t since = again > 1 ? last->since : sim_now(sim);
    if (!same)
        last = &noted->list[noted->count++ % NOTED_EXCEPTIONS];
    noted->called = false;
    *last = (struct sim_exception){.cause = cause,
                                   .pc = hart->pc,
                                   .value = value,
                                   .satp = hart->satp,
                                   .status = hart->mstatus,
                                   .ra = hart->x[RA],
                                   .sp = hart->x[SP],
                                   .fp = hart->x[FP],
                                   .since = since,
                                   .when = sim_now(sim),
                                   .again = again,
                                   .privilege = hart->priv};
}

bool sim_exception(const struct sim *sim, unsigned hart, unsigned ago, struct sim_exception *to) {
    if (hart >= sim->options.harts)
        return false;
    const struct noted_exceptions *noted = &sim->harts[hart].noted;
    if (ago >= NOTED_EXCEPTIONS || ago >= noted->count)
        return false;
    *to = noted->list[(noted->count - 1 - ago) % NOTED_EXCEPTIONS];
    return true;
}

uint64_t sim_user_satp(const struct sim *sim, unsigned hart) {
    return hart < sim->options.harts ? sim->harts[hart].noted.user_satp : 0;
}

/* A doubleword of the kernel's stack, as the hart has it now; 0: there is none. */
static uint64_t stack_word(struct sim *sim, struct hart *hart, uint64_t va) {
    uint64_t pa, value = 0;
    if ((va & 7) == 0 && translate_quietly(sim, hart, va, hart->priv, &pa) && ram_has(sim, pa, 8))
        memcpy(&value, sim->ram + (pa - RAM_BASE), 8);
    return value;
}

void note_lock(struct sim *sim, struct hart *hart, uint64_t pa) {
    if (!sim->options.locks || hart->priv == PRIV_U)
        return;
    struct sim_lock *lock = &sim->locks.list[(pa >> 2) % NOTED_LOCKS];
    *lock = (struct sim_lock){.pa = pa, .pc = hart->pc, .hart = hart->id, .when = sim_now(sim)};
    lock->callers[0] = hart->x[RA];
    uint64_t fp = hart->x[FP];
    for (unsigned i = 1; i < SIM_LOCK_CALLERS && fp != 0; i++) {
        lock->callers[i] = stack_word(sim, hart, fp - 8);
        fp = stack_word(sim, hart, fp - 16);
    }
}

bool sim_lock(const struct sim *sim, uint64_t pa, struct sim_lock *to) {
    const struct sim_lock *lock = &sim->locks.list[(pa >> 2) % NOTED_LOCKS];
    if (pa == 0 || lock->pa != pa)
        return false;
    *to = *lock;
    return true;
}
