/* Conversions to and from integers, and between the formats (F 2.7, D 3.5). */
#include "machine/fpu/number.h"

/* a as an integer from -below to above, in two's complement. */
static uint64_t to_integer(const struct format *f, uint64_t a, uint64_t below, uint64_t above,
                           unsigned rm, unsigned *flags) {
    bool negative = is_negative(f, a) && !is_nan(f, a);
    uint64_t limit = negative ? below : above;
    struct number x = is_finite(f, a) ? unpack(f, a) : (struct number){.exponent = 64};
    bool fits = x.exponent < 64;
    if (fits) {
        x = shift_right(x, (unsigned)(63 - x.exponent)); /* the point is between high and low */
        /* No carry out of high: what has a fraction is below 2 to the 53. */
        x.high += rounds_away(rm, negative, x.high & 1, x.low);
        fits = x.high <= limit;
    }
    if (!fits) {
        *flags |= FPU_NV;
        x.high = limit;
    } else if (x.low > 0) {
        *flags |= FPU_NX;
    }
    return negative ? -x.high : x.high;
}

static uint64_t from_unsigned(const struct format *f, uint64_t n, bool negative, unsigned rm,
                              unsigned *flags) {
    if (n == 0)
        return 0;
    return pack(f, normalize((struct number){negative, 63, n, 0}), rm, flags);
}

static uint64_t from_signed(const struct format *f, int64_t n, unsigned rm, unsigned *flags) {
    return from_unsigned(f, n < 0 ? -(uint64_t)n : (uint64_t)n, n < 0, rm, flags);
}

static uint64_t convert(const struct format *from, const struct format *to, uint64_t a, unsigned rm,
                        unsigned *flags) {
    if (is_finite(from, a))
        return pack(to, unpack(from, a), rm, flags);
    if (is_nan(from, a))
        return is_signaling(from, a) ? invalid(to, flags) : to->nan;
    return (is_negative(from, a) ? to->sign : 0) | to->infinity;
}

/* Of the most negative integers: its magnitude. */
#define I32_BELOW (1ull << 31)
#define I64_BELOW (1ull << 63)

int32_t f32_to_i32(uint32_t a, unsigned rm, unsigned *flags) {
    return (int32_t)to_integer(&f32, a, I32_BELOW, INT32_MAX, rm, flags);
}
uint32_t f32_to_u32(uint32_t a, unsigned rm, unsigned *flags) {
    return (uint32_t)to_integer(&f32, a, 0, UINT32_MAX, rm, flags);
}
int64_t f32_to_i64(uint32_t a, unsigned rm, unsigned *flags) {
    return (int64_t)to_integer(&f32, a, I64_BELOW, INT64_MAX, rm, flags);
}
uint64_t f32_to_u64(uint32_t a, unsigned rm, unsigned *flags) {
    return to_integer(&f32, a, 0, UINT64_MAX, rm, flags);
}
int32_t f64_to_i32(uint64_t a, unsigned rm, unsigned *flags) {
    return (int32_t)to_integer(&f64, a, I32_BELOW, INT32_MAX, rm, flags);
}
uint32_t f64_to_u32(uint64_t a, unsigned rm, unsigned *flags) {
    return (uint32_t)to_integer(&f64, a, 0, UINT32_MAX, rm, flags);
}
int64_t f64_to_i64(uint64_t a, unsigned rm, unsigned *flags) {
    return (int64_t)to_integer(&f64, a, I64_BELOW, INT64_MAX, rm, flags);
}
uint64_t f64_to_u64(uint64_t a, unsigned rm, unsigned *flags) {
    return to_integer(&f64, a, 0, UINT64_MAX, rm, flags);
}

uint32_t f32_from_i32(int32_t n, unsigned rm, unsigned *flags) {
    return (uint32_t)from_signed(&f32, n, rm, flags);
}
uint32_t f32_from_u32(uint32_t n, unsigned rm, unsigned *flags) {
    return (uint32_t)from_unsigned(&f32, n, false, rm, flags);
}
uint32_t f32_from_i64(int64_t n, unsigned rm, unsigned *flags) {
    return (uint32_t)from_signed(&f32, n, rm, flags);
}
uint32_t f32_from_u64(uint64_t n, unsigned rm, unsigned *flags) {
    return (uint32_t)from_unsigned(&f32, n, false, rm, flags);
}
uint64_t f64_from_i32(int32_t n, unsigned rm, unsigned *flags) {
    return from_signed(&f64, n, rm, flags);
}
uint64_t f64_from_u32(uint32_t n, unsigned rm, unsigned *flags) {
    return from_unsigned(&f64, n, false, rm, flags);
}
uint64_t f64_from_i64(int64_t n, unsigned rm, unsigned *flags) {
    return from_signed(&f64, n, rm, flags);
}
uint64_t f64_from_u64(uint64_t n, unsigned rm, unsigned *flags) {
    return from_unsigned(&f64, n, false, rm, flags);
}

uint64_t f32_to_f64(uint32_t a, unsigned rm, unsigned *flags) {
    return convert(&f32, &f64, a, rm, flags);
}
uint32_t f64_to_f32(uint64_t a, unsigned rm, unsigned *flags) {
    return (uint32_t)convert(&f64, &f32, a, rm, flags);
}
