/* The scanf family: a source of characters, read one ahead. Numbers are gathered
 * into a small buffer and converted by the strto functions. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "streamlock.h"

struct source {
    const char *text; /* a string, or NULL: the stream */
    FILE *f;
    int taken; /* characters consumed */
};

/* One conversion, and what is left of its field. */
struct field {
    bool store;
    int width;
    int length; /* bytes of an integer result; of a float: 8 double, 4 float */
    char conversion;
};

#define NUMBER_MAX 64 /* characters of a number; longer ones are cut */

static int peek(struct source *s) {
    if (s->text)
        return *s->text ? (unsigned char)*s->text : EOF;
    return ungetc(fgetc(s->f), s->f);
}

static void take(struct source *s) {
    s->taken++;
    if (s->text)
        s->text++;
    else
        fgetc(s->f);
}

static void skip_blanks(struct source *s) {
    for (int c; (c = peek(s)) != EOF && isspace(c);)
        take(s);
}

/* Appends the next character to the number if it is in the set. */
static bool take_one_of(struct source *s, struct field *f, const char *set, char **to) {
    int c = peek(s);
    if (c == EOF || f->width == 0 || !strchr(set, c))
        return false;
    take(s);
    f->width--;
    *(*to)++ = (char)c;
    return true;
}

static void take_all_of(struct source *s, struct field *f, const char *set, char **to) {
    while (take_one_of(s, f, set, to))
        ;
}

static void store_integer(const struct field *f, void *to, uint64_t v) {
    switch (f->length) {
    case 1: *(uint8_t *)to = (uint8_t)v; break;
    case 2: *(uint16_t *)to = (uint16_t)v; break;
    case 4: *(uint32_t *)to = (uint32_t)v; break;
    default: *(uint64_t *)to = v;
    }
}

static bool scan_integer(struct source *s, struct field *f, void *to) {
    static const char digits[] = "0123456789abcdefABCDEF";
    char text[NUMBER_MAX + 1], *p = text, *end;
    char octal[] = "01234567", decimal[] = "0123456789";
    int base = f->conversion == 'd' || f->conversion == 'u' ? 10
               : f->conversion == 'o'                       ? 8
               : f->conversion == 'i'                       ? 0
                                                            : 16;
    if (f->width < 0 || f->width > NUMBER_MAX)
        f->width = NUMBER_MAX;
    take_one_of(s, f, "+-", &p);
    if ((base == 0 || base == 16) && take_one_of(s, f, "0", &p)) {
        if (take_one_of(s, f, "xX", &p))
            base = 16;
        else if (base == 0)
            base = 8;
    }
    if (base == 0)
        base = 10;
    take_all_of(s, f, base == 16 ? digits : base == 8 ? octal : decimal, &p);
    *p = 0;
    bool is_signed = f->conversion == 'd' || f->conversion == 'i';
    uint64_t v = is_signed ? (uint64_t)strtol(text, &end, base) : strtoul(text, &end, base);
    if (end == text)
        return false;
    if (f->store)
        store_integer(f, to, v);
    return true;
}

static bool scan_double(struct source *s, struct field *f, void *to) {
    char text[NUMBER_MAX + 1], *p = text, *end;
    if (f->width < 0 || f->width > NUMBER_MAX)
        f->width = NUMBER_MAX;
    take_one_of(s, f, "+-", &p);
    take_all_of(s, f, "0123456789", &p);
    if (take_one_of(s, f, ".", &p))
        take_all_of(s, f, "0123456789", &p);
    if (p > text && take_one_of(s, f, "eE", &p)) {
        take_one_of(s, f, "+-", &p);
        take_all_of(s, f, "0123456789", &p);
    }
    *p = 0;
    double v = strtod(text, &end);
    if (end == text)
        return false;
    if (f->store && f->length == sizeof(double))
        *(double *)to = v;
    else if (f->store)
        *(float *)to = (float)v;
    return true;
}

/* A set of bytes, for %[ and %s. */
struct set {
    uint64_t bits[4];
};

static bool has(const struct set *set, int c) { return set->bits[c / 64] >> (c % 64) & 1; }
static void include(struct set *set, int c) { set->bits[c / 64] |= 1ULL << (c % 64); }

/* Reads what stands behind %[ and leaves *fmt behind the closing bracket. */
static void parse_set(const char **fmt, struct set *set) {
    const unsigned char *p = (const unsigned char *)*fmt;
    bool negate = *p == '^';
    p += negate;
    memset(set, 0, sizeof *set);
    for (bool first = true; *p && (first || *p != ']'); first = false, p++) {
        include(set, *p);
        if (p[1] == '-' && p[2] && p[2] != ']') {
            for (int c = *p; c <= p[2]; c++)
                include(set, c);
            p += 2;
        }
    }
    for (int i = 0; i < 4 && negate; i++)
        set->bits[i] = ~set->bits[i];
    *fmt = (const char *)p + (*p == ']');
}

static bool scan_text(struct source *s, struct field *f, const struct set *set, char *to) {
    int n = 0;
    for (int c; n != f->width && (c = peek(s)) != EOF && (!set || has(set, c)); n++) {
        take(s);
        if (f->store)
            to[n] = (char)c;
    }
    if (f->conversion == 'c')
        return n == f->width;
    if (f->store && n > 0)
        to[n] = 0;
    return n > 0;
}

static void parse_field(const char **fmt, struct field *f) {
    const char *p = *fmt;
    f->store = *p != '*';
    p += !f->store;
    f->width = -1;
    if (isdigit((unsigned char)*p))
        f->width = (int)strtol(p, (char **)&p, 10);
    f->length = 4;
    for (; *p && strchr("hlzjtL", *p); p++)
        f->length = *p != 'h' ? 8 : f->length == 2 ? 1 : 2;
    f->conversion = *p;
    *fmt = *p ? p + 1 : p;
}

/* One conversion; to is where its result goes, if it stores one. */
static bool scan_field(struct source *s, struct field *f, const char **fmt, void *to) {
    struct set set;
    switch (f->conversion) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
    case 'p':
        if (f->conversion == 'p')
            f->length = 8;
        return scan_integer(s, f, to);
    case 'f':
    case 'e':
    case 'g':
    case 'E':
    case 'G':
    case 'F': return scan_double(s, f, to);
    case 'c':
        if (f->width < 0)
            f->width = 1;
        return scan_text(s, f, NULL, to);
    case 's': {
        const char *blanks = "^ \t\n\v\f\r]";
        parse_set(&blanks, &set);
        return scan_text(s, f, &set, to);
    }
    case '[': parse_set(fmt, &set); return scan_text(s, f, &set, to);
    default: return false;
    }
}

static int scan(struct source *s, const char *fmt, va_list ap) {
    int stored = 0;
    while (*fmt) {
        if (isspace((unsigned char)*fmt)) {
            skip_blanks(s);
            fmt++;
            continue;
        }
        if (*fmt != '%' || fmt[1] == '%') {
            fmt += *fmt == '%';
            if (peek(s) != (unsigned char)*fmt)
                break;
            take(s);
            fmt++;
            continue;
        }
        struct field f;
        fmt++;
        parse_field(&fmt, &f);
        void *to = f.store ? va_arg(ap, void *) : NULL;
        if (f.conversion == 'n') {
            store_integer(&f, to, (uint64_t)s->taken);
            continue;
        }
        if (f.conversion != 'c' && f.conversion != '[')
            skip_blanks(s);
        if (peek(s) == EOF)
            return stored > 0 ? stored : EOF;
        if (!scan_field(s, &f, &fmt, to))
            break;
        stored += f.store;
    }
    return stored == 0 && *fmt && peek(s) == EOF ? EOF : stored;
}

int vsscanf(const char *restrict text, const char *restrict fmt, va_list ap) {
    struct source s = {.text = text};
    return scan(&s, fmt, ap);
}

int vfscanf(FILE *restrict f, const char *restrict fmt, va_list ap) {
    struct source s = {.f = f};
    stream_lock(f);
    int n = scan(&s, fmt, ap);
    stream_unlock(f);
    return n;
}

int sscanf(const char *restrict text, const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsscanf(text, fmt, ap);
    va_end(ap);
    return n;
}

int fscanf(FILE *restrict f, const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vfscanf(f, fmt, ap);
    va_end(ap);
    return n;
}

int scanf(const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vfscanf(stdin, fmt, ap);
    va_end(ap);
    return n;
}
