/* Text to numbers. Integers saturate with ERANGE; decimal fractions are rounded
 * correctly (half to even), by exact division. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "big.h"

static int digit_value(char c) {
    if (isdigit((unsigned char)c))
        return c - '0';
    if (isalpha((unsigned char)c))
        return tolower((unsigned char)c) - 'a' + 10;
    return 99;
}

/* Reads blanks, a sign and digits; the number without its sign. *end stays NULL
 * when there are no digits. */
static unsigned long magnitude(const char *s, const char **end, int base, bool *negative,
                               bool *overflow) {
    unsigned long v = 0;
    *end = NULL;
    *overflow = false;
    while (isspace((unsigned char)*s))
        s++;
    *negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 32) == 'x' && digit_value(s[2]) < 16) {
        s += 2;
        base = 16;
    }
    if (base == 0)
        base = *s == '0' ? 8 : 10;
    for (int d; (d = digit_value(*s)) < base; *end = ++s)
        if (__builtin_mul_overflow(v, (unsigned long)base, &v) ||
            __builtin_add_overflow(v, (unsigned long)d, &v))
            *overflow = true;
    return v;
}

static bool base_ok(int base) {
    if (base == 0 || (base >= 2 && base <= 36))
        return true;
    errno = EINVAL;
    return false;
}

long strtol(const char *restrict s, char **restrict end, int base) {
    const char *stop = NULL;
    bool negative = false, overflow = false;
    unsigned long v = base_ok(base) ? magnitude(s, &stop, base, &negative, &overflow) : 0;
    if (end)
        *end = (char *)(stop ? stop : s);
    unsigned long limit = negative ? (unsigned long)LONG_MAX + 1 : LONG_MAX;
    if (overflow || v > limit) {
        errno = ERANGE;
        v = limit;
    }
    return (long)(negative ? -v : v);
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base) {
    const char *stop = NULL;
    bool negative = false, overflow = false;
    unsigned long v = base_ok(base) ? magnitude(s, &stop, base, &negative, &overflow) : 0;
    if (end)
        *end = (char *)(stop ? stop : s);
    if (overflow) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return negative ? -v : v;
}

long long strtoll(const char *restrict s, char **restrict end, int base) {
    return strtol(s, end, base);
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base) {
    return strtoul(s, end, base);
}

int atoi(const char *s) { return (int)strtol(s, NULL, 10); }
long atol(const char *s) { return strtol(s, NULL, 10); }
long long atoll(const char *s) { return strtol(s, NULL, 10); }
double atof(const char *s) { return strtod(s, NULL); }

#define MAX_DIGITS 770 /* more cannot matter: half-way cases have fewer */
#define MAX_EXPONENT 100000

/* mantissa * 2^exponent with bit 63 of the mantissa set; rest says that the true
 * value is a little greater. Rounded to a double. */
static double assemble(uint64_t mantissa, int exponent, bool rest) {
    int drop = 11, biased = exponent + 63 + 1023;
    if (biased < 1) { /* subnormal: fewer bits */
        drop += 1 - biased;
        biased = 0;
    }
    uint64_t kept = 0, half, below = mantissa;
    if (drop < 64) {
        kept = mantissa >> drop;
        below = mantissa & ((1ULL << drop) - 1);
    }
    half = drop <= 64 ? 1ULL << (drop - 1) : 0;
    if (half && (below > half || (below == half && (rest || (kept & 1)))))
        kept++;
    /* The leading bit of a normal mantissa adds one to the exponent field, and so
     * does a carry out of rounding. */
    uint64_t bits = kept + ((uint64_t)(biased > 0 ? biased - 1 : 0) << 52);
    if (biased >= 2047 || bits >= 0x7ffULL << 52)
        bits = 0x7ffULL << 52;
    if (bits == 0 || bits == 0x7ffULL << 52)
        errno = ERANGE;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* num * 10^exponent, num > 0. The quotient is developed bit by bit. */
static LARGE_FRAME double scale(struct big *num, int exponent) {
    struct big den;
    big_set(&den, 1);
    if (exponent >= 0)
        big_mul_pow(num, 10, exponent);
    else
        big_mul_pow(&den, 10, -exponent);
    int shift = big_bits(num) - big_bits(&den);
    if (shift >= 0)
        big_shift_left(&den, (uint32_t)shift);
    else
        big_shift_left(num, (uint32_t)-shift);
    uint64_t q = 0; /* num / den is in (1/2, 2) */
    for (int i = 63; i >= 0; i--) {
        q <<= 1;
        if (!big_less(num, &den)) {
            big_sub(num, &den);
            q |= 1;
        }
        big_mul_add(num, 2, 0);
    }
    if (!(q >> 63)) {
        q <<= 1;
        shift--;
        if (!big_less(num, &den)) {
            big_sub(num, &den);
            q |= 1;
        }
    }
    return assemble(q, shift - 63, num->n > 0);
}

/* Digits with at most one dot; their value is *num * 10^*exponent. Behind the
 * last digit or dot, or NULL when there is no digit. */
static const char *parse_digits(const char *s, struct big *num, int *exponent) {
    int digits = 0;
    bool any = false, dot = false, dropped = false;
    big_set(num, 0);
    *exponent = 0;
    for (;; s++) {
        if (*s == '.' && !dot) {
            dot = true;
            continue;
        }
        if (!isdigit((unsigned char)*s))
            break;
        any = true;
        if (digits < MAX_DIGITS) {
            big_mul_add(num, 10, (uint32_t)(*s - '0'));
            digits += num->n > 0;
            *exponent -= dot;
        } else {
            dropped |= *s != '0';
            *exponent += !dot;
        }
        if (*exponent > MAX_EXPONENT)
            *exponent = MAX_EXPONENT;
        if (*exponent < -MAX_EXPONENT)
            *exponent = -MAX_EXPONENT;
    }
    if (dropped) {
        big_mul_add(num, 10, 1);
        *exponent -= 1;
    }
    return any ? s : NULL;
}

/* An exponent part if there is a whole one; else s unchanged. */
static const char *parse_exponent(const char *s, int *exponent) {
    const char *p = s;
    if ((*p | 32) != 'e')
        return s;
    bool negative = *++p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (!isdigit((unsigned char)*p))
        return s;
    int v = 0;
    for (; isdigit((unsigned char)*p); p++)
        if (v < 2 * MAX_EXPONENT)
            v = v * 10 + (*p - '0');
    *exponent += negative ? -v : v;
    return p;
}

static bool has_word(const char *s, const char *word) {
    for (; *word; s++, word++)
        if ((*s | 32) != *word)
            return false;
    return true;
}

double strtod(const char *restrict s, char **restrict end) {
    struct big num;
    const char *p = s;
    double v = 0;
    int exponent;
    while (isspace((unsigned char)*p))
        p++;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    const char *stop = parse_digits(p, &num, &exponent);
    if (stop) {
        stop = parse_exponent(stop, &exponent);
        int size = num.n ? (big_bits(&num) * 1233 >> 12) + exponent : 0; /* about log10 */
        if (size > 312)
            v = assemble(1ULL << 63, 2000, false);
        else if (size < -330)
            v = assemble(1ULL << 63, -2000, false);
        else if (num.n)
            v = scale(&num, exponent);
    } else if (has_word(p, "inf")) {
        stop = p + (has_word(p, "infinity") ? 8 : 3);
        v = __builtin_inf();
    } else if (has_word(p, "nan")) {
        stop = p + 3;
        v = __builtin_nan("");
    }
    if (end)
        *end = (char *)(stop ? stop : s);
    return stop && negative ? -v : v;
}
