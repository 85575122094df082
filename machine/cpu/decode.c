/* From words to ops: see decode.h. */
#include "machine/cpu/decode.h"
#include "machine/cpu/bits.h"

enum format {
    FORMAT_R,
    FORMAT_I,
    FORMAT_S,
    FORMAT_B,
    FORMAT_U,
    FORMAT_J,
    FORMAT_SHIFT,
    FORMAT_WORD
};

static const struct {
    uint32_t mask, match;
    uint16_t code;
    uint8_t format;
} table[] = {
#define INSN(name, mask, match, format) {mask, match, OP_##name, FORMAT_##format},
#include "machine/cpu/instructions.h"
#undef INSN
};

static int64_t immediate(uint32_t w, enum format format) {
    switch (format) {
    case FORMAT_I: return sext(w >> 20, 12);
    case FORMAT_S: return sext(field(w, 25, 7) << 5 | field(w, 7, 5), 12);
    case FORMAT_B:
        return sext(field(w, 31, 1) << 12 | field(w, 7, 1) << 11 | field(w, 25, 6) << 5 |
                        field(w, 8, 4) << 1,
                    13);
    case FORMAT_U: return sext(w & 0xfffff000, 32);
    case FORMAT_J:
        return sext(field(w, 31, 1) << 20 | field(w, 12, 8) << 12 | field(w, 20, 1) << 11 |
                        field(w, 21, 10) << 1,
                    21);
    case FORMAT_SHIFT: return field(w, 20, 6);
    default: return w;
    }
}

static bool is_float(unsigned code) { return code == OP_FLW || code == OP_FLD; }

/* A jump whose target is in the same page becomes one of slots. */
static void make_near(struct op *op, unsigned slot) {
    int64_t target = slot + op->imm / 2;
    if (target < 0 || target >= CODE_SLOTS)
        return;
    if (op->code == OP_JAL)
        op->code = OP_JAL_NEAR;
    else if (op->code >= OP_BEQ && op->code <= OP_BGEU)
        op->code += OP_BEQ_NEAR - OP_BEQ;
    else
        return;
    op->imm /= 2;
}

void decode(uint32_t word, unsigned slot, struct op *out) {
    bool is_long = instruction_is_long(word);
    uint32_t w = is_long ? word : compressed_expand(word);
    *out = (struct op){.code = OP_ILLEGAL, .imm = is_long ? word : word & 0xffff};
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if ((w & table[i].mask) != table[i].match)
            continue;
        uint8_t rd = field(w, 7, 5);
        *out = (struct op){.code = table[i].code,
                           .rd = rd == 0 && !is_float(table[i].code) ? 32 : rd,
                           .rs1 = field(w, 15, 5),
                           .rs2 = field(w, 20, 5),
                           .imm = immediate(w, table[i].format)};
        make_near(out, slot);
        break;
    }
    out->code += is_long;
}
