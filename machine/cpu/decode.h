/* Decoded instructions, a page of memory at a time.
 *
 * The machine executes `struct op`. A code page has one for each halfword of the memory page;
 * the op of an instruction stands where its first halfword stands, so that a jump within a
 * page is an addition. Ops are decoded when they are first executed, from the page's own copy
 * of the bytes: what a hart fetched, it may keep until its next fence.i (unprivileged
 * specification, chapter 3, Zifencei). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { CODE_SLOTS = 4096 / 2 };

/* Each instruction has two codes: of its 2-byte form and, one more, of its 4-byte form. */
enum op_code {
    OP_DECODE = 0,           /* not decoded yet */
    OP_CROSS = 1,            /* its second half stands in the next page */
    OP_PAGE_END = 2,         /* behind the last slot */
    OP_PAGE_END_CROSSED = 3, /* behind an instruction that crosses */
    OP_STALE = 4,            /* memory has other bytes by now */
    OP_HOOK = 5,             /* somebody wants to know before it is executed (frames.h, events.h) */
    OP_ILLEGAL = 6,          /* and 7 */
    OP_LAST_SPECIAL = 7,
#define INSN(name, mask, match, format) OP_##name, OP_##name##_4,
#include "machine/cpu/instructions.h"
    /* Jumps that stay in their page: imm counts slots from this one. */
    OP_JAL_NEAR,
    OP_JAL_NEAR_4,
    OP_BEQ_NEAR,
    OP_BEQ_NEAR_4,
    OP_BNE_NEAR,
    OP_BNE_NEAR_4,
    OP_BLT_NEAR,
    OP_BLT_NEAR_4,
    OP_BGE_NEAR,
    OP_BGE_NEAR_4,
    OP_BLTU_NEAR,
    OP_BLTU_NEAR_4,
    OP_BGEU_NEAR,
    OP_BGEU_NEAR_4,
#undef INSN
    OP_COUNT,
};

_Static_assert(OP_COUNT <= 256, "op.hooked has room for every code");

struct op {
    uint16_t code; /* enum op_code */
    uint8_t rd;    /* an index of hart.x; 32, which nobody reads, stands for x0. Of FLW and
                    * FLD: of hart.f */
    uint8_t rs1, rs2;
    uint8_t hooked;    /* of OP_HOOK: the code that it has else */
    uint16_t crossing; /* of OP_CROSS: the code that it has this time */
    int64_t imm;       /* the immediate, sign-extended; of WORD and illegal instructions the word */
};

/* Decodes the instruction that begins with the 16 or 32 bits of `word` and stands in the slot
 * `slot` of its page. Every word gives an op; unknown ones OP_ILLEGAL. */
void decode(uint32_t word, unsigned slot, struct op *out);

/* The instruction of 32 bits that does what the compressed one does (unprivileged
 * specification, chapter 16, RV64C with F and D); 0 for none. */
uint32_t compressed_expand(uint16_t half);

static inline bool instruction_is_long(uint16_t first_half) { return (first_half & 3) == 3; }
