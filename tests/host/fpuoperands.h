/* Operands for floating point: random bits, where it is near the limits of the format, of rounding
 * and of alignment; and what the host takes bits for. */
#pragma once
#include "random64.h"
#include "machine/fpu/number.h"
#include <string.h>

static inline uint64_t random_below(uint64_t n) { return random64() % n; }

/* An exponent field. */
static inline uint64_t random_exponent(const struct format *f) {
    uint64_t most = f->infinity >> f->fraction;
    uint64_t middle = (uint64_t)f->bias, width = f->fraction;
    switch (random_below(10)) {
    case 0: return random_below(most + 1);
    case 1: return random_below(4);                              /* subnormal, or nearly */
    case 2: return most - random_below(4);                       /* not finite, or nearly */
    case 3: return middle - width + random_below(2 * width);     /* near enough to add */
    case 4: return middle / 2 - width + random_below(2 * width); /* the product is at the limit */
    case 5: return middle * 3 / 2 - 3 + random_below(7);
    case 6: return middle + 20 + random_below(50); /* the ranges of integers end here */
    default: return middle - 3 + random_below(7);
    }
}

/* A fraction field: few bits set, few clear, or any. */
static inline uint64_t random_fraction(const struct format *f) {
    uint64_t all = (1ull << f->fraction) - 1;
    switch (random_below(8)) {
    case 0: return 0;
    case 1: return random_below(4);
    case 2: return all - random_below(4);
    case 3: return 1ull << random_below(f->fraction);
    case 4: return all ^ 1ull << random_below(f->fraction);
    case 5: return (random64() & all) << f->fraction / 2 & all;
    default: return random64() & all;
    }
}

static inline uint64_t random_operand(const struct format *f) {
    uint64_t sign = random_below(2) ? f->sign : 0;
    return sign | random_exponent(f) << f->fraction | random_fraction(f);
}

/* b close to a, in one of three cases; or any. */
static inline uint64_t random_partner(const struct format *f, uint64_t a) {
    uint64_t sign = random_below(2) ? f->sign : 0;
    uint64_t near = (a + random_below(5) - 2) & (f->sign | (f->sign - 1));
    return random_below(3) ? random_operand(f) : near ^ sign;
}

static inline float f32_value(uint64_t bits) {
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof(value));
    return value;
}

static inline double f64_value(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}
