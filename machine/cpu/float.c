/* The instructions of F and D but for loads and stores (unprivileged specification, chapters
 * 11 and 12). The arithmetic is machine/fpu. */
#include "machine/cpu/bits.h"
#include "machine/cpu/execute.h"
#include "machine/fpu/fpu.h"

#define F32_NAN 0x7fc00000u
#define F32_SIGN 0x80000000u
#define F64_SIGN (1ull << 63)

enum { FMT_S = 0, FMT_D = 1, RM_DYNAMIC = 7 };

/* A single that is not boxed reads as the canonical NaN: 12.2. */
static uint32_t single(const struct hart *hart, unsigned r) {
    return (hart->f[r] & NAN_BOX) == NAN_BOX ? (uint32_t)hart->f[r] : F32_NAN;
}

struct operation {
    uint32_t w;
    unsigned rd, rs1, rs2, rs3, rm, format;
    unsigned flags;
};

static void put_f(struct hart *hart, const struct operation *o, uint64_t value) {
    hart->f[o->rd] = o->format == FMT_S ? NAN_BOX | (uint32_t)value : value;
}
static void put_x(struct hart *hart, const struct operation *o, uint64_t value) {
    hart->x[o->rd == 0 ? 32 : o->rd] = value;
}

/* FMADD, FMSUB, FNMSUB, FNMADD: bits 2 and 3 of the opcode. */
static void fused(struct hart *hart, struct operation *o) {
    unsigned kind = (unsigned)field(o->w, 2, 2);
    bool negate_product = kind >= 2, negate_sum = kind == 1 || kind == 3;
    if (o->format == FMT_S) {
        uint32_t a = single(hart, o->rs1), c = single(hart, o->rs3);
        put_f(hart, o,
              f32_fma(negate_product ? a ^ F32_SIGN : a, single(hart, o->rs2),
                      negate_sum ? c ^ F32_SIGN : c, o->rm, &o->flags));
    } else {
        uint64_t a = hart->f[o->rs1], c = hart->f[o->rs3];
        put_f(hart, o,
              f64_fma(negate_product ? a ^ F64_SIGN : a, hart->f[o->rs2],
                      negate_sum ? c ^ F64_SIGN : c, o->rm, &o->flags));
    }
}

static bool sign_injected(struct hart *hart, struct operation *o) {
    bool s = o->format == FMT_S;
    uint64_t sign = s ? F32_SIGN : F64_SIGN;
    uint64_t a = s ? single(hart, o->rs1) : hart->f[o->rs1];
    uint64_t b = s ? single(hart, o->rs2) : hart->f[o->rs2];
    switch (field(o->w, 12, 3)) {
    case 0: break;
    case 1: b = ~b; break;
    case 2: b ^= a; break;
    default: return false;
    }
    put_f(hart, o, (a & ~sign) | (b & sign));
    return true;
}

static bool min_max(struct hart *hart, struct operation *o) {
    unsigned max = (unsigned)field(o->w, 12, 3);
    if (max > 1)
        return false;
    if (o->format == FMT_S) {
        uint32_t a = single(hart, o->rs1), b = single(hart, o->rs2);
        put_f(hart, o, max ? f32_max(a, b, &o->flags) : f32_min(a, b, &o->flags));
    } else {
        uint64_t a = hart->f[o->rs1], b = hart->f[o->rs2];
        put_f(hart, o, max ? f64_max(a, b, &o->flags) : f64_min(a, b, &o->flags));
    }
    return true;
}

static bool compared(struct hart *hart, struct operation *o) {
    uint32_t a = single(hart, o->rs1), b = single(hart, o->rs2);
    uint64_t c = hart->f[o->rs1], d = hart->f[o->rs2];
    bool s = o->format == FMT_S;
    switch (field(o->w, 12, 3)) {
    case 0: put_x(hart, o, s ? f32_le(a, b, &o->flags) : f64_le(c, d, &o->flags)); return true;
    case 1: put_x(hart, o, s ? f32_lt(a, b, &o->flags) : f64_lt(c, d, &o->flags)); return true;
    case 2: put_x(hart, o, s ? f32_eq(a, b, &o->flags) : f64_eq(c, d, &o->flags)); return true;
    default: return false;
    }
}

/* Results of 32 bits are sign-extended, unsigned ones too: 11.7. */
static uint64_t to_integer(struct hart *hart, struct operation *o) {
    uint32_t a = single(hart, o->rs1);
    uint64_t b = hart->f[o->rs1];
    bool s = o->format == FMT_S;
    unsigned rm = o->rm, *flags = &o->flags;
    switch (o->rs2) {
    case 0: return (uint64_t)(int64_t)(s ? f32_to_i32(a, rm, flags) : f64_to_i32(b, rm, flags));
    case 1:
        return (uint64_t)(int64_t)(int32_t)(s ? f32_to_u32(a, rm, flags)
                                              : f64_to_u32(b, rm, flags));
    case 2: return (uint64_t)(s ? f32_to_i64(a, rm, flags) : f64_to_i64(b, rm, flags));
    default: return s ? f32_to_u64(a, rm, flags) : f64_to_u64(b, rm, flags);
    }
}

static uint64_t from_integer(struct hart *hart, struct operation *o) {
    uint64_t x = hart->x[o->rs1];
    bool s = o->format == FMT_S;
    unsigned rm = o->rm, *flags = &o->flags;
    switch (o->rs2) {
    case 0: return s ? f32_from_i32((int32_t)x, rm, flags) : f64_from_i32((int32_t)x, rm, flags);
    case 1: return s ? f32_from_u32((uint32_t)x, rm, flags) : f64_from_u32((uint32_t)x, rm, flags);
    case 2: return s ? f32_from_i64((int64_t)x, rm, flags) : f64_from_i64((int64_t)x, rm, flags);
    default: return s ? f32_from_u64(x, rm, flags) : f64_from_u64(x, rm, flags);
    }
}

/* FMV.X.W, FMV.X.D, FCLASS */
static bool moved_to_x(struct hart *hart, struct operation *o) {
    bool s = o->format == FMT_S;
    if (o->rs2 != 0)
        return false;
    switch (field(o->w, 12, 3)) {
    case 0: put_x(hart, o, s ? (uint64_t)sext(hart->f[o->rs1], 32) : hart->f[o->rs1]); return true;
    case 1:
        put_x(hart, o, s ? f32_class(single(hart, o->rs1)) : f64_class(hart->f[o->rs1]));
        return true;
    default: return false;
    }
}

static void arithmetic(struct hart *hart, struct operation *o, unsigned function) {
    bool s = o->format == FMT_S;
    uint32_t a = single(hart, o->rs1), b = single(hart, o->rs2);
    uint64_t c = hart->f[o->rs1], d = hart->f[o->rs2], value;
    unsigned rm = o->rm, *flags = &o->flags;
    switch (function) {
    case 0x00: value = s ? f32_add(a, b, rm, flags) : f64_add(c, d, rm, flags); break;
    case 0x01: value = s ? f32_sub(a, b, rm, flags) : f64_sub(c, d, rm, flags); break;
    case 0x02: value = s ? f32_mul(a, b, rm, flags) : f64_mul(c, d, rm, flags); break;
    case 0x03: value = s ? f32_div(a, b, rm, flags) : f64_div(c, d, rm, flags); break;
    default: value = s ? f32_sqrt(a, rm, flags) : f64_sqrt(c, rm, flags); break;
    }
    put_f(hart, o, value);
}

/* The instructions of opcode OP-FP by funct5; those that round have looked at rm before. */
static bool operate(struct hart *hart, struct operation *o, unsigned function) {
    switch (function) {
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x03: arithmetic(hart, o, function); return true;
    case 0x0b:
        if (o->rs2 != 0)
            return false;
        arithmetic(hart, o, function);
        return true;
    case 0x04: return sign_injected(hart, o);
    case 0x05: return min_max(hart, o);
    case 0x08: /* FCVT.S.D, FCVT.D.S */
        if (o->rs2 > 1 || o->rs2 == o->format)
            return false;
        put_f(hart, o,
              o->format == FMT_S ? f64_to_f32(hart->f[o->rs1], o->rm, &o->flags)
                                 : f32_to_f64(single(hart, o->rs1), o->rm, &o->flags));
        return true;
    case 0x14: return compared(hart, o);
    case 0x18:
        if (o->rs2 > 3)
            return false;
        put_x(hart, o, to_integer(hart, o));
        return true;
    case 0x1a:
        if (o->rs2 > 3)
            return false;
        put_f(hart, o, from_integer(hart, o));
        return true;
    case 0x1c: return moved_to_x(hart, o);
    case 0x1e: /* FMV.W.X, FMV.D.X */
        if (o->rs2 != 0 || field(o->w, 12, 3) != 0)
            return false;
        put_f(hart, o, hart->x[o->rs1]);
        return true;
    default: return false;
    }
}

static bool rounds(unsigned function) {
    return function <= 0x03 || function == 0x0b || function == 0x08 || function == 0x18 ||
           function == 0x1a;
}

bool float_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length) {
    uint32_t w = (uint32_t)op->imm;
    bool is_fused = (w & 0x7f) != 0x53;
    unsigned function = (unsigned)field(w, 27, 5), rm = (unsigned)field(w, 12, 3);
    struct operation o = {.w = w,
                          .rd = (unsigned)field(w, 7, 5),
                          .rs1 = op->rs1,
                          .rs2 = op->rs2,
                          .rs3 = function,
                          .rm = rm == RM_DYNAMIC ? hart->frm : rm,
                          .format = (unsigned)field(w, 25, 2)};
    if ((hart->mstatus & MSTATUS_FS) == 0 || o.format > FMT_D ||
        ((is_fused || rounds(function)) && o.rm > 4))
        return trap_is(hart, CAUSE_ILLEGAL, w);
    if (is_fused)
        fused(hart, &o);
    else if (!operate(hart, &o, function))
        return trap_is(hart, CAUSE_ILLEGAL, w);
    hart->fflags |= (uint8_t)o.flags;
    hart->mstatus |= MSTATUS_FS | MSTATUS_SD;
    return true;
}
