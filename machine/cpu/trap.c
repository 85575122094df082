/* Traps: how they begin and end (privileged specification 3.1.6, 3.1.7, 3.1.8, 3.3.2). */
#include "machine/cpu/execute.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"
#include "machine/rules/rules.h"
#include "machine/sbi/sbi.h"

#define MIP_DEVICES ((1ull << IRQ_MSI) | (1ull << IRQ_MTI) | (1ull << IRQ_MEI))

static void enter_s(struct hart *hart, uint64_t cause, uint64_t value) {
    keep_trapped(hart);
    hart->rules.fault.traps += hart->priv == PRIV_S;
    hart->scause = cause;
    hart->sepc = hart->pc;
    hart->stval = value;
    hart->mstatus &= ~(MSTATUS_SPIE | MSTATUS_SPP);
    if (hart->mstatus & MSTATUS_SIE)
        hart->mstatus |= MSTATUS_SPIE;
    if (hart->priv == PRIV_S)
        hart->mstatus |= MSTATUS_SPP;
    hart->mstatus &= ~MSTATUS_SIE;
    hart_set_mode(hart, PRIV_S);
    hart->pc = hart->stvec & ~3ull;
    if ((cause & CAUSE_INTERRUPT) && (hart->stvec & 1))
        hart->pc += 4 * (cause & ~CAUSE_INTERRUPT);
}

static void enter_m(struct hart *hart, uint64_t cause, uint64_t value) {
    keep_trapped(hart);
    hart->rules.fault.traps += hart->priv == PRIV_S;
    if (hart->mstatus & MSTATUS_MPRV) /* MPP, and with it CONTEXT_MPRV, will be another */
        hart_forget(hart);
    hart->mcause = cause;
    hart->mepc = hart->pc;
    hart->mtval = value;
    hart->mstatus &= ~(MSTATUS_MPIE | MSTATUS_MPP);
    if (hart->mstatus & MSTATUS_MIE)
        hart->mstatus |= MSTATUS_MPIE;
    hart->mstatus |= (uint64_t)hart->priv << 11;
    hart->mstatus &= ~MSTATUS_MIE;
    hart_set_mode(hart, PRIV_M);
    hart->pc = hart->mtvec & ~3ull;
    if ((cause & CAUSE_INTERRUPT) && (hart->mtvec & 1))
        hart->pc += 4 * (cause & ~CAUSE_INTERRUPT);
}

void hart_trap(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t value) {
    if (!sim->options.machine_mode && cause == CAUSE_ECALL_S) {
        sbi_call(sim, hart);
        return;
    }
    rules_trapped(sim, hart, cause, value);
    note_exception(sim, hart, cause, value);
    hart->reserved = false;
    events_trap(sim, hart, cause, value);
    if (hart->priv != PRIV_M && (hart->medeleg >> cause & 1))
        enter_s(hart, cause, value);
    else if (sim->options.machine_mode)
        enter_m(hart, cause, value);
    else
        enter_s(hart, cause, value); /* the firmware hands on what it does not know */
}

/* The order in which they are taken: 3.1.9. */
static const uint8_t urgency[] = {IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI};

void hart_interrupt(struct sim *sim, struct hart *hart) {
    uint64_t pending = hart->mip & hart->mie;
    if (pending == 0)
        return;
    bool m_enabled = hart->priv != PRIV_M || (hart->mstatus & MSTATUS_MIE);
    bool s_enabled = hart->priv == PRIV_U ||
                     (hart->priv == PRIV_S && (hart->mstatus & MSTATUS_SIE));
    uint64_t to_m = m_enabled ? pending & ~hart->mideleg : 0;
    uint64_t to_s = s_enabled ? pending & hart->mideleg : 0;
    uint64_t to = to_m ? to_m : to_s;
    for (unsigned i = 0; i < sizeof(urgency); i++) {
        if (!(to >> urgency[i] & 1))
            continue;
        hart->reserved = false;
        events_trap(sim, hart, CAUSE_INTERRUPT | urgency[i], 0);
        races_asked(sim, hart);
        if (to_m)
            enter_m(hart, CAUSE_INTERRUPT | urgency[i], 0);
        else
            enter_s(hart, CAUSE_INTERRUPT | urgency[i], 0);
        return;
    }
}

void hart_return(struct hart *hart, enum privilege from) {
    if (hart->mstatus & MSTATUS_MPRV)
        hart_forget(hart);
    if (from == PRIV_M) {
        hart_set_mode(hart, (enum privilege)((hart->mstatus & MSTATUS_MPP) >> 11));
        hart->mstatus &= ~MSTATUS_MIE;
        if (hart->mstatus & MSTATUS_MPIE)
            hart->mstatus |= MSTATUS_MIE;
        hart->mstatus |= MSTATUS_MPIE;
        hart->mstatus &= ~MSTATUS_MPP; /* the least privileged mode: U */
        hart->pc = hart->mepc;
    } else {
        hart_set_mode(hart, hart->mstatus & MSTATUS_SPP ? PRIV_S : PRIV_U);
        hart->mstatus &= ~MSTATUS_SIE;
        if (hart->mstatus & MSTATUS_SPIE)
            hart->mstatus |= MSTATUS_SIE;
        hart->mstatus |= MSTATUS_SPIE;
        hart->mstatus &= ~MSTATUS_SPP;
        hart->pc = hart->sepc;
    }
    if (hart->priv != PRIV_M)
        hart->mstatus &= ~MSTATUS_MPRV;
}

bool hart_has_stimecmp(const struct sim *sim, const struct hart *hart) {
    return (hart->menvcfg & MENVCFG_STCE) || !sim->options.machine_mode;
}

void hart_update_interrupts(struct sim *sim, struct hart *hart) {
    uint64_t mip = hart->mip & ~MIP_DEVICES;
    if (clint_software_pending(&sim->clint, hart->id))
        mip |= 1ull << IRQ_MSI;
    if (clint_timer_pending(&sim->env, &sim->clint, hart->id))
        mip |= 1ull << IRQ_MTI;
    if (plic_pending(&sim->plic, 2 * hart->id))
        mip |= 1ull << IRQ_MEI;
    mip &= ~(1ull << IRQ_SEI);
    if (hart->seip || plic_pending(&sim->plic, 2 * hart->id + 1))
        mip |= 1ull << IRQ_SEI;
    if (hart_has_stimecmp(sim, hart)) {
        mip &= ~(1ull << IRQ_STI);
        if (clint_mtime(&sim->env, &sim->clint) >= hart->stimecmp)
            mip |= 1ull << IRQ_STI;
    }
    hart->mip = mip;
}
