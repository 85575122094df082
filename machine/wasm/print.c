/* snprintf, as far as the machine uses it: see include/stdio.h. */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
    char *to;
    size_t size, length; /* length: what would be written if there were room */
};

static void put(struct out *out, char c) {
    if (out->length + 1 < out->size)
        out->to[out->length] = c;
    out->length++;
}

static void put_number(struct out *out, uint64_t value, unsigned base, unsigned width, char fill) {
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (unsigned i = count; i < width; i++)
        put(out, fill);
    while (count)
        put(out, digits[--count]);
}

static void put_signed(struct out *out, int64_t value) {
    if (value < 0)
        put(out, '-');
    put_number(out, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, 0, ' ');
}

static void put_text(struct out *out, const char *text, unsigned most) {
    for (; *text && most > 0; most--)
        put(out, *text++);
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...) {
    struct out out = {to, size, 0};
    va_list list;
    va_start(list, format);
    for (const char *at = format; *at; at++) {
        if (*at != '%') {
            put(&out, *at);
            continue;
        }
        unsigned longs = 0, width = 0, precision = UINT_MAX;
        char fill = at[1] == '0' ? '0' : ' ';
        for (at++; *at >= '0' && *at <= '9'; at++)
            width = 10 * width + (unsigned)(*at - '0');
        if (*at == '.')
            for (at++, precision = 0; *at >= '0' && *at <= '9'; at++)
                precision = 10 * precision + (unsigned)(*at - '0');
        for (; *at == 'l'; at++)
            longs++;
        bool wide = longs == 2; /* a long has 32 bits */
        switch (*at) {
        case 'u':
        case 'x':
            put_number(&out, wide ? va_arg(list, uint64_t) : va_arg(list, uint32_t),
                       *at == 'u' ? 10 : 16, width, fill);
            break;
        case 'd': put_signed(&out, wide ? va_arg(list, int64_t) : va_arg(list, int32_t)); break;
        case 's': put_text(&out, va_arg(list, const char *), precision); break;
        case 'c': put(&out, (char)va_arg(list, int)); break;
        case '%': put(&out, '%'); break;
        default: abort();
        }
    }
    va_end(list);
    if (size)
        to[out.length < size ? out.length : size - 1] = 0;
    return (int)out.length;
}
