/* The instructions of opcode SYSTEM, and fence.i (privileged specification 3.3, 4.2; Zicsr). */
#include "machine/cpu/bits.h"
#include "machine/cpu/code.h"
#include "machine/cpu/execute.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/memory.h"
#include "machine/rules/rules.h"

enum {
    ECALL = 0x00000073,
    EBREAK = 0x00100073,
    SRET = 0x10200073,
    MRET = 0x30200073,
    WFI = 0x10500073,
    SFENCE_VMA = 0x12000073,
    SFENCE_VMA_MASK = 0xfe007fff
};

static bool illegal(struct hart *hart, uint32_t w) { return trap_is(hart, CAUSE_ILLEGAL, w); }

/* Zicsr: a register is not read when nobody wants its value, and not written when rs1 says so. */
static bool csr_execute(struct sim *sim, struct hart *hart, const struct op *op, uint32_t w) {
    unsigned number = w >> 20, function = (unsigned)field(w, 12, 3), r = (unsigned)field(w, 15, 5);
    uint64_t operand = function & 4 ? r : hart->x[r], old = 0;
    bool writes = (function & 3) == 1 || r != 0, reads = (function & 3) != 1 || op->rd != 32;
    if (writes && field(number, 10, 2) == 3)
        return illegal(hart, w);
    if (reads && !csr_read(sim, hart, number, &old))
        return illegal(hart, w);
    uint64_t from = csr_combined(hart, number, old);
    uint64_t value = (function & 3) == 1   ? operand
                     : (function & 3) == 2 ? from | operand
                                           : from & ~operand;
    if (writes && !csr_write(sim, hart, number, value))
        return illegal(hart, w);
    hart->x[op->rd] = old;
    return true;
}

static bool returns(struct sim *sim, struct hart *hart, uint32_t w) {
    if (w == MRET ? hart->priv != PRIV_M
                  : hart->priv == PRIV_U || (hart->priv == PRIV_S && (hart->mstatus & MSTATUS_TSR)))
        return illegal(hart, w);
    hart_return(hart, w == MRET ? PRIV_M : PRIV_S);
    keep_returned(sim, hart);
    rules_returned(sim, hart);
    return true;
}

static bool waits(struct hart *hart, uint32_t w) {
    if (hart->priv == PRIV_U || (hart->priv == PRIV_S && (hart->mstatus & MSTATUS_TW)))
        return illegal(hart, w);
    if ((hart->mip & hart->mie) == 0) {
        hart->waiting = true;
        hart_yield(hart);
    }
    return true;
}

static bool fences(struct sim *sim, struct hart *hart, const struct op *op, uint32_t w) {
    if (hart->priv == PRIV_U || (hart->priv == PRIV_S && (hart->mstatus & MSTATUS_TVM)))
        return illegal(hart, w);
    keep_fence(sim, hart, hart->x[op->rs1], op->rs1 != 0, op->rs2 != 0, hart->x[op->rs2]);
    return true;
}

bool system_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length) {
    uint32_t w = (uint32_t)op->imm;
    bool done;
    if ((field(w, 12, 3) & 3) != 0)
        done = csr_execute(sim, hart, op, w);
    else if (w == ECALL)
        return trap_is(hart, CAUSE_ECALL_U + hart->priv, 0);
    else if (w == EBREAK)
        return trap_is(hart, CAUSE_BREAKPOINT, hart->pc);
    else if (w == MRET || w == SRET)
        return returns(sim, hart, w);
    else if (w == WFI)
        done = waits(hart, w);
    else if ((w & SFENCE_VMA_MASK) == SFENCE_VMA)
        done = fences(sim, hart, op, w);
    else
        return illegal(hart, w);
    if (done)
        hart->pc += length;
    return done;
}

bool fence_i_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length) {
    code_fence(sim, hart);
    hart->pc += length;
    return true;
}
