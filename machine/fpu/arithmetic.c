/* Sum, product, quotient, root and fused multiply-add (F 2.6, D 3.4). */
#include "machine/fpu/number.h"

/* ---- on numbers ---- */

static bool is_below(const struct number *x, const struct number *y) {
    if (x->exponent != y->exponent)
        return x->exponent < y->exponent;
    return x->high != y->high ? x->high < y->high : x->low < y->low;
}

/* The smaller summand may lose bits and leave a sticky one, but only when it is moved by more
 * than the eleven bits that are free below any operand; the difference then loses at most one
 * leading bit, and the sticky bit stays far below what is rounded. */
static struct number sum(struct number x, struct number y, unsigned rm) {
    if (x.high == 0 && y.high == 0 && x.negative != y.negative)
        x.negative = rm == FPU_RDN;
    if (y.high == 0)
        return x;
    if (x.high == 0)
        return y;
    if (is_below(&x, &y)) {
        struct number larger = y;
        y = x;
        x = larger;
    }

    /* Both go down by one more, to leave room for a carry. */
    y = shift_right(y, (unsigned)(x.exponent - y.exponent) + 1);
    x = shift_right(x, 1);
    x.exponent++;
    if (x.negative == y.negative) {
        x.low += y.low;
        x.high += y.high + (x.low < y.low);
    } else {
        x.high -= y.high + (x.low < y.low);
        x.low -= y.low;
        if (x.high == 0 && x.low == 0)
            return (struct number){.negative = rm == FPU_RDN};
    }
    return normalize(x);
}

static struct number product(struct number x, struct number y) {
    struct number p = {.negative = x.negative != y.negative};
    if (x.high == 0 || y.high == 0)
        return p;
    uint64_t xl = (uint32_t)x.high, xh = x.high >> 32;
    uint64_t yl = (uint32_t)y.high, yh = y.high >> 32;
    uint64_t cross = xh * yl + (xl * yl >> 32); /* has room for both */
    uint64_t middle = xl * yh + (uint32_t)cross;
    p.low = x.high * y.high;
    p.high = xh * yh + (cross >> 32) + (middle >> 32);
    p.exponent = x.exponent + y.exponent + 1;
    return normalize(p);
}

/* Long division, with digits as large as the free bits above a significand: 11 in binary64. */
static struct number quotient(const struct format *f, struct number x, struct number y) {
    struct number q = {.negative = x.negative != y.negative};
    if (x.high == 0)
        return q;
    unsigned digit = 63 - f->fraction;
    uint64_t divisor = y.high >> digit;
    uint64_t rest = x.high >> digit;
    q.high = rest / divisor;
    rest %= divisor;
    unsigned places = 0;
    for (; places < f->fraction + 3; places += digit) {
        rest <<= digit;
        q.high = q.high << digit | rest / divisor;
        rest %= divisor;
    }
    q.low = rest > 0;
    q.exponent = x.exponent - y.exponent + 63 - (int)places;
    return normalize(q);
}

/* The root, bit by bit. rest is what remains of the digits of the square so far, in base 4, and
 * one more bit fits when (2 root + 1) squared, less (2 root) squared, still does. */
static struct number square_root(const struct format *f, struct number x) {
    if (x.high == 0)
        return x;
    bool odd = x.exponent & 1;
    uint64_t digits = odd ? x.high : x.high >> 1; /* the point is behind the first digit */
    uint64_t root = 0, rest = 0;
    unsigned bits = f->fraction + 3;
    for (unsigned i = 0; i < bits; i++) {
        rest = rest << 2 | digits >> 62;
        digits <<= 2;
        uint64_t more = root << 2 | 1;
        uint64_t fits = rest >= more; /* as likely as not: no branch would be foreseen */
        rest -= more & -fits;
        root = root << 1 | fits;
    }
    return (struct number){
        .exponent = (x.exponent - odd) / 2, .high = root << (64 - bits), .low = rest > 0};
}

/* ---- on bits, with NaN and infinity ---- */

/* What a NaN makes of an operation with these operands. */
static uint64_t nan_of(const struct format *f, uint64_t a, uint64_t b, unsigned *flags) {
    return is_signaling(f, a) || is_signaling(f, b) ? invalid(f, flags) : f->nan;
}

static uint64_t add(const struct format *f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    if (is_finite(f, a) && is_finite(f, b))
        return pack(f, sum(unpack(f, a), unpack(f, b), rm), rm, flags);
    if (is_nan(f, a) || is_nan(f, b))
        return nan_of(f, a, b, flags);
    if (is_infinity(f, a) && is_infinity(f, b) && a != b)
        return invalid(f, flags);
    return is_infinity(f, a) ? a : b;
}

static uint64_t mul(const struct format *f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    if (is_finite(f, a) && is_finite(f, b))
        return pack(f, product(unpack(f, a), unpack(f, b)), rm, flags);
    if (is_nan(f, a) || is_nan(f, b))
        return nan_of(f, a, b, flags);
    if (is_zero(f, a) || is_zero(f, b))
        return invalid(f, flags);
    return ((a ^ b) & f->sign) | f->infinity;
}

static uint64_t fused(const struct format *f, uint64_t a, uint64_t b, uint64_t c, unsigned rm,
                      unsigned *flags) {
    if (is_finite(f, a) && is_finite(f, b)) {
        if (is_finite(f, c))
            return pack(f, sum(product(unpack(f, a), unpack(f, b)), unpack(f, c), rm), rm, flags);
        return is_nan(f, c) ? nan_of(f, c, c, flags) : c;
    }
    /* The product is not finite, and exact: what it raises and the sum are two operations. */
    return add(f, mul(f, a, b, rm, flags), c, rm, flags);
}

static uint64_t div(const struct format *f, uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    uint64_t sign = (a ^ b) & f->sign;
    if (is_nan(f, a) || is_nan(f, b))
        return nan_of(f, a, b, flags);
    if ((is_zero(f, a) && is_zero(f, b)) || (is_infinity(f, a) && is_infinity(f, b)))
        return invalid(f, flags);
    if (is_infinity(f, a))
        return sign | f->infinity;
    if (is_infinity(f, b))
        return sign;
    if (is_zero(f, b)) {
        *flags |= FPU_DZ;
        return sign | f->infinity;
    }
    return pack(f, quotient(f, unpack(f, a), unpack(f, b)), rm, flags);
}

static uint64_t root(const struct format *f, uint64_t a, unsigned rm, unsigned *flags) {
    if (is_nan(f, a))
        return nan_of(f, a, a, flags);
    if (is_negative(f, a) && !is_zero(f, a))
        return invalid(f, flags);
    if (is_infinity(f, a))
        return a;
    return pack(f, square_root(f, unpack(f, a)), rm, flags);
}

/* ---- both formats ---- */

uint32_t f32_add(uint32_t a, uint32_t b, unsigned rm, unsigned *flags) {
    return (uint32_t)add(&f32, a, b, rm, flags);
}
uint32_t f32_sub(uint32_t a, uint32_t b, unsigned rm, unsigned *flags) {
    return (uint32_t)add(&f32, a, b ^ f32.sign, rm, flags);
}
uint32_t f32_mul(uint32_t a, uint32_t b, unsigned rm, unsigned *flags) {
    return (uint32_t)mul(&f32, a, b, rm, flags);
}
uint32_t f32_div(uint32_t a, uint32_t b, unsigned rm, unsigned *flags) {
    return (uint32_t)div(&f32, a, b, rm, flags);
}
uint32_t f32_sqrt(uint32_t a, unsigned rm, unsigned *flags) {
    return (uint32_t)root(&f32, a, rm, flags);
}
uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, unsigned rm, unsigned *flags) {
    return (uint32_t)fused(&f32, a, b, c, rm, flags);
}

uint64_t f64_add(uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    return add(&f64, a, b, rm, flags);
}
uint64_t f64_sub(uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    return add(&f64, a, b ^ f64.sign, rm, flags);
}
uint64_t f64_mul(uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    return mul(&f64, a, b, rm, flags);
}
uint64_t f64_div(uint64_t a, uint64_t b, unsigned rm, unsigned *flags) {
    return div(&f64, a, b, rm, flags);
}
uint64_t f64_sqrt(uint64_t a, unsigned rm, unsigned *flags) { return root(&f64, a, rm, flags); }
uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, unsigned rm, unsigned *flags) {
    return fused(&f64, a, b, c, rm, flags);
}
