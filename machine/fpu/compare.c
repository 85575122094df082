/* Order, minimum and maximum, and classes (F 2.6, 2.8, 2.9). */
#include "machine/fpu/number.h"

/* An integer in the order of the numbers; both zeros are 0. */
static int64_t rank(const struct format *f, uint64_t a) {
    int64_t m = (int64_t)magnitude(f, a);
    return is_negative(f, a) ? -m : m;
}

/* Whether one is a NaN; then the comparison is false, and invalid where asked for. */
static bool is_unordered(const struct format *f, uint64_t a, uint64_t b, bool quiet,
                         unsigned *flags) {
    bool nan = is_nan(f, a) || is_nan(f, b);
    if (quiet ? is_signaling(f, a) || is_signaling(f, b) : nan)
        *flags |= FPU_NV;
    return nan;
}

static bool eq(const struct format *f, uint64_t a, uint64_t b, unsigned *flags) {
    return !is_unordered(f, a, b, true, flags) && rank(f, a) == rank(f, b);
}

static bool lt(const struct format *f, uint64_t a, uint64_t b, unsigned *flags) {
    return !is_unordered(f, a, b, false, flags) && rank(f, a) < rank(f, b);
}

static bool le(const struct format *f, uint64_t a, uint64_t b, unsigned *flags) {
    return !is_unordered(f, a, b, false, flags) && rank(f, a) <= rank(f, b);
}

static uint64_t extremum(const struct format *f, uint64_t a, uint64_t b, bool max,
                         unsigned *flags) {
    if (is_unordered(f, a, b, true, flags))
        return !is_nan(f, a) ? a : !is_nan(f, b) ? b : f->nan;
    bool below = rank(f, a) < rank(f, b) || (rank(f, a) == rank(f, b) && is_negative(f, a));
    return below != max ? a : b;
}

static unsigned class(const struct format *f, uint64_t a) {
    bool negative = is_negative(f, a);
    if (is_nan(f, a))
        return is_signaling(f, a) ? FPU_SIGNALING_NAN : FPU_QUIET_NAN;
    if (is_infinity(f, a))
        return negative ? FPU_NEGATIVE_INFINITY : FPU_POSITIVE_INFINITY;
    if (is_zero(f, a))
        return negative ? FPU_NEGATIVE_ZERO : FPU_POSITIVE_ZERO;
    if (magnitude(f, a) >> f->fraction == 0)
        return negative ? FPU_NEGATIVE_SUBNORMAL : FPU_POSITIVE_SUBNORMAL;
    return negative ? FPU_NEGATIVE_NORMAL : FPU_POSITIVE_NORMAL;
}

bool f32_eq(uint32_t a, uint32_t b, unsigned *flags) { return eq(&f32, a, b, flags); }
bool f32_lt(uint32_t a, uint32_t b, unsigned *flags) { return lt(&f32, a, b, flags); }
bool f32_le(uint32_t a, uint32_t b, unsigned *flags) { return le(&f32, a, b, flags); }
uint32_t f32_min(uint32_t a, uint32_t b, unsigned *flags) {
    return (uint32_t)extremum(&f32, a, b, false, flags);
}
uint32_t f32_max(uint32_t a, uint32_t b, unsigned *flags) {
    return (uint32_t)extremum(&f32, a, b, true, flags);
}
unsigned f32_class(uint32_t a) { return class(&f32, a); }

bool f64_eq(uint64_t a, uint64_t b, unsigned *flags) { return eq(&f64, a, b, flags); }
bool f64_lt(uint64_t a, uint64_t b, unsigned *flags) { return lt(&f64, a, b, flags); }
bool f64_le(uint64_t a, uint64_t b, unsigned *flags) { return le(&f64, a, b, flags); }
uint64_t f64_min(uint64_t a, uint64_t b, unsigned *flags) {
    return extremum(&f64, a, b, false, flags);
}
uint64_t f64_max(uint64_t a, uint64_t b, unsigned *flags) {
    return extremum(&f64, a, b, true, flags);
}
unsigned f64_class(uint64_t a) { return class(&f64, a); }
