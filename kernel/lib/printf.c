/* Formatted text: lib/printf.h. One pass over the format hands literal text,
 * padding and converted arguments to the sink in order. */
#include "lib/printf.h"
#include "lib/string.h"

enum length { LEN_INT, LEN_CHAR, LEN_SHORT, LEN_LONG }; /* all that is longer has 64 bits */

struct spec {
    bool left, zero, plus, blank, alternative;
    enum length length;
    int width;
    int precision; /* -1: none */
};

struct output {
    printf_sink sink;
    void *ctx;
    int total;
    va_list args;
};

static void emit(struct output *out, const char *text, size_t n) {
    if (n == 0)
        return;
    out->sink(out->ctx, text, n);
    out->total += (int)n;
}

static void emit_padding(struct output *out, char c, int n) {
    char run[16];
    memset(run, c, sizeof(run));
    for (; n > 0; n -= (int)sizeof(run))
        emit(out, run, MIN((size_t)n, sizeof(run)));
}

static const char *parse_number(const char *p, struct output *out, int *number) {
    if (*p == '*') {
        *number = va_arg(out->args, int);
        return p + 1;
    }
    int n = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (n < 100000)
            n = n * 10 + (*p - '0');
    *number = n;
    return p;
}

static const char *parse_flags(const char *p, struct spec *spec) {
    for (;; p++) {
        switch (*p) {
        case '-': spec->left = true; break;
        case '0': spec->zero = true; break;
        case '+': spec->plus = true; break;
        case ' ': spec->blank = true; break;
        case '#': spec->alternative = true; break;
        default: return p;
        }
    }
}

static const char *parse_length(const char *p, struct spec *spec) {
    switch (*p) {
    case 'h': spec->length = p[1] == 'h' ? LEN_CHAR : LEN_SHORT; return p + (p[1] == 'h' ? 2 : 1);
    case 'l': spec->length = LEN_LONG; return p + (p[1] == 'l' ? 2 : 1);
    case 'z':
    case 'j':
    case 't': spec->length = LEN_LONG; return p + 1;
    default: return p;
    }
}

/* Parses what stands between % and the conversion's letter. */
static const char *parse_spec(const char *p, struct output *out, struct spec *spec) {
    *spec = (struct spec){.precision = -1};
    p = parse_flags(p, spec);
    p = parse_number(p, out, &spec->width);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = spec->width == -__INT_MAX__ - 1 ? 0 : -spec->width;
    }
    if (*p == '.') {
        p = parse_number(p + 1, out, &spec->precision);
        if (spec->precision < 0)
            spec->precision = -1;
    }
    return parse_length(p, spec);
}

/* prefix, zeros and text, with blanks around them up to the width. */
static void emit_field(struct output *out, const struct spec *spec, const char *prefix, int zeros,
                       const char *text, size_t n) {
    int blanks = spec->width - zeros - (int)n - (int)strlen(prefix);
    if (!spec->left)
        emit_padding(out, ' ', blanks);
    emit(out, prefix, strlen(prefix));
    emit_padding(out, '0', zeros);
    emit(out, text, n);
    if (spec->left)
        emit_padding(out, ' ', blanks);
}

static void emit_number(struct output *out, const struct spec *spec, uint64_t value,
                        const char *prefix, unsigned base, bool upper) {
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[22]; /* 64 bits in octal */
    char *first = text + sizeof(text);
    for (uint64_t rest = value; rest; rest /= base)
        *--first = digits[rest % base];
    int count = (int)(text + sizeof(text) - first);

    int zeros = (spec->precision < 0 ? 1 : spec->precision) - count;
    if (spec->alternative && base == 8 && zeros <= 0 && (count == 0 || *first != '0'))
        zeros = 1;
    if (spec->zero && !spec->left && spec->precision < 0)
        zeros = MAX(zeros, spec->width - count - (int)strlen(prefix));
    emit_field(out, spec, prefix, MAX(zeros, 0), first, (size_t)count);
}

static void emit_signed(struct output *out, const struct spec *spec) {
    int64_t value;
    if (spec->length == LEN_LONG) {
        value = va_arg(out->args, int64_t);
    } else {
        int narrow = va_arg(out->args, int);
        value = spec->length == LEN_CHAR    ? (signed char)narrow
                : spec->length == LEN_SHORT ? (short)narrow
                                            : narrow;
    }
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->blank ? " " : "";
    emit_number(out, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, sign, 10, false);
}

static void emit_unsigned(struct output *out, const struct spec *spec, unsigned base, bool upper) {
    uint64_t value;
    if (spec->length == LEN_LONG) {
        value = va_arg(out->args, uint64_t);
    } else {
        unsigned narrow = va_arg(out->args, unsigned);
        value = spec->length == LEN_CHAR    ? (unsigned char)narrow
                : spec->length == LEN_SHORT ? (unsigned short)narrow
                                            : narrow;
    }
    const char *prefix = "";
    if (spec->alternative && base == 16 && value != 0)
        prefix = upper ? "0X" : "0x";
    emit_number(out, spec, value, prefix, base, upper);
}

static void emit_string(struct output *out, const struct spec *spec) {
    const char *text = va_arg(out->args, const char *);
    if (!text)
        text = "(null)";
    size_t n = spec->precision < 0 ? strlen(text) : strnlen(text, (size_t)spec->precision);
    emit_field(out, spec, "", 0, text, n);
}

/* Converts one argument; false when the letter is none that we know. */
static bool convert(struct output *out, const struct spec *spec, char letter) {
    switch (letter) {
    case 'd':
    case 'i': emit_signed(out, spec); return true;
    case 'u': emit_unsigned(out, spec, 10, false); return true;
    case 'x': emit_unsigned(out, spec, 16, false); return true;
    case 'X': emit_unsigned(out, spec, 16, true); return true;
    case 'o': emit_unsigned(out, spec, 8, false); return true;
    case 's': emit_string(out, spec); return true;
    case '%': emit(out, "%", 1); return true;
    case 'c': {
        char c = (char)va_arg(out->args, int);
        emit_field(out, spec, "", 0, &c, 1);
        return true;
    }
    case 'p':
        emit_number(out, spec, (uint64_t)va_arg(out->args, void *), "0x", 16, false);
        return true;
    default: return false;
    }
}

/* Formats into sink; returns the number of bytes given to it. */
static int sink_vprintf(printf_sink sink, void *ctx, const char *fmt, va_list ap) {
    struct output out = {.sink = sink, .ctx = ctx};
    va_copy(out.args, ap);
    while (*fmt) {
        const char *run = fmt;
        while (*fmt && *fmt != '%')
            fmt++;
        emit(&out, run, (size_t)(fmt - run));
        if (!*fmt)
            break;
        struct spec spec;
        const char *letter = parse_spec(fmt + 1, &out, &spec);
        if (convert(&out, &spec, *letter)) {
            fmt = letter + 1;
        } else {
            emit(&out, "%", 1); /* as it stands, so that the mistake is seen */
            fmt++;
        }
    }
    va_end(out.args);
    return out.total;
}

struct buffer {
    char *next;
    size_t room; /* without the terminator's */
};

static void buffer_sink(void *ctx, const char *text, size_t n) {
    struct buffer *b = ctx;
    size_t take = MIN(n, b->room);
    memcpy(b->next, text, take);
    b->next += take;
    b->room -= take;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) {
    char nothing;
    struct buffer b = {.next = size ? buf : &nothing, .room = size ? size - 1 : 0};
    int n = sink_vprintf(buffer_sink, &b, fmt, ap);
    *b.next = '\0';
    return n;
}

int snprintf(char *buf, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

/* ---- the console ---------------------------------------------------------
 * The lock is bare, since this layer knows no harts. */
static struct {
    uint32_t locked;
    bool broken;
    printf_sink sink;
    void *ctx;
} console;

bool kprintf_lock_broken(void) { return __atomic_load_n(&console.broken, __ATOMIC_RELAXED); }

void kprintf_break_lock(void) { __atomic_store_n(&console.broken, true, __ATOMIC_RELAXED); }

static void console_lock(void) {
    while (!kprintf_lock_broken() && __atomic_exchange_n(&console.locked, 1, __ATOMIC_ACQUIRE)) {
    }
}

static void console_unlock(void) { __atomic_store_n(&console.locked, 0, __ATOMIC_RELEASE); }

/* Gathers a line, so that the console's owner gets it in one piece. */
struct line {
    char text[200];
    size_t n;
};

static void line_flush(struct line *line) {
    if (line->n && console.sink)
        console.sink(console.ctx, line->text, line->n);
    line->n = 0;
}

static void line_sink(void *ctx, const char *text, size_t n) {
    struct line *line = ctx;
    while (n > 0) {
        size_t take = MIN(n, sizeof(line->text) - line->n);
        memcpy(line->text + line->n, text, take);
        line->n += take;
        text += take;
        n -= take;
        if (line->n == sizeof(line->text))
            line_flush(line);
    }
}

int kprintf(const char *fmt, ...) {
    struct line line;
    line.n = 0;
    va_list ap;
    va_start(ap, fmt);
    console_lock();
    int n = sink_vprintf(line_sink, &line, fmt, ap);
    line_flush(&line);
    console_unlock();
    va_end(ap);
    return n;
}

void kprintf_set_sink(printf_sink sink, void *ctx) {
    console_lock();
    console.sink = sink;
    console.ctx = ctx;
    console_unlock();
}
