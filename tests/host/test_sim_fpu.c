/* sources: machine/fpu/arithmetic.c machine/fpu/pack.c machine/fpu/compare.c */
/* sources: machine/fpu/convert.c */
/* Software floating point against the host's own, for random operands of all kinds, in the four
 * modes that a host has. What RISC-V settles and a host may do otherwise is not asked of it: the
 * payload of a NaN, and which integer stands for what is out of range. */
#include "fpuoperands.h"
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 40000

static const int host_mode[] = {
    [FPU_RNE] = FE_TONEAREST,
    [FPU_RTZ] = FE_TOWARDZERO,
    [FPU_RDN] = FE_DOWNWARD,
    [FPU_RUP] = FE_UPWARD,
};
#define MODES (sizeof(host_mode) / sizeof(host_mode[0]))

/* All hosts but those that detect tininess before rounding, such as Arm's, underflow as we do. */
static unsigned comparable = FPU_NX | FPU_UF | FPU_OF | FPU_DZ | FPU_NV;

/* From here to host_end the host computes in this mode. Operands and results of what it computes
 * are volatile, so that the compiler leaves them in between. */
static void host_begin(unsigned rm) {
    fesetround(host_mode[rm]);
    feclearexcept(FE_ALL_EXCEPT);
}

static unsigned host_end(void) {
    int raised = fetestexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    return (raised & FE_INEXACT ? FPU_NX : 0u) | (raised & FE_UNDERFLOW ? FPU_UF : 0u) |
           (raised & FE_OVERFLOW ? FPU_OF : 0u) | (raised & FE_DIVBYZERO ? FPU_DZ : 0u) |
           (raised & FE_INVALID ? FPU_NV : 0u);
}

static uint64_t f32_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return is_nan(&f32, bits) ? f32.nan : bits;
}

static uint64_t f64_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return is_nan(&f64, bits) ? f64.nan : bits;
}

struct result {
    uint64_t bits;
    unsigned flags;
};

static void expect(const char *what, const uint64_t operand[3], unsigned rm, struct result ours,
                   struct result host) {
    ours.flags &= comparable;
    host.flags &= comparable;
    if (ours.bits != host.bits || ours.flags != host.flags)
        fail_msg("%s %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " mode %u: %#" PRIx64
                 " flags %u, and not %#" PRIx64 " flags %u",
                 what, operand[0], operand[1], operand[2], rm, ours.bits, ours.flags, host.bits,
                 host.flags);
}

/* ---- arithmetic ---- */

struct operation {
    const char *name;
    const struct format *format;
    uint64_t (*ours)(const uint64_t *operand, unsigned rm, unsigned *flags);
    uint64_t (*host)(const uint64_t *operand);
};

#define OPERATION(f, real, name, ours, theirs) \
    static uint64_t ours_##f##_##name(const uint64_t *o, unsigned rm, unsigned *flags) { \
        return ours; \
    } \
    static uint64_t host_##f##_##name(const uint64_t *o) { \
        volatile real v[] = {f##_value(o[0]), f##_value(o[1]), f##_value(o[2])}; \
        volatile real result = theirs; \
        return f##_bits(result); \
    }
#define OPERATIONS(f, bits, real, host_sqrt, host_fma) \
    OPERATION(f, real, add, f##_add((bits)o[0], (bits)o[1], rm, flags), v[0] + v[1]) \
    OPERATION(f, real, sub, f##_sub((bits)o[0], (bits)o[1], rm, flags), v[0] - v[1]) \
    OPERATION(f, real, mul, f##_mul((bits)o[0], (bits)o[1], rm, flags), v[0] * v[1]) \
    OPERATION(f, real, div, f##_div((bits)o[0], (bits)o[1], rm, flags), v[0] / v[1]) \
    OPERATION(f, real, sqrt, f##_sqrt((bits)o[0], rm, flags), host_sqrt(v[0])) \
    OPERATION(f, real, fma, f##_fma((bits)o[0], (bits)o[1], (bits)o[2], rm, flags), \
              host_fma(v[0], v[1], v[2]))
OPERATIONS(f32, uint32_t, float, sqrtf, fmaf)
OPERATIONS(f64, uint64_t, double, sqrt, fma)

#define ROW(f, name) \
    { #f "_" #name, &f, ours_##f##_##name, host_##f##_##name }
static const struct operation operations[] = {
    ROW(f32, add), ROW(f32, sub), ROW(f32, mul), ROW(f32, div), ROW(f32, sqrt), ROW(f32, fma),
    ROW(f64, add), ROW(f64, sub), ROW(f64, mul), ROW(f64, div), ROW(f64, sqrt), ROW(f64, fma),
};

static struct result run(const struct operation *op, const uint64_t o[3], unsigned rm) {
    struct result ours = {0};
    ours.bits = op->ours(o, rm, &ours.flags);
    return ours;
}

static void compare_operation(const struct operation *op, const uint64_t o[3]) {
    for (unsigned rm = 0; rm < MODES; rm++) {
        host_begin(rm);
        uint64_t bits = op->host(o);
        struct result host = {bits, host_end()};
        /* The specification decides; a host may leave it out. */
        bool invalid_product = (is_infinity(op->format, o[0]) && is_zero(op->format, o[1])) ||
                               (is_zero(op->format, o[0]) && is_infinity(op->format, o[1]));
        if (strstr(op->name, "fma") && invalid_product)
            host.flags = FPU_NV;
        expect(op->name, o, rm, run(op, o, rm), host);
    }
}

static void arithmetic(void **state) {
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const struct operation *op = &operations[i];
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint64_t a = random_operand(op->format), b = random_partner(op->format, a);
            uint64_t c = random_operand(op->format);
            compare_operation(op, (const uint64_t[]){a, b, c});
        }
    }
}

/* Summands that nearly cancel the product. */
static void fused_cancellation(void **state) {
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const struct operation *op = &operations[i];
        if (!strstr(op->name, "fma"))
            continue;
        for (unsigned round = 0; round < ROUNDS; round++) {
            uint64_t a = random_operand(op->format), b = random_operand(op->format);
            uint64_t product = run(op, (const uint64_t[]){a, b, 0}, FPU_RNE).bits;
            uint64_t c = random_partner(op->format, product);
            compare_operation(op, (const uint64_t[]){a, b, c});
        }
    }
}

/* ---- conversions ---- */

#define OURS(call) \
    ({ \
        struct result ours_ = {0}; \
        unsigned *flags = &ours_.flags; \
        ours_.bits = (uint64_t)(call); \
        ours_; \
    })

static void between_formats(void **state) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t narrow[3] = {random_operand(&f32)};
        uint64_t wide[3] = {random_operand(&f64)};
        if (round & 1) /* into the range of f32, or around its ends */
            wide[0] = (wide[0] & ~f64.infinity) | (850 + random_below(320)) << f64.fraction;
        for (unsigned rm = 0; rm < MODES; rm++) {
            volatile float x = f32_value(narrow[0]), less;
            volatile double y = f64_value(wide[0]), more;
            host_begin(rm);
            more = x;
            struct result host = {f64_bits(more), host_end()};
            expect("f32_to_f64", narrow, rm, OURS(f32_to_f64((uint32_t)narrow[0], rm, flags)),
                   host);
            host_begin(rm);
            less = (float)y;
            host = (struct result){f32_bits(less), host_end()};
            expect("f64_to_f32", wide, rm, OURS(f64_to_f32(wide[0], rm, flags)), host);
        }
    }
}

/* The integer, saturated as the specification has it; only rounding is the host's. */
static struct result host_integer(double value, unsigned rm, int64_t low, uint64_t high) {
    const double end = 0x1p63;
    if (isnan(value) || value >= 2 * end)
        return (struct result){high, FPU_NV};
    if (value < -end)
        return (struct result){(uint64_t)low, FPU_NV};
    bool upper = value >= end;
    volatile double x = upper ? value - end : value;
    host_begin(rm);
    volatile long long n = llrint(x);
    unsigned flags = host_end();
    if (!upper && n < low)
        return (struct result){(uint64_t)low, FPU_NV};
    uint64_t bits = upper ? (uint64_t)n | 1ull << 63 : (uint64_t)n;
    if ((upper || n >= 0) && bits > high)
        return (struct result){high, FPU_NV};
    return (struct result){bits, flags};
}

#define TO_INTEGER(f, bits, integer, low, high) \
    expect(#f "_to_" #integer, o, rm, OURS(f##_to_##integer((bits)o[0], rm, flags)), \
           host_integer(f##_value(o[0]), rm, low, high))
#define TO_INTEGERS(f, bits) \
    for (unsigned round = 0; round < ROUNDS; round++) { \
        uint64_t o[3] = {random_operand(&f)}; \
        for (unsigned rm = 0; rm < MODES; rm++) { \
            TO_INTEGER(f, bits, i32, INT32_MIN, INT32_MAX); \
            TO_INTEGER(f, bits, u32, 0, UINT32_MAX); \
            TO_INTEGER(f, bits, i64, INT64_MIN, INT64_MAX); \
            TO_INTEGER(f, bits, u64, 0, UINT64_MAX); \
        } \
    }

static void to_integers(void **state) {
    TO_INTEGERS(f32, uint32_t)
    TO_INTEGERS(f64, uint64_t)
}

/* A host's instructions convert what is signed. Of larger numbers they get the half, with a last
 * bit that says whether anything was cut off. */
#define FROM_INTEGER(f, real, integer, n) \
    do { \
        bool upper = (n) > 0 && (uint64_t)(n) >> 63; \
        volatile int64_t small = upper ? (int64_t)((uint64_t)(n) >> 1 | ((n)&1)) : (int64_t)(n); \
        volatile real x; \
        host_begin(rm); \
        x = (real)small; \
        unsigned raised = host_end(); \
        struct result host = {f##_bits(upper ? x * 2 : x), raised}; \
        expect(#f "_from_" #integer, (const uint64_t[]){(uint64_t)(n), 0, 0}, rm, \
               OURS(f##_from_##integer(n, rm, flags)), host); \
    } while (0)
#define FROM_INTEGERS(integer, type) \
    do { \
        FROM_INTEGER(f32, float, integer, (type)n); \
        FROM_INTEGER(f64, double, integer, (type)n); \
    } while (0)

static void from_integers(void **state) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t n = random64() >> random_below(64);
        if (round & 1) /* ties, and runs of ones that carry */
            n = (n | 1ull << random_below(64)) - random_below(3);
        if (round & 2)
            n = -n;
        for (unsigned rm = 0; rm < MODES; rm++) {
            FROM_INTEGERS(i32, int32_t);
            FROM_INTEGERS(u32, uint32_t);
            FROM_INTEGERS(i64, int64_t);
            FROM_INTEGERS(u64, uint64_t);
        }
    }
}

/* ---- order ---- */

#define ORDER(f, bits, a, b) \
    do { \
        unsigned flags = 0; \
        volatile double x = (double)f##_value(a), y = (double)f##_value(b); \
        bool nan = is_nan(&f, a) || is_nan(&f, b); \
        bool signaling = is_signaling(&f, a) || is_signaling(&f, b); \
        assert_int_equal(f##_eq((bits)(a), (bits)(b), &flags), x == y); \
        assert_int_equal(flags, signaling ? FPU_NV : 0); \
        flags = 0; \
        assert_int_equal(f##_lt((bits)(a), (bits)(b), &flags), x < y); \
        assert_int_equal(flags, nan ? FPU_NV : 0); \
        flags = 0; \
        assert_int_equal(f##_le((bits)(a), (bits)(b), &flags), x <= y); \
        assert_int_equal(flags, nan ? FPU_NV : 0); \
        if (!nan && x != y) { \
            assert_int_equal(f##_min((bits)(a), (bits)(b), &flags), x < y ? a : b); \
            assert_int_equal(f##_max((bits)(a), (bits)(b), &flags), x < y ? b : a); \
        } \
    } while (0)

static void order(void **state) {
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t a = random_operand(&f32), b = random_partner(&f32, a);
        ORDER(f32, uint32_t, a, b);
        a = random_operand(&f64), b = random_partner(&f64, a);
        ORDER(f64, uint64_t, a, b);
    }
}

static int find_when_the_host_is_tiny(void **state) {
    volatile double above = DBL_MIN * (1 + DBL_EPSILON), below = 1 - DBL_EPSILON, product;
    host_begin(FPU_RNE);
    product = above * below; /* rounds up to DBL_MIN, which is not tiny */
    if (host_end() & FPU_UF)
        comparable &= ~(unsigned)FPU_UF;
    return product == DBL_MIN ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),    cmocka_unit_test(fused_cancellation),
        cmocka_unit_test(order),         cmocka_unit_test(to_integers),
        cmocka_unit_test(from_integers), cmocka_unit_test(between_formats),
    };
    return cmocka_run_group_tests(tests, find_when_the_host_is_tiny, NULL);
}
