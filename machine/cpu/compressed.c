/* The compressed instructions as those of 32 bits (unprivileged specification, chapter 16). */
#include "machine/cpu/bits.h"
#include "machine/cpu/decode.h"

enum {
    LOAD = 0x03,
    LOAD_FP = 0x07,
    OP_IMM = 0x13,
    OP_IMM_32 = 0x1b,
    STORE = 0x23,
    STORE_FP = 0x27,
    OP_REG = 0x33,
    LUI = 0x37,
    OP_REG_32 = 0x3b,
    BRANCH = 0x63,
    JALR = 0x67,
    JAL = 0x6f,
    EBREAK = 0x00100073,
    RA = 1,
    SP = 2
};

static uint32_t itype(unsigned opcode, unsigned funct3, unsigned rd, unsigned rs1, int64_t imm) {
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | (uint32_t)(imm & 0xfff) << 20;
}
static uint32_t rtype(unsigned opcode, unsigned funct3, unsigned funct7, unsigned rd, unsigned rs1,
                      unsigned rs2) {
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25;
}
static uint32_t stype(unsigned opcode, unsigned funct3, unsigned rs1, unsigned rs2, uint64_t imm) {
    return opcode | (uint32_t)field(imm, 0, 5) << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 |
           (uint32_t)field(imm, 5, 7) << 25;
}
static uint32_t btype(unsigned funct3, unsigned rs1, int64_t imm) {
    return BRANCH | (uint32_t)field(imm, 11, 1) << 7 | (uint32_t)field(imm, 1, 4) << 8 |
           funct3 << 12 | rs1 << 15 | (uint32_t)field(imm, 5, 6) << 25 |
           (uint32_t)field(imm, 12, 1) << 31;
}
static uint32_t jtype(unsigned rd, int64_t imm) {
    return JAL | rd << 7 | (uint32_t)field(imm, 12, 8) << 12 | (uint32_t)field(imm, 11, 1) << 20 |
           (uint32_t)field(imm, 1, 10) << 21 | (uint32_t)field(imm, 20, 1) << 31;
}

/* The registers of three bits: x8 to x15. */
static unsigned low_rd(uint16_t c) { return 8 + field(c, 2, 3); }
static unsigned low_rs1(uint16_t c) { return 8 + field(c, 7, 3); }

/* Offsets of loads and stores, 16.3. */
static uint64_t offset_w(uint16_t c) {
    return field(c, 10, 3) << 3 | field(c, 6, 1) << 2 | field(c, 5, 1) << 6;
}
static uint64_t offset_d(uint16_t c) { return field(c, 10, 3) << 3 | field(c, 5, 2) << 6; }
static uint64_t offset_lwsp(uint16_t c) {
    return field(c, 12, 1) << 5 | field(c, 4, 3) << 2 | field(c, 2, 2) << 6;
}
static uint64_t offset_ldsp(uint16_t c) {
    return field(c, 12, 1) << 5 | field(c, 5, 2) << 3 | field(c, 2, 3) << 6;
}
static uint64_t offset_swsp(uint16_t c) { return field(c, 9, 4) << 2 | field(c, 7, 2) << 6; }
static uint64_t offset_sdsp(uint16_t c) { return field(c, 10, 3) << 3 | field(c, 7, 3) << 6; }

static int64_t imm6(uint16_t c) { return sext(field(c, 12, 1) << 5 | field(c, 2, 5), 6); }
static unsigned shamt6(uint16_t c) { return field(c, 12, 1) << 5 | field(c, 2, 5); }
static int64_t jump_offset(uint16_t c) {
    return sext(field(c, 12, 1) << 11 | field(c, 11, 1) << 4 | field(c, 9, 2) << 8 |
                    field(c, 8, 1) << 10 | field(c, 7, 1) << 6 | field(c, 6, 1) << 7 |
                    field(c, 3, 3) << 1 | field(c, 2, 1) << 5,
                12);
}
static int64_t branch_offset(uint16_t c) {
    return sext(field(c, 12, 1) << 8 | field(c, 10, 2) << 3 | field(c, 5, 2) << 6 |
                    field(c, 3, 2) << 1 | field(c, 2, 1) << 5,
                9);
}

static uint32_t quadrant0(uint16_t c) {
    switch (c >> 13) {
    case 0: { /* C.ADDI4SPN */
        uint64_t imm = field(c, 11, 2) << 4 | field(c, 7, 4) << 6 | field(c, 6, 1) << 2 |
                       field(c, 5, 1) << 3;
        return imm == 0 ? 0 : itype(OP_IMM, 0, low_rd(c), SP, (int64_t)imm);
    }
    case 1: return itype(LOAD_FP, 3, low_rd(c), low_rs1(c), (int64_t)offset_d(c));
    case 2: return itype(LOAD, 2, low_rd(c), low_rs1(c), (int64_t)offset_w(c));
    case 3: return itype(LOAD, 3, low_rd(c), low_rs1(c), (int64_t)offset_d(c));
    case 5: return stype(STORE_FP, 3, low_rs1(c), low_rd(c), offset_d(c));
    case 6: return stype(STORE, 2, low_rs1(c), low_rd(c), offset_w(c));
    case 7: return stype(STORE, 3, low_rs1(c), low_rd(c), offset_d(c));
    default: return 0;
    }
}

/* C.SRLI, C.SRAI, C.ANDI and those of two registers. */
static uint32_t arithmetic(uint16_t c) {
    unsigned rd = low_rs1(c), rs2 = low_rd(c);
    switch (field(c, 10, 2)) {
    case 0: return itype(OP_IMM, 5, rd, rd, shamt6(c));
    case 1: return itype(OP_IMM, 5, rd, rd, 0x400 | shamt6(c));
    case 2: return itype(OP_IMM, 7, rd, rd, imm6(c));
    }
    switch (field(c, 12, 1) << 2 | field(c, 5, 2)) {
    case 0: return rtype(OP_REG, 0, 0x20, rd, rd, rs2);    /* SUB */
    case 1: return rtype(OP_REG, 4, 0, rd, rd, rs2);       /* XOR */
    case 2: return rtype(OP_REG, 6, 0, rd, rd, rs2);       /* OR */
    case 3: return rtype(OP_REG, 7, 0, rd, rd, rs2);       /* AND */
    case 4: return rtype(OP_REG_32, 0, 0x20, rd, rd, rs2); /* SUBW */
    case 5: return rtype(OP_REG_32, 0, 0, rd, rd, rs2);    /* ADDW */
    default: return 0;
    }
}

static uint32_t quadrant1(uint16_t c) {
    unsigned rd = field(c, 7, 5);
    switch (c >> 13) {
    case 0: return itype(OP_IMM, 0, rd, rd, imm6(c));
    case 1: return rd == 0 ? 0 : itype(OP_IMM_32, 0, rd, rd, imm6(c));
    case 2: return itype(OP_IMM, 0, rd, 0, imm6(c));
    case 3:
        if (imm6(c) == 0)
            return 0;
        if (rd == SP) /* C.ADDI16SP */
            return itype(OP_IMM, 0, SP, SP,
                         sext(field(c, 12, 1) << 9 | field(c, 6, 1) << 4 | field(c, 5, 1) << 6 |
                                  field(c, 3, 2) << 7 | field(c, 2, 1) << 5,
                              10));
        return LUI | rd << 7 | ((uint32_t)imm6(c) << 12);
    case 4: return arithmetic(c);
    case 5: return jtype(0, jump_offset(c));
    case 6: return btype(0, low_rs1(c), branch_offset(c));
    default: return btype(1, low_rs1(c), branch_offset(c));
    }
}

/* C.JR, C.MV, C.EBREAK, C.JALR, C.ADD */
static uint32_t jumps_and_moves(uint16_t c) {
    unsigned rd = field(c, 7, 5), rs2 = field(c, 2, 5);
    bool second = field(c, 12, 1);
    if (rs2 != 0)
        return rtype(OP_REG, 0, 0, rd, second ? rd : 0, rs2);
    if (rd != 0)
        return itype(JALR, 0, second ? RA : 0, rd, 0);
    return second ? EBREAK : 0;
}

static uint32_t quadrant2(uint16_t c) {
    unsigned rd = field(c, 7, 5), rs2 = field(c, 2, 5);
    switch (c >> 13) {
    case 0: return itype(OP_IMM, 1, rd, rd, shamt6(c));
    case 1: return itype(LOAD_FP, 3, rd, SP, (int64_t)offset_ldsp(c));
    case 2: return rd == 0 ? 0 : itype(LOAD, 2, rd, SP, (int64_t)offset_lwsp(c));
    case 3: return rd == 0 ? 0 : itype(LOAD, 3, rd, SP, (int64_t)offset_ldsp(c));
    case 4: return jumps_and_moves(c);
    case 5: return stype(STORE_FP, 3, SP, rs2, offset_sdsp(c));
    case 6: return stype(STORE, 2, SP, rs2, offset_swsp(c));
    default: return stype(STORE, 3, SP, rs2, offset_sdsp(c));
    }
}

uint32_t compressed_expand(uint16_t c) {
    switch (c & 3) {
    case 0: return quadrant0(c);
    case 1: return quadrant1(c);
    default: return quadrant2(c);
    }
}
