/* sources: machine/fpu/arithmetic.c machine/fpu/pack.c machine/fpu/compare.c */
/* sources: machine/fpu/convert.c */
/* What RISC-V settles about floating point and a host's does not show: the canonical NaN and what
 * is invalid, saturation, classes, minimum and maximum, and rounding to the larger magnitude. */
#include "fpuoperands.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { RNE = FPU_RNE, RTZ = FPU_RTZ, RDN = FPU_RDN, RUP = FPU_RUP, RMM = FPU_RMM };
enum { NX = FPU_NX, UF = FPU_UF, OF = FPU_OF, DZ = FPU_DZ, NV = FPU_NV };
#define MODES 5

#define NAN32 0x7fc00000
#define NAN64 0x7ff8000000000000
#define QUIET32 0xffc12345
#define QUIET64 0xfff8000012345678
#define SIGNALING32 0x7f800001
#define SIGNALING64 0xfff0000000000001
#define INF32 0x7f800000
#define INF64 0x7ff0000000000000
#define MAX32 0x7f7fffff
#define MAX64 0x7fefffffffffffff
#define ONE32 0x3f800000
#define ONE64 0x3ff0000000000000
#define MINUS32 0x80000000
#define MINUS64 0x8000000000000000

/* The call's value, and that it raises these flags and no other. Flags that stand stay. */
#define CHECK(call, bits, raised) \
    do { \
        unsigned flags = 0; \
        assert_int_equal(call, bits); \
        assert_int_equal(flags, raised); \
        flags = 31 & ~(unsigned)(raised); \
        assert_int_equal(call, bits); \
        assert_int_equal(flags, 31); \
    } while (0)

/* ---- NaN ---- */

#define NAN_OF(f, nan, one, with, raised) \
    do { \
        CHECK(f##_add(with, one, rm, &flags), nan, raised); \
        CHECK(f##_add(one, with, rm, &flags), nan, raised); \
        CHECK(f##_sub(one, with, rm, &flags), nan, raised); \
        CHECK(f##_mul(with, one, rm, &flags), nan, raised); \
        CHECK(f##_mul(one, with, rm, &flags), nan, raised); \
        CHECK(f##_div(with, one, rm, &flags), nan, raised); \
        CHECK(f##_div(with, 0, rm, &flags), nan, raised); \
        CHECK(f##_sqrt(with, rm, &flags), nan, raised); \
        CHECK(f##_fma(with, one, one, rm, &flags), nan, raised); \
        CHECK(f##_fma(one, with, one, rm, &flags), nan, raised); \
        CHECK(f##_fma(one, one, with, rm, &flags), nan, raised); \
    } while (0)

static void a_nan_becomes_the_canonical_one(void **state) {
    for (unsigned rm = 0; rm < MODES; rm++) {
        NAN_OF(f32, NAN32, ONE32, QUIET32, 0);
        NAN_OF(f32, NAN32, ONE32, SIGNALING32, NV);
        NAN_OF(f64, NAN64, ONE64, QUIET64, 0);
        NAN_OF(f64, NAN64, ONE64, SIGNALING64, NV);
        CHECK(f32_to_f64(QUIET32, rm, &flags), NAN64, 0);
        CHECK(f32_to_f64(SIGNALING32, rm, &flags), NAN64, NV);
        CHECK(f64_to_f32(QUIET64, rm, &flags), NAN32, 0);
        CHECK(f64_to_f32(SIGNALING64, rm, &flags), NAN32, NV);
    }
}

#define INVALID(f, nan, one, inf, minus, quiet) \
    do { \
        CHECK(f##_add(inf, (minus) | (inf), rm, &flags), nan, NV); \
        CHECK(f##_sub(inf, inf, rm, &flags), nan, NV); \
        CHECK(f##_mul(inf, minus, rm, &flags), nan, NV); \
        CHECK(f##_mul(0, inf, rm, &flags), nan, NV); \
        CHECK(f##_div(0, minus, rm, &flags), nan, NV); \
        CHECK(f##_div(inf, inf, rm, &flags), nan, NV); \
        CHECK(f##_sqrt((minus) | 1, rm, &flags), nan, NV); \
        CHECK(f##_sqrt((minus) | (inf), rm, &flags), nan, NV); \
        CHECK(f##_fma(inf, one, (minus) | (inf), rm, &flags), nan, NV); \
        CHECK(f##_fma(inf, 0, one, rm, &flags), nan, NV); \
        CHECK(f##_fma(0, inf, inf, rm, &flags), nan, NV); \
        CHECK(f##_fma(inf, 0, quiet, rm, &flags), nan, NV); \
        CHECK(f##_fma(0, inf, quiet, rm, &flags), nan, NV); \
    } while (0)

static void invalid_operations(void **state) {
    for (unsigned rm = 0; rm < MODES; rm++) {
        INVALID(f32, NAN32, ONE32, INF32, MINUS32, QUIET32);
        INVALID(f64, NAN64, ONE64, INF64, MINUS64, QUIET64);
    }
}

#define INFINITE(f, one, inf, minus, max) \
    do { \
        CHECK(f##_add(inf, inf, rm, &flags), inf, 0); \
        CHECK(f##_sub(one, inf, rm, &flags), (minus) | (inf), 0); \
        CHECK(f##_mul(inf, (minus) | (one), rm, &flags), (minus) | (inf), 0); \
        CHECK(f##_div((minus) | (one), 0, rm, &flags), (minus) | (inf), DZ); \
        CHECK(f##_div(inf, minus, rm, &flags), (minus) | (inf), 0); \
        CHECK(f##_div(one, (minus) | (inf), rm, &flags), minus, 0); \
        CHECK(f##_sqrt(inf, rm, &flags), inf, 0); \
        CHECK(f##_sqrt(minus, rm, &flags), minus, 0); \
        CHECK(f##_fma(max, max, (minus) | (inf), rm, &flags), (minus) | (inf), 0); \
        CHECK(f##_fma(inf, one, max, rm, &flags), inf, 0); \
    } while (0)

static void infinities_and_zeros(void **state) {
    for (unsigned rm = 0; rm < MODES; rm++) {
        INFINITE(f32, ONE32, INF32, MINUS32, MAX32);
        INFINITE(f64, ONE64, INF64, MINUS64, MAX64);
        CHECK(f64_to_f32(MINUS64 | INF64, rm, &flags), MINUS32 | INF32, 0);
        CHECK(f32_to_f64(INF32, rm, &flags), INF64, 0);
        CHECK(f64_to_f32(MINUS64, rm, &flags), MINUS32, 0);
        CHECK(f32_sub(ONE32, ONE32, rm, &flags), rm == RDN ? MINUS32 : 0, 0);
        CHECK(f64_add(MINUS64, 0, rm, &flags), rm == RDN ? MINUS64 : 0, 0);
        CHECK(f64_add(MINUS64, MINUS64, rm, &flags), MINUS64, 0);
        CHECK(f64_fma(MINUS64 | ONE64, 0, 0, rm, &flags), rm == RDN ? MINUS64 : 0, 0);
        CHECK(f64_from_u64(0, rm, &flags), 0, 0);
    }
}

/* ---- order and classes ---- */

#define EXTREMA(f, one, inf, minus, canonical, quiet, signaling) \
    do { \
        CHECK(f##_min(0, minus, &flags), minus, 0); \
        CHECK(f##_min(minus, 0, &flags), minus, 0); \
        CHECK(f##_max(0, minus, &flags), 0, 0); \
        CHECK(f##_max(minus, 0, &flags), 0, 0); \
        CHECK(f##_min((minus) | (inf), one, &flags), (minus) | (inf), 0); \
        CHECK(f##_max((minus) | (inf), one, &flags), one, 0); \
        CHECK(f##_min(quiet, one, &flags), one, 0); \
        CHECK(f##_max(minus, quiet, &flags), minus, 0); \
        CHECK(f##_min(signaling, one, &flags), one, NV); \
        CHECK(f##_max(one, signaling, &flags), one, NV); \
        CHECK(f##_max(quiet, quiet, &flags), canonical, 0); \
        CHECK(f##_min(quiet, signaling, &flags), canonical, NV); \
    } while (0)

static void minimum_and_maximum(void **state) {
    EXTREMA(f32, ONE32, INF32, MINUS32, NAN32, QUIET32, SIGNALING32);
    EXTREMA(f64, ONE64, INF64, MINUS64, NAN64, QUIET64, SIGNALING64);
}

#define COMPARISONS(f, one, minus, quiet, signaling) \
    do { \
        CHECK(f##_eq(0, minus, &flags), true, 0); \
        CHECK(f##_lt(minus, 0, &flags), false, 0); \
        CHECK(f##_le(0, minus, &flags), true, 0); \
        CHECK(f##_lt((minus) | (one), one, &flags), true, 0); \
        CHECK(f##_le(one, (minus) | (one), &flags), false, 0); \
        CHECK(f##_eq(quiet, quiet, &flags), false, 0); \
        CHECK(f##_eq(one, signaling, &flags), false, NV); \
        CHECK(f##_lt(quiet, one, &flags), false, NV); \
        CHECK(f##_le(one, quiet, &flags), false, NV); \
        CHECK(f##_le(signaling, signaling, &flags), false, NV); \
    } while (0)

static void comparisons(void **state) {
    COMPARISONS(f32, ONE32, MINUS32, QUIET32, SIGNALING32);
    COMPARISONS(f64, ONE64, MINUS64, QUIET64, SIGNALING64);
}

static void classes(void **state) {
    static const uint32_t ends32[] = {
        MINUS32 | INF32, MINUS32 | MAX32, 0x80800000, 0x807fffff, 0x80000001, 0x80000000,
        0x00000000,      0x00000001,      0x007fffff, 0x00800000, MAX32,      INF32,
        0x7f800001,      0xffbfffff,      0x7fc00000, 0xffffffff,
    };
    static const uint64_t ends64[] = {
        MINUS64 | INF64,
        MINUS64 | MAX64,
        0x8010000000000000,
        0x800fffffffffffff,
        0x8000000000000001,
        0x8000000000000000,
        0x0000000000000000,
        0x0000000000000001,
        0x000fffffffffffff,
        0x0010000000000000,
        MAX64,
        INF64,
        0x7ff0000000000001,
        0xfff7ffffffffffff,
        0x7ff8000000000000,
        0xffffffffffffffff,
    };
    static const unsigned bit[] = {0, 1, 1, 2, 2, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9, 9};
    for (unsigned i = 0; i < sizeof(bit) / sizeof(bit[0]); i++) {
        assert_int_equal(f32_class(ends32[i]), 1 << bit[i]);
        assert_int_equal(f64_class(ends64[i]), 1 << bit[i]);
    }
}

/* ---- saturation ---- */

#define SATURATES(f, inf, minus, quiet, signaling) \
    do { \
        CHECK(f##_to_i32(inf, rm, &flags), INT32_MAX, NV); \
        CHECK(f##_to_i32((minus) | (inf), rm, &flags), INT32_MIN, NV); \
        CHECK(f##_to_i32(quiet, rm, &flags), INT32_MAX, NV); \
        CHECK(f##_to_u32(inf, rm, &flags), UINT32_MAX, NV); \
        CHECK(f##_to_u32((minus) | (inf), rm, &flags), 0, NV); \
        CHECK(f##_to_u32(signaling, rm, &flags), UINT32_MAX, NV); \
        CHECK(f##_to_i64(inf, rm, &flags), INT64_MAX, NV); \
        CHECK(f##_to_i64((minus) | (inf), rm, &flags), INT64_MIN, NV); \
        CHECK(f##_to_i64(quiet, rm, &flags), INT64_MAX, NV); \
        CHECK(f##_to_u64(inf, rm, &flags), UINT64_MAX, NV); \
        CHECK(f##_to_u64((minus) | (inf), rm, &flags), 0, NV); \
        CHECK(f##_to_u64((minus) | (quiet), rm, &flags), UINT64_MAX, NV); \
    } while (0)

static void integers_saturate(void **state) {
    for (unsigned rm = 0; rm < MODES; rm++) {
        SATURATES(f32, INF32, MINUS32, QUIET32, SIGNALING32);
        SATURATES(f64, INF64, MINUS64, QUIET64, SIGNALING64);
        CHECK(f32_to_i32(0xcf000000, rm, &flags), INT32_MIN, 0);           /* -2^31 */
        CHECK(f32_to_i32(0x4f000000, rm, &flags), INT32_MAX, NV);          /* 2^31 */
        CHECK(f32_to_i64(0xdf000000, rm, &flags), INT64_MIN, 0);           /* -2^63 */
        CHECK(f32_to_u64(0x5f000000, rm, &flags), 1ull << 63, 0);          /* 2^63 */
        CHECK(f64_to_u64(0x43f0000000000000, rm, &flags), UINT64_MAX, NV); /* 2^64 */
        CHECK(f64_to_u32(0xbff0000000000000, rm, &flags), 0, NV);          /* -1 */
        CHECK(f64_to_u64(MINUS64, rm, &flags), 0, 0);                      /* -0 */
    }
}

/* What rounding takes over the end of the range, or not. */
static void rounding_decides_about_the_range(void **state) {
    const uint64_t above = 0x41dfffffffe00000; /* 2^31 - 0.5 */
    CHECK(f64_to_i32(above, RTZ, &flags), INT32_MAX, NX);
    CHECK(f64_to_i32(above, RDN, &flags), INT32_MAX, NX);
    CHECK(f64_to_i32(above, RNE, &flags), INT32_MAX, NV);
    CHECK(f64_to_i32(above, RUP, &flags), INT32_MAX, NV);
    CHECK(f64_to_i32(above, RMM, &flags), INT32_MAX, NV);
    const uint64_t below = 0xc1e0000000100000; /* -2^31 - 0.5 */
    CHECK(f64_to_i32(below, RTZ, &flags), INT32_MIN, NX);
    CHECK(f64_to_i32(below, RUP, &flags), INT32_MIN, NX);
    CHECK(f64_to_i32(below, RNE, &flags), INT32_MIN, NX);
    CHECK(f64_to_i32(below, RDN, &flags), INT32_MIN, NV);
    CHECK(f64_to_i32(below, RMM, &flags), INT32_MIN, NV);
    const uint32_t half = 0xbf000000; /* -0.5 */
    CHECK(f32_to_u64(half, RNE, &flags), 0, NX);
    CHECK(f32_to_u64(half, RTZ, &flags), 0, NX);
    CHECK(f32_to_u64(half, RUP, &flags), 0, NX);
    CHECK(f32_to_u64(half, RDN, &flags), 0, NV);
    CHECK(f32_to_u64(half, RMM, &flags), 0, NV);
}

/* ---- rounding ---- */

/* What is rounded from just below the smallest normal number to it is tiny only if it is less
 * than that with an unlimited exponent too. */
static void tininess_is_detected_after_rounding(void **state) {
    const uint32_t least32 = 0x00800000, under32 = 0x3f7fffff; /* 1 - 2^-24 */
    CHECK(f32_mul(least32, under32, RNE, &flags), least32, UF | NX);
    CHECK(f32_mul(least32, under32, RTZ, &flags), least32 - 1, UF | NX);
    CHECK(f32_mul(least32 + 1, 0x3f7ffffe, RNE, &flags), least32, NX);
    CHECK(f32_mul(least32 + 1, 0x3f7ffffe, RMM, &flags), least32, NX);
    CHECK(f32_mul(least32 + 1, 0x3f7ffffe, RUP, &flags), least32, NX);
    CHECK(f32_mul(least32 + 1, 0x3f7ffffe, RDN, &flags), least32 - 1, UF | NX);
    const uint64_t least64 = 0x0010000000000000, under64 = 0x3feffffffffffffe;
    CHECK(f64_mul(least64 + 1, under64, RNE, &flags), least64, NX);
    CHECK(f64_mul(least64 + 1, under64, RTZ, &flags), least64 - 1, UF | NX);
    CHECK(f64_mul(least64, under64, RNE, &flags), least64 - 1, 0);
}

static void overflow_goes_where_the_mode_says(void **state) {
    for (unsigned rm = 0; rm < MODES; rm++) {
        bool up = rm != RTZ && rm != RDN, down = rm != RTZ && rm != RUP;
        CHECK(f32_add(MAX32, MAX32, rm, &flags), up ? INF32 : MAX32, OF | NX);
        CHECK(f64_mul(MINUS64 | MAX64, MAX64, rm, &flags), MINUS64 | (down ? INF64 : MAX64),
              OF | NX);
        CHECK(f64_to_f32(MAX64, rm, &flags), up ? INF32 : MAX32, OF | NX);
    }
}

static void ties_go_to_the_larger_magnitude(void **state) {
    CHECK(f32_to_i32(0x40200000, RMM, &flags), 3, NX);  /* 2.5 */
    CHECK(f32_to_i32(0xc0200000, RMM, &flags), -3, NX); /* -2.5 */
    CHECK(f32_to_i32(0x401fffff, RMM, &flags), 2, NX);
    CHECK(f64_to_i64(0x3fe0000000000000, RMM, &flags), 1, NX); /* 0.5 */
    CHECK(f64_to_i64(0x3fdfffffffffffff, RMM, &flags), 0, NX);
    CHECK(f64_to_i64(1, RMM, &flags), 0, NX);
    CHECK(f32_from_i32(0x1000001, RMM, &flags), 0x4b800001, NX); /* 2^24 + 1 */
    CHECK(f32_from_i32(-0x1000001, RMM, &flags), 0xcb800001, NX);
    CHECK(f32_from_i32(0x1000001, RNE, &flags), 0x4b800000, NX);
    CHECK(f64_from_i64((1ll << 53) + 1, RMM, &flags), 0x4340000000000001, NX);
    CHECK(f64_from_u64(UINT64_MAX, RMM, &flags), 0x43f0000000000000, NX);
    CHECK(f64_add(ONE64, 0x3ca0000000000000, RMM, &flags), ONE64 + 1, NX); /* 1 + 2^-53 */
    CHECK(f64_add(ONE64, 0x3c9fffffffffffff, RMM, &flags), ONE64, NX);
    CHECK(f64_fma(ONE64, ONE64, 0x3ca0000000000000, RMM, &flags), ONE64 + 1, NX);
    CHECK(f64_mul(1, 0x3fe0000000000000, RMM, &flags), 1, UF | NX); /* 2^-1075 */
    CHECK(f64_mul(1, 0x3fe0000000000000, RNE, &flags), 0, UF | NX);
    CHECK(f64_div(1, MINUS64 | 0x4000000000000000, RMM, &flags), MINUS64 | 1, UF | NX);
}

/* The number of binary32 that is next to an exact one, by distances, which a host computes
 * exactly. 2^128 stands in for infinity. */
static uint32_t nearest_or_larger(double exact) {
    double size = fabs(exact);
    uint32_t low = 0, high = INF32; /* low <= size < high */
    if (size >= 0x1p128)
        low = INF32;
    while (high - low > 1 && low < INF32) {
        uint32_t middle = low + (high - low) / 2;
        *(f32_value(middle) <= size ? &low : &high) = middle;
    }
    double next = high == INF32 ? 0x1p128 : f32_value(high);
    if (low < INF32 && next - size <= size - f32_value(low))
        low = high;
    return low | (signbit(exact) ? MINUS32 : 0);
}

/* The product of two numbers of binary32 is exact in binary64, where it is not subnormal. */
static void nearest_or_larger_products(void **state) {
    unsigned flags = 0, ties = 0;
    for (unsigned round = 0; round < 100000; round++) {
        uint32_t a = (uint32_t)random_operand(&f32), b = (uint32_t)random_partner(&f32, a);
        if (!is_finite(&f32, a) || !is_finite(&f32, b))
            continue;
        double exact = (double)f32_value(a) * (double)f32_value(b);
        uint32_t nearest = nearest_or_larger(exact);
        assert_int_equal(f32_mul(a, b, RMM, &flags), nearest);
        assert_int_equal(f32_fma(a, b, nearest & MINUS32, RMM, &flags), nearest);
        ties += f32_mul(a, b, RNE, &flags) != nearest;
    }
    assert_true(ties > 100);
}

static void nearest_or_larger_narrowing(void **state) {
    unsigned flags = 0, ties = 0;
    for (unsigned round = 0; round < 100000; round++) {
        uint64_t a = random_operand(&f64);
        a = (a & ~f64.infinity) | (870 + random_below(290)) << f64.fraction;
        if (round & 1)
            a &= ~0ull << 20;
        uint32_t nearest = nearest_or_larger(f64_value(a));
        assert_int_equal(f64_to_f32(a, RMM, &flags), nearest);
        ties += f64_to_f32(a, RNE, &flags) != nearest;
    }
    assert_true(ties > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nan_becomes_the_canonical_one),
        cmocka_unit_test(invalid_operations),
        cmocka_unit_test(infinities_and_zeros),
        cmocka_unit_test(minimum_and_maximum),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(classes),
        cmocka_unit_test(integers_saturate),
        cmocka_unit_test(rounding_decides_about_the_range),
        cmocka_unit_test(tininess_is_detected_after_rounding),
        cmocka_unit_test(overflow_goes_where_the_mode_says),
        cmocka_unit_test(ties_go_to_the_larger_magnitude),
        cmocka_unit_test(nearest_or_larger_products),
        cmocka_unit_test(nearest_or_larger_narrowing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
