/* A floating-point number taken apart, which is where both formats are the same.
 *
 * Operations test for NaN and infinity on the bits, unpack what is finite, work on struct number
 * with nothing lost but what `low` remembers, and round once, in pack. */
#pragma once
#include "machine/fpu/fpu.h"

struct format {
    unsigned fraction; /* bits of the fraction field */
    int bias;          /* of the exponent field */
    uint64_t sign;     /* the sign bit; all bits below it are the magnitude */
    uint64_t infinity; /* its magnitude; larger magnitudes are NaNs */
    uint64_t nan;      /* the canonical NaN */
};

static const struct format f32 = {23, 127, 0x80000000, 0x7f800000, 0x7fc00000};
static const struct format f64 = {52, 1023, 0x8000000000000000, 0x7ff0000000000000,
                                  0x7ff8000000000000};

/* A finite number: 2 to the exponent, times high.low with the point behind the topmost bit of
 * high. That bit is set, unless the number is zero. The lowest bit of low may be sticky: it says
 * that something below it, and not zero, was cut off. */
struct number {
    bool negative;
    int exponent;
    uint64_t high, low;
};

static inline uint64_t magnitude(const struct format *f, uint64_t a) { return a & (f->sign - 1); }

static inline bool is_negative(const struct format *f, uint64_t a) { return a & f->sign; }

static inline bool is_zero(const struct format *f, uint64_t a) { return magnitude(f, a) == 0; }

static inline bool is_finite(const struct format *f, uint64_t a) {
    return magnitude(f, a) < f->infinity;
}

static inline bool is_infinity(const struct format *f, uint64_t a) {
    return magnitude(f, a) == f->infinity;
}

static inline bool is_nan(const struct format *f, uint64_t a) {
    return magnitude(f, a) > f->infinity;
}

static inline bool is_signaling(const struct format *f, uint64_t a) {
    return is_nan(f, a) && (a & f->nan) != f->nan;
}

/* The result of an invalid operation. */
static inline uint64_t invalid(const struct format *f, unsigned *flags) {
    *flags |= FPU_NV;
    return f->nan;
}

/* x moved down by n bits, any number of them, without a change of its exponent. */
static inline struct number shift_right(struct number x, unsigned n) {
    for (unsigned word = 0; word < 2 && n >= 64; word++, n -= 64) {
        x.low = x.high | (x.low != 0);
        x.high = 0;
    }
    if (n >= 64) {
        x.low = x.low != 0;
    } else if (n > 0) {
        bool lost = x.low << (64 - n);
        x.low = x.low >> n | x.high << (64 - n) | lost;
        x.high >>= n;
    }
    return x;
}

/* x, which is not zero, with its topmost bit where it belongs. */
static inline struct number normalize(struct number x) {
    if (x.high == 0) {
        x.high = x.low;
        x.low = 0;
        x.exponent -= 64;
    }
    int n = __builtin_clzll(x.high);
    if (n > 0) {
        x.high = x.high << n | x.low >> (64 - n);
        x.low <<= n;
        x.exponent -= n;
    }
    return x;
}

/* The number with these bits, which are finite. */
static inline struct number unpack(const struct format *f, uint64_t a) {
    struct number x = {.negative = is_negative(f, a)};
    int biased = (int)(magnitude(f, a) >> f->fraction);
    uint64_t hidden = 1ull << f->fraction;
    uint64_t fraction = a & (hidden - 1);
    x.exponent = (biased ? biased : 1) - f->bias;
    x.high = (biased ? fraction | hidden : fraction) << (63 - f->fraction);
    return biased || fraction == 0 ? x : normalize(x);
}

/* Whether rounding goes away from zero, when `rest` (of 2 to the 64) of the last unit is cut
 * off a significand that is odd or not. */
static inline bool rounds_away(unsigned rm, bool negative, bool odd, uint64_t rest) {
    const uint64_t half = 1ull << 63;
    switch (rm) {
    case FPU_RNE: return rest > half || (rest == half && odd);
    case FPU_RTZ: return false;
    case FPU_RDN: return negative && rest > 0;
    case FPU_RUP: return !negative && rest > 0;
    default: return rest >= half; /* RMM */
    }
}

/* The bits of x, rounded, with the flags that this raises. */
uint64_t pack(const struct format *f, struct number x, unsigned rm, unsigned *flags);
