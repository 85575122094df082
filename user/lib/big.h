/* Natural numbers of up to 4096 bits, for exact conversions between decimal and
 * binary floating point. Callers keep within the size. A stack may be one page,
 * so who has one in its frame is not to be a part of a function that often has none. */
#define LARGE_FRAME __attribute__((noinline))

#pragma once
#include <stdbool.h>
#include <stdint.h>

#define BIG_WORDS 128

struct big {
    uint32_t n;            /* words in use; the highest is not 0 */
    uint32_t w[BIG_WORDS]; /* lowest first */
};

static inline void big_set(struct big *b, uint64_t v) {
    b->n = 0;
    for (; v; v >>= 32)
        b->w[b->n++] = (uint32_t)v;
}

/* b = b * factor + add */
static inline void big_mul_add(struct big *b, uint32_t factor, uint32_t add) {
    uint64_t carry = add;
    for (uint32_t i = 0; i < b->n; i++) {
        carry += (uint64_t)b->w[i] * factor;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->w[b->n++] = (uint32_t)carry;
}

/* b = b * base^exponent */
static inline void big_mul_pow(struct big *b, uint32_t base, int exponent) {
    while (exponent > 0) {
        uint64_t factor = base;
        for (exponent--; exponent > 0 && factor * base <= UINT32_MAX; exponent--)
            factor *= base;
        big_mul_add(b, (uint32_t)factor, 0);
    }
}

/* b = b / divisor; the remainder. */
static inline uint32_t big_div(struct big *b, uint32_t divisor) {
    uint64_t rest = 0;
    for (uint32_t i = b->n; i-- > 0;) {
        rest = rest << 32 | b->w[i];
        b->w[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    while (b->n && !b->w[b->n - 1])
        b->n--;
    return (uint32_t)rest;
}

static inline int big_bits(const struct big *b) {
    int bits = (int)b->n * 32;
    for (uint32_t top = b->n ? b->w[b->n - 1] : 0; top && !(top >> 31); top <<= 1)
        bits--;
    return bits;
}

static inline void big_shift_left(struct big *b, uint32_t bits) {
    uint32_t words = bits / 32, rest = bits % 32;
    if (b->n == 0)
        return;
    if (rest)
        big_mul_add(b, (uint32_t)1 << rest, 0);
    for (uint32_t i = b->n; i-- > 0;)
        b->w[i + words] = b->w[i];
    for (uint32_t i = 0; i < words; i++)
        b->w[i] = 0;
    b->n += words;
}

static inline bool big_less(const struct big *a, const struct big *b) {
    if (a->n != b->n)
        return a->n < b->n;
    for (uint32_t i = a->n; i-- > 0;)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i];
    return false;
}

/* a = a - b; a is not less than b. */
static inline void big_sub(struct big *a, const struct big *b) {
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        uint64_t take = (i < b->n ? b->w[i] : 0) + borrow;
        borrow = a->w[i] < take;
        a->w[i] -= (uint32_t)take;
    }
    while (a->n && !a->w[a->n - 1])
        a->n--;
}
