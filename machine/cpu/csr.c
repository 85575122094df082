/* Control and status registers: privileged specification 2, 3.1 and 4.1; Zicntr; Sstc. */
#include "machine/cpu/bits.h"
#include "machine/cpu/execute.h"
#include "machine/cpu/memory.h"
#include "machine/cpu/pmp.h"
#include "machine/rules/rules.h"

enum {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SCOUNTEREN = 0x106,
    CSR_SENVCFG = 0x10a,
    CSR_SSCRATCH = 0x140,
    CSR_SEPC = 0x141,
    CSR_SCAUSE = 0x142,
    CSR_STVAL = 0x143,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SATP = 0x180,
    CSR_MSTATUS = 0x300,
    CSR_MISA = 0x301,
    CSR_MEDELEG = 0x302,
    CSR_MIDELEG = 0x303,
    CSR_MIE = 0x304,
    CSR_MTVEC = 0x305,
    CSR_MCOUNTEREN = 0x306,
    CSR_MENVCFG = 0x30a,
    CSR_MCOUNTINHIBIT = 0x320,
    CSR_MHPMEVENT3 = 0x323,
    CSR_MHPMEVENT31 = 0x33f,
    CSR_MSCRATCH = 0x340,
    CSR_MEPC = 0x341,
    CSR_MCAUSE = 0x342,
    CSR_MTVAL = 0x343,
    CSR_MIP = 0x344,
    CSR_PMPCFG0 = 0x3a0,
    CSR_PMPCFG15 = 0x3af,
    CSR_PMPADDR0 = 0x3b0,
    CSR_PMPADDR63 = 0x3ef,
    CSR_MCYCLE = 0xb00,
    CSR_MINSTRET = 0xb02,
    CSR_MHPMCOUNTER3 = 0xb03,
    CSR_MHPMCOUNTER31 = 0xb1f,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
    CSR_HPMCOUNTER3 = 0xc03,
    CSR_HPMCOUNTER31 = 0xc1f,
    CSR_MVENDORID = 0xf11,
    CSR_MCONFIGPTR = 0xf15,
    CSR_MHARTID = 0xf14,
};

#define S_INTERRUPTS ((1ull << IRQ_SSI) | (1ull << IRQ_STI) | (1ull << IRQ_SEI))
#define M_INTERRUPTS ((1ull << IRQ_MSI) | (1ull << IRQ_MTI) | (1ull << IRQ_MEI))
#define SSTATUS_WRITES \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
#define SSTATUS_READS (SSTATUS_WRITES | MSTATUS_UXL | MSTATUS_SD)
#define MSTATUS_WRITES \
    (SSTATUS_WRITES | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | MSTATUS_MPRV | MSTATUS_TVM | \
     MSTATUS_TW | MSTATUS_TSR)
/* What may be delegated: 3.1.8. An ecall of M and what does not exist may not. */
#define MEDELEG_WRITES 0xb3ffull
/* RV64, and the letters A, C, D, F, I, M, S, U. */
#define MISA (2ull << 62 | 0x14112dull)
#define ENVCFG_FIOM 1ull

static void set_status(struct hart *hart, uint64_t value, uint64_t writes) {
    uint64_t old = hart->mstatus;
    value = (old & ~writes) | (value & writes);
    if ((value & MSTATUS_MPP) == 2ull << 11) /* no such mode: the old one stays, 3.1.6.1 */
        value = (value & ~MSTATUS_MPP) | (old & MSTATUS_MPP);
    value &= ~MSTATUS_SD;
    if ((value & MSTATUS_FS) == MSTATUS_FS)
        value |= MSTATUS_SD;
    hart->mstatus = value;
    if (((old ^ value) & MSTATUS_MXR) || ((old | value) & MSTATUS_MPRV))
        hart_forget(hart); /* the other rules have a context of their own each */
}

/* satp, 4.1.11: a mode that is not there leaves all as it was. */
static void set_satp(struct sim *sim, struct hart *hart, uint64_t value) {
    unsigned mode = (unsigned)(value >> 60);
    uint64_t asid = field(value, 44, 16) & ((1ull << sim->options.asid_bits) - 1);
    if (mode != 0 && (mode < 8 || mode - 8 + 3 > sim->options.levels))
        return;
    value = (value & ~(0xffffull << 44)) | asid << 44;
    if (value != hart->satp)
        hart_forget(hart);
    frames_satp(sim, hart, value);
    events_satp(sim, hart, value);
    hart->satp = value;
    hart->rules.satp_pc = hart->pc;
    hart->rules.satp_when = sim_now_ns(sim);
    speculate_afresh(sim, hart);
}

static uint64_t pmpcfg(const struct hart *hart, unsigned number) {
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        if (number * 4 + i < PMP_ENTRIES)
            value |= (uint64_t)hart->pmpcfg[number * 4 + i] << 8 * i;
    return value;
}

enum { PMP_WRITES = PMP_L | PMP_A | PMP_X | PMP_W | PMP_R };

static void set_pmpcfg(struct hart *hart, unsigned number, uint64_t value) {
    for (unsigned i = 0; i < 8 && number * 4 + i < PMP_ENTRIES; i++) {
        uint8_t *entry = &hart->pmpcfg[number * 4 + i], wanted = value >> 8 * i & PMP_WRITES;
        if (*entry & PMP_L)
            continue;
        if ((wanted & PMP_W) && !(wanted & PMP_R)) /* reserved, 3.7.1 */
            wanted &= (uint8_t)~PMP_W;
        *entry = wanted;
    }
    hart_forget(hart);
}

static void set_pmpaddr(struct hart *hart, unsigned i, uint64_t value) {
    bool locked = hart->pmpcfg[i] & PMP_L;
    if (i + 1 < PMP_ENTRIES && (hart->pmpcfg[i + 1] & PMP_L) &&
        (hart->pmpcfg[i + 1] & PMP_A) == PMP_TOR)
        locked = true;
    if (!locked)
        hart->pmpaddr[i] = value & ((1ull << 54) - 1);
    hart_forget(hart);
}

/* A counter is seen below M only where the mode above lets it: 3.1.11, 4.1.5. */
static bool counter_allowed(const struct hart *hart, unsigned bit) {
    if (hart->priv != PRIV_M && !(hart->mcounteren >> bit & 1))
        return false;
    return hart->priv != PRIV_U || (hart->scounteren >> bit & 1);
}

static void set_instret(struct hart *hart, uint64_t value) {
    uint64_t added = value - hart_instret(hart);
    hart->instret += added;
    hart->mode_since += added;
    hart->cycles_added -= added;
}

static bool stimecmp_allowed(const struct sim *sim, const struct hart *hart) {
    if (!sim->options.sstc)
        return false;
    return hart->priv == PRIV_M || ((hart->menvcfg & MENVCFG_STCE) && (hart->mcounteren >> 1 & 1));
}

/* Who may see a register is in its number: 2.1. */
static bool accessible(const struct hart *hart, unsigned number) {
    if ((unsigned)hart->priv < field(number, 8, 2))
        return false;
    if (number == CSR_SATP && hart->priv == PRIV_S && (hart->mstatus & MSTATUS_TVM))
        return false;
    return number > CSR_FCSR || (hart->mstatus & MSTATUS_FS) != 0;
}

static bool counter_read(struct sim *sim, struct hart *hart, unsigned number, uint64_t *value) {
    if (number >= CSR_CYCLE && number <= CSR_HPMCOUNTER31 &&
        !counter_allowed(hart, number - CSR_CYCLE))
        return false;
    switch (number) {
    case CSR_CYCLE:
    case CSR_MCYCLE: *value = hart_instret(hart) + hart->cycles_added; return true;
    case CSR_INSTRET:
    case CSR_MINSTRET: *value = hart_instret(hart); return true;
    case CSR_TIME: *value = clint_mtime(&sim->env, &sim->clint); return true;
    }
    *value = 0; /* there are no other counters */
    return (number >= CSR_HPMCOUNTER3 && number <= CSR_HPMCOUNTER31) ||
           (number >= CSR_MHPMCOUNTER3 && number <= CSR_MHPMCOUNTER31) ||
           (number >= CSR_MHPMEVENT3 && number <= CSR_MHPMEVENT31);
}

bool csr_read(struct sim *sim, struct hart *hart, unsigned number, uint64_t *value) {
    if (!accessible(hart, number))
        return false;
    if (number >= CSR_PMPADDR0 && number <= CSR_PMPADDR63) {
        *value = number - CSR_PMPADDR0 < PMP_ENTRIES ? hart->pmpaddr[number - CSR_PMPADDR0] : 0;
        return true;
    }
    if (number >= CSR_PMPCFG0 && number <= CSR_PMPCFG15) {
        *value = pmpcfg(hart, number - CSR_PMPCFG0);
        return number % 2 == 0;
    }
    switch (number) {
    case CSR_FFLAGS: *value = hart->fflags; return true;
    case CSR_FRM: *value = hart->frm; return true;
    case CSR_FCSR: *value = (uint64_t)hart->frm << 5 | hart->fflags; return true;
    case CSR_SSTATUS: *value = hart->mstatus & SSTATUS_READS; return true;
    case CSR_SIE: *value = hart->mie & hart->mideleg; return true;
    case CSR_STVEC: *value = hart->stvec; return true;
    case CSR_SCOUNTEREN: *value = hart->scounteren; return true;
    case CSR_SENVCFG: *value = hart->senvcfg; return true;
    case CSR_SSCRATCH: *value = hart->sscratch; return true;
    case CSR_SEPC: *value = hart->sepc; return true;
    case CSR_SCAUSE: *value = hart->scause; return true;
    case CSR_STVAL: *value = hart->stval; return true;
    case CSR_SIP:
        hart_update_interrupts(sim, hart);
        *value = hart->mip & hart->mideleg;
        races_asked(sim, hart);
        return true;
    case CSR_STIMECMP: *value = hart->stimecmp; return stimecmp_allowed(sim, hart);
    case CSR_SATP: *value = hart->satp; return true;
    case CSR_MSTATUS: *value = hart->mstatus; return true;
    case CSR_MISA: *value = MISA; return true;
    case CSR_MEDELEG: *value = hart->medeleg; return true;
    case CSR_MIDELEG: *value = hart->mideleg; return true;
    case CSR_MIE: *value = hart->mie; return true;
    case CSR_MTVEC: *value = hart->mtvec; return true;
    case CSR_MCOUNTEREN: *value = hart->mcounteren; return true;
    case CSR_MENVCFG: *value = hart->menvcfg; return true;
    case CSR_MCOUNTINHIBIT: *value = 0; return true;
    case CSR_MSCRATCH: *value = hart->mscratch; return true;
    case CSR_MEPC: *value = hart->mepc; return true;
    case CSR_MCAUSE: *value = hart->mcause; return true;
    case CSR_MTVAL: *value = hart->mtval; return true;
    case CSR_MIP:
        hart_update_interrupts(sim, hart);
        *value = hart->mip;
        races_asked(sim, hart);
        return true;
    case CSR_MHARTID: *value = hart->id; return true;
    }
    if (number >= CSR_MVENDORID && number <= CSR_MCONFIGPTR) {
        *value = 0;
        return true;
    }
    return counter_read(sim, hart, number, value);
}

uint64_t csr_combined(const struct hart *hart, unsigned number, uint64_t read) {
    if (number != CSR_MIP)
        return read;
    return (read & ~(1ull << IRQ_SEI)) | (uint64_t)hart->seip << IRQ_SEI;
}

/* stvec and mtvec: direct or vectored. */
static uint64_t vector(uint64_t value) { return value & ~2ull; }

static bool set_float(struct hart *hart, unsigned number, uint64_t value) {
    if (number != CSR_FRM)
        hart->fflags = value & 0x1f;
    if (number != CSR_FFLAGS)
        hart->frm = (number == CSR_FRM ? value : value >> 5) & 7;
    hart->mstatus |= MSTATUS_FS | MSTATUS_SD;
    return true;
}

static bool machine_write(struct sim *sim, struct hart *hart, unsigned number, uint64_t value) {
    switch (number) {
    case CSR_MSTATUS: set_status(hart, value, MSTATUS_WRITES); return true;
    case CSR_MEDELEG: hart->medeleg = value & MEDELEG_WRITES; return true;
    case CSR_MIDELEG: hart->mideleg = value & S_INTERRUPTS; return true;
    case CSR_MIE: hart->mie = value & (S_INTERRUPTS | M_INTERRUPTS); return true;
    case CSR_MTVEC: hart->mtvec = vector(value); return true;
    case CSR_MCOUNTEREN: hart->mcounteren = value & 0xffffffff; return true;
    case CSR_MENVCFG:
        hart->menvcfg = value & (ENVCFG_FIOM | (sim->options.sstc ? MENVCFG_STCE : 0));
        hart_update_interrupts(sim, hart);
        hart_yield(hart); /* the turn was measured without stimecmp, or with it */
        return true;
    case CSR_MSCRATCH: hart->mscratch = value; return true;
    case CSR_MEPC: hart->mepc = value & ~1ull; return true;
    case CSR_MCAUSE: hart->mcause = value; return true;
    case CSR_MTVAL: hart->mtval = value; return true;
    case CSR_MIP:
        hart->seip = value >> IRQ_SEI & 1;
        hart->mip = (hart->mip & ~((1ull << IRQ_SSI) | (1ull << IRQ_STI))) |
                    (value & ((1ull << IRQ_SSI) | (1ull << IRQ_STI)));
        hart_update_interrupts(sim, hart);
        return true;
    case CSR_MCYCLE: hart->cycles_added = value - hart_instret(hart); return true;
    case CSR_MINSTRET: set_instret(hart, value); return true;
    case CSR_MISA:
    case CSR_MCOUNTINHIBIT: return true;
    }
    return (number >= CSR_MHPMEVENT3 && number <= CSR_MHPMEVENT31) ||
           (number >= CSR_MHPMCOUNTER3 && number <= CSR_MHPMCOUNTER31);
}

bool csr_write(struct sim *sim, struct hart *hart, unsigned number, uint64_t value) {
    if (!accessible(hart, number) || field(number, 10, 2) == 3)
        return false;
    if (number >= CSR_PMPADDR0 && number <= CSR_PMPADDR63) {
        if (number - CSR_PMPADDR0 < PMP_ENTRIES)
            set_pmpaddr(hart, number - CSR_PMPADDR0, value);
        return true;
    }
    if (number >= CSR_PMPCFG0 && number <= CSR_PMPCFG15) {
        if (number % 2 == 0)
            set_pmpcfg(hart, number - CSR_PMPCFG0, value);
        return number % 2 == 0;
    }
    switch (number) {
    case CSR_FFLAGS:
    case CSR_FRM:
    case CSR_FCSR: return set_float(hart, number, value);
    case CSR_SSTATUS: set_status(hart, value, SSTATUS_WRITES); return true;
    case CSR_SIE: hart->mie = (hart->mie & ~hart->mideleg) | (value & hart->mideleg); return true;
    case CSR_STVEC: hart->stvec = vector(value); return true;
    case CSR_SCOUNTEREN: hart->scounteren = value & 0xffffffff; return true;
    case CSR_SENVCFG: hart->senvcfg = value & ENVCFG_FIOM; return true;
    case CSR_SSCRATCH: hart->sscratch = value; return true;
    case CSR_SEPC: hart->sepc = value & ~1ull; return true;
    case CSR_SCAUSE: hart->scause = value; return true;
    case CSR_STVAL: hart->stval = value; return true;
    case CSR_SIP: {
        uint64_t writes = hart->mideleg & (1ull << IRQ_SSI);
        hart->mip = (hart->mip & ~writes) | (value & writes);
        return true;
    }
    case CSR_STIMECMP:
        if (!stimecmp_allowed(sim, hart))
            return false;
        hart->stimecmp = value;
        hart_update_interrupts(sim, hart);
        hart_yield(hart); /* the turn was measured by the old one */
        return true;
    case CSR_SATP: set_satp(sim, hart, value); return true;
    default: return machine_write(sim, hart, number, value);
    }
}
