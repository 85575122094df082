/* Formatted text: one engine for the printf family. Floating point is exact: the
 * number's full decimal expansion, rounded half to even where it is cut. */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "big.h"
#include "format.h"

struct out {
    format_sink sink;
    void *ctx;
    size_t total;
};

struct spec {
    bool left, zero, plus, blank, alternate;
    bool has_precision;
    int width, precision;
    int length; /* bytes of the integer argument */
    char conversion;
};

/* 0.DIGITS * 10^point */
struct decimal {
    int n, point;
    char digit[800]; /* as values, not as text */
};

static void put(struct out *o, const char *text, size_t n) {
    if (n > 0)
        o->sink(o->ctx, text, n);
    o->total += n;
}

static void put_char(struct out *o, char c) { put(o, &c, 1); }

static void pad(struct out *o, char c, long n) {
    static const char blanks[] = "                ", zeros[] = "0000000000000000";
    for (const long most = sizeof blanks - 1; n > 0; n -= most)
        put(o, c == '0' ? zeros : blanks, (size_t)(n < most ? n : most));
}

/* The three parts of a field around a body of n bytes: blanks and prefix before
 * (zeros behind the prefix), blanks after. */
static void open_field(struct out *o, const struct spec *s, const char *prefix, long n) {
    long fill = s->width - n - (long)strlen(prefix);
    if (!s->left && !s->zero)
        pad(o, ' ', fill);
    put(o, prefix, strlen(prefix));
    if (!s->left && s->zero)
        pad(o, '0', fill);
}

static void close_field(struct out *o, const struct spec *s, const char *prefix, long n) {
    if (s->left)
        pad(o, ' ', s->width - n - (long)strlen(prefix));
}

static void put_text(struct out *o, struct spec *s, const char *text, size_t n) {
    s->zero = false;
    open_field(o, s, "", (long)n);
    put(o, text, n);
    close_field(o, s, "", (long)n);
}

static const char *sign_of(const struct spec *s, bool negative) {
    return negative ? "-" : s->plus ? "+" : s->blank ? " " : "";
}

static void put_integer(struct out *o, struct spec *s, uint64_t v, const char *prefix) {
    unsigned base = s->conversion == 'o' ? 8 : strchr("xXp", s->conversion) ? 16 : 10;
    const char *symbols = s->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    int n = 0;
    for (uint64_t rest = v; rest; rest /= base)
        text[sizeof text - (size_t)++n] = symbols[rest % base];
    int digits = s->has_precision ? s->precision : 1;
    if (s->conversion == 'o' && s->alternate && digits <= n)
        digits = n + 1;
    if (s->has_precision)
        s->zero = false;
    int zeros = digits > n ? digits - n : 0;
    open_field(o, s, prefix, n + zeros);
    pad(o, '0', zeros);
    put(o, text + sizeof text - n, (size_t)n);
    close_field(o, s, prefix, n + zeros);
}

/* All digits of v, which is finite and not negative. */
static LARGE_FRAME void expand(double v, struct decimal *d) {
    struct big b;
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & ((1ULL << 52) - 1);
    if (exponent)
        mantissa |= 1ULL << 52;
    else
        exponent = 1;
    exponent -= 1075; /* v = mantissa * 2^exponent */
    big_set(&b, mantissa);
    if (exponent >= 0)
        big_mul_pow(&b, 2, exponent);
    else
        big_mul_pow(&b, 5, -exponent); /* 2^-n = 5^n / 10^n */
    int end = sizeof d->digit, start = end;
    while (b.n) {
        uint32_t nine = big_div(&b, 1000000000);
        for (int i = 0; i < 9 && (b.n || nine); i++, nine /= 10)
            d->digit[--start] = (char)(nine % 10);
    }
    d->n = end - start;
    d->point = d->n + (exponent < 0 ? exponent : 0);
    memmove(d->digit, d->digit + start, (size_t)d->n);
}

/* Keeps the first n digits (n may be anything), rounded half to even. */
static void round_to(struct decimal *d, int n) {
    if (n >= d->n)
        return;
    if (n < 0) {
        d->n = 0;
        return;
    }
    bool up = d->digit[n] > 5;
    if (d->digit[n] == 5) {
        up = n > 0 && d->digit[n - 1] % 2;
        for (int i = n + 1; i < d->n && !up; i++)
            up = d->digit[i] != 0;
    }
    d->n = n;
    if (!up)
        return;
    while (n > 0 && d->digit[n - 1] == 9)
        d->digit[--n] = 0;
    if (n > 0) {
        d->digit[n - 1]++;
        return;
    }
    d->digit[0] = 1; /* 99 became 00: 1 and another place in front */
    d->point++;
    if (d->n == 0)
        d->n = 1;
}

static char digit_at(const struct decimal *d, int i) {
    return (char)('0' + (i >= 0 && i < d->n ? d->digit[i] : 0));
}

static void put_fixed(struct out *o, const struct spec *s, const struct decimal *d, int precision,
                      const char *sign) {
    int whole = d->n && d->point > 0 ? d->point : 1;
    bool dot = precision > 0 || s->alternate;
    long n = (long)whole + dot + precision;
    open_field(o, s, sign, n);
    int first = d->n && d->point > 0 ? 0 : d->point - 1; /* the digit that comes first */
    for (int i = 0; i < whole; i++)
        put_char(o, digit_at(d, first + i));
    if (dot)
        put_char(o, '.');
    for (int i = 0; i < precision; i++)
        put_char(o, digit_at(d, d->n ? d->point + i : 0));
    close_field(o, s, sign, n);
}

static void put_exponent(struct out *o, const struct spec *s, const struct decimal *d,
                         int precision, const char *sign, char letter) {
    int exponent = d->n ? d->point - 1 : 0, size = exponent < 0 ? -exponent : exponent;
    bool dot = precision > 0 || s->alternate;
    long n = 1L + dot + precision + (size > 99 ? 5 : 4);
    open_field(o, s, sign, n);
    put_char(o, digit_at(d, 0));
    if (dot)
        put_char(o, '.');
    for (int i = 1; i <= precision; i++)
        put_char(o, digit_at(d, i));
    put_char(o, letter);
    put_char(o, exponent < 0 ? '-' : '+');
    if (size > 99)
        put_char(o, (char)('0' + size / 100));
    put_char(o, (char)('0' + size / 10 % 10));
    put_char(o, (char)('0' + size % 10));
    close_field(o, s, sign, n);
}

/* %g: the shorter of the two forms, precision counting all digits. */
static void put_general(struct out *o, const struct spec *s, struct decimal *d, int precision,
                        const char *sign) {
    if (precision == 0)
        precision = 1;
    round_to(d, precision);
    int exponent = d->n ? d->point - 1 : 0;
    int digits = precision;
    if (!s->alternate) {
        while (d->n > 0 && d->digit[d->n - 1] == 0)
            d->n--;
        digits = d->n ? d->n : 1;
    }
    if (exponent < -4 || exponent >= precision)
        put_exponent(o, s, d, digits - 1, sign, s->conversion == 'G' ? 'E' : 'e');
    else
        put_fixed(o, s, d, digits > exponent + 1 ? digits - exponent - 1 : 0, sign);
}

static LARGE_FRAME void put_double(struct out *o, struct spec *s, double v) {
    struct decimal d;
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    const char *sign = sign_of(s, bits >> 63);
    int precision = s->has_precision ? s->precision : 6;
    if ((bits >> 52 & 0x7ff) == 0x7ff) {
        const char *name = bits << 12 ? "nan" : "inf";
        if (s->conversion < 'a')
            name = bits << 12 ? "NAN" : "INF";
        s->zero = false;
        open_field(o, s, sign, 3);
        put(o, name, 3);
        close_field(o, s, sign, 3);
        return;
    }
    expand(bits >> 63 ? -v : v, &d);
    switch (s->conversion) {
    case 'f':
    case 'F':
        round_to(&d, precision < INT_MAX - 1000 ? d.point + precision : INT_MAX);
        put_fixed(o, s, &d, precision, sign);
        return;
    case 'e':
    case 'E':
        round_to(&d, precision < INT_MAX ? precision + 1 : INT_MAX);
        put_exponent(o, s, &d, precision, sign, s->conversion);
        return;
    default: put_general(o, s, &d, precision, sign);
    }
}

static int parse_number(const char **fmt) {
    int n = 0;
    for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **fmt - '0', &n))
            n = INT_MAX / 2;
    return n;
}

static void parse_flags(const char **fmt, struct spec *s) {
    for (;; ++*fmt) {
        switch (**fmt) {
        case '-': s->left = true; break;
        case '0': s->zero = true; break;
        case '+': s->plus = true; break;
        case ' ': s->blank = true; break;
        case '#': s->alternate = true; break;
        default: return;
        }
    }
}

static void parse_length(const char **fmt, struct spec *s) {
    s->length = sizeof(int);
    for (;; ++*fmt) {
        switch (**fmt) {
        case 'h': s->length = s->length == sizeof(short) ? 1 : sizeof(short); break;
        case 'l':
        case 'z':
        case 'j':
        case 't': s->length = sizeof(long); break;
        default: return;
        }
    }
}

static int64_t narrow_signed(int64_t v, int length) {
    return length == 1 ? (signed char)v : length == 2 ? (short)v : v;
}

static uint64_t narrow_unsigned(uint64_t v, int length) {
    return length == 1 ? (unsigned char)v : length == 2 ? (unsigned short)v : v;
}

/* A va_list that can be handed down by pointer. */
struct args {
    va_list ap;
};

static void convert_integer(struct out *o, struct spec *s, struct args *a) {
    bool is_long = s->length == sizeof(long);
    if (s->conversion == 'd' || s->conversion == 'i') {
        int64_t v = narrow_signed(is_long ? va_arg(a->ap, long) : va_arg(a->ap, int), s->length);
        put_integer(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, sign_of(s, v < 0));
        return;
    }
    uint64_t v = is_long ? va_arg(a->ap, unsigned long) : va_arg(a->ap, unsigned);
    v = narrow_unsigned(v, s->length);
    const char *prefix = "";
    if (s->alternate && v && s->conversion != 'u' && s->conversion != 'o')
        prefix = s->conversion == 'X' ? "0X" : "0x";
    put_integer(o, s, v, prefix);
}

static void convert(struct out *o, struct spec *s, struct args *a) {
    switch (s->conversion) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': convert_integer(o, s, a); return;
    case 'p': put_integer(o, s, (uintptr_t)va_arg(a->ap, void *), "0x"); return;
    case 'c': {
        char c = (char)va_arg(a->ap, int);
        put_text(o, s, &c, 1);
        return;
    }
    case 's': {
        const char *text = va_arg(a->ap, const char *);
        if (!text)
            text = "(null)";
        put_text(o, s, text, s->has_precision ? strnlen(text, (size_t)s->precision) : strlen(text));
        return;
    }
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G': put_double(o, s, va_arg(a->ap, double)); return;
    case '%': put_char(o, '%'); return;
    default: /* not a conversion: shown as it stands */
        put_char(o, '%');
        if (s->conversion)
            put_char(o, s->conversion);
    }
}

/* Reads one conversion behind its '%' and leaves *fmt behind it. */
static void parse_spec(const char **fmt, struct spec *s, struct args *a) {
    *s = (struct spec){0};
    parse_flags(fmt, s);
    if (**fmt == '*') {
        ++*fmt;
        s->width = va_arg(a->ap, int);
        if (s->width < 0) {
            s->left = true;
            s->width = s->width == INT_MIN ? INT_MAX : -s->width;
        }
    } else {
        s->width = parse_number(fmt);
    }
    if (**fmt == '.') {
        ++*fmt;
        if (**fmt == '*') {
            ++*fmt;
            s->precision = va_arg(a->ap, int);
        } else {
            s->precision = parse_number(fmt);
        }
        s->has_precision = s->precision >= 0;
    }
    parse_length(fmt, s);
    s->conversion = **fmt;
    if (**fmt)
        ++*fmt;
}

int format(format_sink sink, void *ctx, const char *fmt, va_list ap) {
    struct out o = {sink, ctx, 0};
    struct args a;
    va_copy(a.ap, ap);
    while (*fmt) {
        size_t plain = strcspn(fmt, "%");
        put(&o, fmt, plain);
        fmt += plain;
        if (*fmt == '%') {
            struct spec s;
            fmt++;
            parse_spec(&fmt, &s, &a);
            convert(&o, &s, &a);
        }
    }
    va_end(a.ap);
    return (int)o.total;
}

struct buffer {
    char *at;
    size_t left; /* room before the terminator */
};

static void buffer_sink(void *ctx, const char *text, size_t n) {
    struct buffer *b = ctx;
    if (n > b->left)
        n = b->left;
    if (n == 0)
        return; /* there may be no buffer */
    memcpy(b->at, text, n);
    b->at += n;
    b->left -= n;
}

int vsnprintf(char *restrict s, size_t size, const char *restrict fmt, va_list ap) {
    struct buffer b = {s, size > 0 ? size - 1 : 0};
    int n = format(buffer_sink, &b, fmt, ap);
    if (size > 0)
        *b.at = 0;
    return n;
}

int vsprintf(char *restrict s, const char *restrict fmt, va_list ap) {
    return vsnprintf(s, SIZE_MAX / 2, fmt, ap);
}

int snprintf(char *restrict s, size_t size, const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(s, size, fmt, ap);
    va_end(ap);
    return n;
}

int sprintf(char *restrict s, const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsprintf(s, fmt, ap);
    va_end(ap);
    return n;
}
