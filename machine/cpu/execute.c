/* The executor: one label for each kind of instruction, and a jump from each to the next.
 *
 * `op` is the instruction in hand, `ops` the first of its page, so the program counter is
 * where the page is plus two bytes for each op between. It is written to the hart only when
 * somebody looks: before a call that may trap, or at the end of the turn. The instructions
 * left are counted at each one, so that a turn ends at exactly the same place in every run. */
#include "machine/cpu/bits.h"
#include "machine/cpu/code.h"
#include "machine/cpu/execute.h"
#include "machine/cpu/memory.h"
#include "machine/cpu/pmp.h"
#include "machine/rules/rules.h"
#include <string.h>

#define LIKELY(c) __builtin_expect(!!(c), 1)
#define UNLIKELY(c) __builtin_expect(!!(c), 0)

static inline uint64_t high_product(uint64_t a, uint64_t b) {
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t low_middle = (uint32_t)middle + a0 * b1;
    return a1 * b1 + (middle >> 32) + (low_middle >> 32);
}
static inline uint64_t mulh(uint64_t a, uint64_t b) {
    return high_product(a, b) - ((int64_t)a < 0 ? b : 0) - ((int64_t)b < 0 ? a : 0);
}
static inline uint64_t mulhsu(uint64_t a, uint64_t b) {
    return high_product(a, b) - ((int64_t)a < 0 ? b : 0);
}

/* Division by zero and overflow have results, not traps: 7.2. */
static inline uint64_t div64(int64_t a, int64_t b) {
    return (uint64_t)(b == 0 ? -1 : a == INT64_MIN && b == -1 ? a : a / b);
}
static inline uint64_t rem64(int64_t a, int64_t b) {
    return (uint64_t)(b == 0 ? a : b == -1 ? 0 : a % b);
}
static inline uint64_t div32(int32_t a, int32_t b) {
    return (uint64_t)(int64_t)(b == 0 ? -1 : a == INT32_MIN && b == -1 ? a : a / b);
}
static inline uint64_t rem32(int32_t a, int32_t b) {
    return (uint64_t)(int64_t)(b == 0 ? a : b == -1 ? 0 : a % b);
}
static inline uint64_t word(uint64_t value) { return (uint64_t)(int64_t)(int32_t)value; }

/* One instruction of those left, then the others. */
static int64_t single_step(struct hart *hart) {
    if (hart->left > 1) {
        hart->later = hart->left - 1;
        hart->turn -= hart->later;
        hart->left = 1;
    }
    return hart->left;
}

/* ---- how the labels are written --------------------------------------------------------- */
#define NEXT(slots) \
    do { \
        op += (slots); \
        if (UNLIKELY(--left < 0)) \
            goto turn_ends; \
        goto *labels[op->code]; \
    } while (0)
#define GOTO_OP(target) \
    do { \
        op = (target); \
        if (UNLIKELY(--left < 0)) \
            goto turn_ends; \
        goto *labels[op->code]; \
    } while (0)
/* Both forms of an instruction; LENGTH is its number of bytes. */
#define INSN2(name, ...) \
    L_##name : { \
        enum { LENGTH = 2 }; \
        __VA_ARGS__; \
        NEXT(1); \
    } \
    L_##name##_4 : { \
        enum { LENGTH = 4 }; \
        __VA_ARGS__; \
        NEXT(2); \
    }
#define PC (page_va + ((uint64_t)(op - ops) << 1))
#define RD x[op->rd]
#define RS1 x[op->rs1]
#define RS2 x[op->rs2]
#define IMM ((uint64_t)op->imm)

#define ALU(name, expression) INSN2(name, RD = (uint64_t)(expression))

#define BRANCH(name, condition) \
    INSN2( \
        name, if (condition) { \
            target = PC + IMM; \
            goto jump; \
        }) \
    INSN2(name##_NEAR, if (condition) GOTO_OP(op + op->imm))

/* A naturally aligned access to a page that the tlb has needs no call. */
#define TLB_AT(va) (&tlb[(va) >> 12 & (TLB_SETS - 1)])
#define TAG(va, type) ((va) & (~4095ull | (sizeof(type) - 1)))
#define LOAD(name, type, to, convert) \
    INSN2(name, { \
        uint64_t va = RS1 + IMM, value; \
        const struct tlb_entry *entry = TLB_AT(va); \
        if (LIKELY(entry->load == TAG(va, type))) { \
            type got; \
            memcpy(&got, (const void *)(uintptr_t)(va + entry->delta), sizeof(got)); \
            value = got; \
        } else { \
            hart->left = left; \
            hart->pc = PC; \
            if (!memory_load(sim, hart, va, sizeof(type), &value)) \
                goto trap; \
            left = hart->left; \
        } \
        to = (uint64_t)(convert); \
    })
#define STORE(name, type, from) \
    INSN2(name, { \
        uint64_t va = RS1 + IMM; \
        const struct tlb_entry *entry = TLB_AT(va); \
        if (LIKELY(entry->store == TAG(va, type))) { \
            type put = (type)(from); \
            memcpy((void *)(uintptr_t)(va + entry->delta), &put, sizeof(put)); \
        } else { \
            hart->left = left; \
            hart->pc = PC; \
            if (!memory_store(sim, hart, va, sizeof(type), (type)(from))) \
                goto trap; \
            left = hart->left; \
        } \
    })
/* Executed by a function, after which everything may be another. */
#define CALL(name, function) \
    INSN2(name, { \
        hart->left = left; \
        hart->pc = PC; \
        if (!function(sim, hart, op, LENGTH)) \
            goto trap; \
        left = hart->left; \
    })

#define FLOAT_OFF ((hart->mstatus & MSTATUS_FS) == 0)

int64_t hart_run(struct sim *sim, struct hart *hart, int64_t budget) {
    static const void *const labels[OP_COUNT] = {
        [OP_DECODE] = &&L_DECODE,
        [OP_CROSS] = &&L_CROSS,
        [OP_PAGE_END] = &&L_PAGE_END,
        [OP_PAGE_END_CROSSED] = &&L_PAGE_END_CROSSED,
        [OP_STALE] = &&L_STALE,
        [OP_HOOK] = &&L_HOOK,
        [OP_ILLEGAL] = &&L_ILLEGAL,
        [OP_ILLEGAL + 1] = &&L_ILLEGAL,
#define INSN(name, mask, match, format) [OP_##name] = &&L_##name, [OP_##name##_4] = &&L_##name##_4,
#include "machine/cpu/instructions.h"
        INSN(JAL_NEAR, , , ) INSN(BEQ_NEAR, , , ) INSN(BNE_NEAR, , , ) INSN(BLT_NEAR, , , )
            INSN(BGE_NEAR, , , ) INSN(BLTU_NEAR, , , ) INSN(BGEU_NEAR, , , )
#undef INSN
    };
    uint64_t *const x = hart->x;
    const struct tlb_entry *tlb;
    struct code_page *page;
    const struct op *op, *ops;
    uint64_t page_va, target;
    int64_t left;

    hart->turn = hart->left = budget;
    hart->later = 0;
resume: /* pc, privilege and rules may be others */
    hart_interrupt(sim, hart);
    left = hart->left;
    if (left <= 0 || hart->waiting || hart->state != HART_STARTED)
        goto done;
    tlb = hart->caches.tlb[hart_context(hart)];
    target = hart->pc;
    page_va = target ^ 4096; /* another page */
    ops = NULL;
jump:
    if ((target ^ page_va) >= 4096) {
        struct fetch_entry
            *entry = &hart->caches.fetch[hart_context(hart)][target >> 12 & (FETCH_SETS - 1)];
        if (UNLIKELY(entry->tag != (target & ~4095ull))) {
            hart->pc = target;
            hart->left = left;
            if (left <= 0)
                goto done;
            page = memory_fetch(sim, hart, target);
            if (page == NULL) {
                left--; /* it takes its time: a handler that cannot be fetched traps for ever */
                goto trap_at_pc;
            }
            left = hart->left;
            if (pmp_uniform(sim, hart, page->pa)) {
                *entry = (struct fetch_entry){target & ~4095ull, page};
                hart->caches.fetch_filled[hart_context(hart)] |= 1ull
                                                                 << (target >> 12) % FETCH_SETS;
            } else {
                left = single_step(hart);
            }
        } else {
            page = entry->page;
        }
        page_va = target & ~4095ull;
        ops = page->ops;
    }
    GOTO_OP(ops + ((target & 4095) >> 1));

turn_ends: /* before op */
    hart->pc = PC;
    hart->left = 0;
done:
    if (UNLIKELY(hart->later > 0)) {
        hart->turn += hart->later;
        hart->left += hart->later;
        hart->later = 0;
        goto resume;
    }
    hart->turn -= hart->left;
    hart->instret += (uint64_t)hart->turn;
    return hart->turn;

trap:
    hart->pc = PC;
trap_at_pc:
    hart->left = left;
    hart_trap(sim, hart, hart->cause, hart->tval);
    goto resume;

L_DECODE:
    code_decode(code_page_of(ops), (unsigned)(op - ops));
    goto *labels[op->code];
L_STALE:
    hart->left = left;
    hart->pc = PC;
    code_stale(sim, hart, code_page_of(ops), (unsigned)(op - ops));
    goto *labels[op->code];
L_PAGE_END:
    left++; /* it is no instruction */
    target = page_va + 4096;
    goto jump;
L_PAGE_END_CROSSED:
    left++;
    target = page_va + 4096 + 2;
    goto jump;
L_CROSS: /* its second half may be another's each time */
    hart->left = left;
    hart->pc = PC;
    if (!code_cross(sim, hart, code_page_of(ops)))
        goto trap_at_pc;
    left = hart->left;
    goto *labels[op->crossing];
L_HOOK:
    hart->left = left;
    hart->pc = PC;
    target = code_page_of(ops)->pa + 2 * (uint64_t)(op - ops);
    frames_hook(sim, hart, target);
    events_hook(sim, target);
    goto *labels[op->hooked];
L_ILLEGAL:
    trap_is(hart, CAUSE_ILLEGAL, IMM);
    goto trap;

    ALU(LUI, IMM)
    ALU(AUIPC, PC + IMM)
    INSN2(JAL, {
        target = PC + IMM;
        RD = PC + LENGTH;
        goto jump;
    })
    INSN2(JAL_NEAR, {
        RD = PC + LENGTH;
        GOTO_OP(op + op->imm);
    })
    INSN2(JALR, {
        target = (RS1 + IMM) & ~1ull;
        RD = PC + LENGTH;
        goto jump;
    })
    BRANCH(BEQ, RS1 == RS2)
    BRANCH(BNE, RS1 != RS2)
    BRANCH(BLT, (int64_t)RS1 < (int64_t)RS2)
    BRANCH(BGE, (int64_t)RS1 >= (int64_t)RS2)
    BRANCH(BLTU, RS1 < RS2)
    BRANCH(BGEU, RS1 >= RS2)

    LOAD(LB, uint8_t, RD, (int64_t)(int8_t)value)
    LOAD(LH, uint16_t, RD, (int64_t)(int16_t)value)
    LOAD(LW, uint32_t, RD, (int64_t)(int32_t)value)
    LOAD(LD, uint64_t, RD, value)
    LOAD(LBU, uint8_t, RD, value)
    LOAD(LHU, uint16_t, RD, value)
    LOAD(LWU, uint32_t, RD, value)
    STORE(SB, uint8_t, RS2)
    STORE(SH, uint16_t, RS2)
    STORE(SW, uint32_t, RS2)
    STORE(SD, uint64_t, RS2)

    ALU(ADDI, RS1 + IMM)
    ALU(SLTI, (int64_t)RS1 < op->imm)
    ALU(SLTIU, RS1 < IMM)
    ALU(XORI, RS1 ^ IMM)
    ALU(ORI, RS1 | IMM)
    ALU(ANDI, RS1 & IMM)
    ALU(SLLI, RS1 << IMM)
    ALU(SRLI, RS1 >> IMM)
    ALU(SRAI, (int64_t)RS1 >> IMM)
    ALU(ADD, RS1 + RS2)
    ALU(SUB, RS1 - RS2)
    ALU(SLL, RS1 << (RS2 & 63))
    ALU(SLT, (int64_t)RS1 < (int64_t)RS2)
    ALU(SLTU, RS1 < RS2)
    ALU(XOR, RS1 ^ RS2)
    ALU(SRL, RS1 >> (RS2 & 63))
    ALU(SRA, (int64_t)RS1 >> (RS2 & 63))
    ALU(OR, RS1 | RS2)
    ALU(AND, RS1 & RS2)
    ALU(ADDIW, word(RS1 + IMM))
    ALU(SLLIW, word(RS1 << IMM))
    ALU(SRLIW, word((uint32_t)RS1 >> IMM))
    ALU(SRAIW, (int64_t)((int32_t)RS1 >> IMM))
    ALU(ADDW, word(RS1 + RS2))
    ALU(SUBW, word(RS1 - RS2))
    ALU(SLLW, word(RS1 << (RS2 & 31)))
    ALU(SRLW, word((uint32_t)RS1 >> (RS2 & 31)))
    ALU(SRAW, (int64_t)((int32_t)RS1 >> (RS2 & 31)))
    INSN2(FENCE, {
        if (UNLIKELY(sim->watching)) {
            hart->left = left;
            hart->pc = PC;
            fence_watched(sim, hart, (uint32_t)op->imm);
            left = hart->left;
        }
        hart->left = left;
        rules_fenced(sim, hart, IMM);
    })

    ALU(MUL, RS1 * RS2)
    ALU(MULH, mulh(RS1, RS2))
    ALU(MULHSU, mulhsu(RS1, RS2))
    ALU(MULHU, high_product(RS1, RS2))
    ALU(DIV, div64((int64_t)RS1, (int64_t)RS2))
    ALU(DIVU, RS2 == 0 ? ~0ull : RS1 / RS2)
    ALU(REM, rem64((int64_t)RS1, (int64_t)RS2))
    ALU(REMU, RS2 == 0 ? RS1 : RS1 % RS2)
    ALU(MULW, word(RS1 * RS2))
    ALU(DIVW, div32((int32_t)RS1, (int32_t)RS2))
    ALU(DIVUW, word((uint32_t)RS2 == 0 ? ~0u : (uint32_t)RS1 / (uint32_t)RS2))
    ALU(REMW, rem32((int32_t)RS1, (int32_t)RS2))
    ALU(REMUW, word((uint32_t)RS2 == 0 ? (uint32_t)RS1 : (uint32_t)RS1 % (uint32_t)RS2))

#define FLOAT_LOADED(value) (hart->mstatus |= MSTATUS_FS | MSTATUS_SD, (value))
    LOAD(FLW_ON, uint32_t, hart->f[op->rd], FLOAT_LOADED(value | NAN_BOX))
    LOAD(FLD_ON, uint64_t, hart->f[op->rd], FLOAT_LOADED(value))
    STORE(FSW_ON, uint32_t, hart->f[op->rs2])
    STORE(FSD_ON, uint64_t, hart->f[op->rs2])
    INSN2(FLW, goto * (FLOAT_OFF ? &&L_FLOAT_OFF : LENGTH == 2 ? &&L_FLW_ON : &&L_FLW_ON_4))
    INSN2(FLD, goto * (FLOAT_OFF ? &&L_FLOAT_OFF : LENGTH == 2 ? &&L_FLD_ON : &&L_FLD_ON_4))
    INSN2(FSW, goto * (FLOAT_OFF ? &&L_FLOAT_OFF : LENGTH == 2 ? &&L_FSW_ON : &&L_FSW_ON_4))
    INSN2(FSD, goto * (FLOAT_OFF ? &&L_FLOAT_OFF : LENGTH == 2 ? &&L_FSD_ON : &&L_FSD_ON_4))
L_FLOAT_OFF:
    trap_is(hart, CAUSE_ILLEGAL, code_word(code_page_of(ops), (unsigned)(op - ops)));
    goto trap;

    CALL(AMO, amo_execute)
    CALL(FP, float_execute)
    CALL(FP_OP, float_execute)
#define CALL_AND_RESUME(name, function) \
    INSN2(name, { \
        hart->left = left; \
        hart->pc = PC; \
        if (!function(sim, hart, op, LENGTH)) \
            goto trap; \
        goto resume; \
    })
    CALL_AND_RESUME(FENCE_I, fence_i_execute)
    CALL_AND_RESUME(SYSTEM, system_execute)
}
