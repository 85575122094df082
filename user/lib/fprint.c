/* Streams: output. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "format.h"
#include "stream.h"

/* Adds to the buffer; the call's end decides what is written now. */
static bool add(struct stream *f, const char *p, size_t n) {
    if (f->at == 0 && n >= BUFSIZ)
        return stream_write(f, p, n);
    while (n > 0) {
        size_t part = BUFSIZ - f->at < n ? BUFSIZ - f->at : n;
        memcpy(f->buf + f->at, p, part);
        f->at += part, p += part, n -= part;
        if (f->at == BUFSIZ && !stream_empty(f))
            return false;
    }
    return true;
}

/* Ends a call that has added n bytes of which the last was at the buffer's end. */
static bool settle(struct stream *f, bool newline) {
    if (f->mode == _IONBF || (f->mode == _IOLBF && newline))
        return stream_empty(f);
    return true;
}

static bool put(struct stream *f, const char *p, size_t n) {
    return stream_begin_writing(f) && add(f, p, n) && settle(f, memchr(p, '\n', n) != NULL);
}

size_t fwrite(const void *restrict p, size_t size, size_t count, FILE *restrict f) {
    size_t n = size * count;
    if (n == 0)
        return 0;
    stream_lock(f);
    bool ok = put(f, p, n);
    stream_unlock(f);
    return ok ? count : 0;
}

int fputs(const char *restrict s, FILE *restrict f) {
    size_t n = strlen(s);
    return n == 0 || fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int putc_unlocked(int c, FILE *f) {
    char byte = (char)c;
    return put(f, &byte, 1) ? (unsigned char)byte : EOF;
}

int fputc(int c, FILE *f) {
    stream_lock(f);
    int written = putc_unlocked(c, f);
    stream_unlock(f);
    return written;
}

int putc(int c, FILE *f) { return fputc(c, f); }
int putchar(int c) { return fputc(c, stdout); }
int putchar_unlocked(int c) { return putc_unlocked(c, stdout); }

int puts(const char *s) {
    stream_lock(stdout);
    int written = fputs(s, stdout) < 0 ? EOF : fputc('\n', stdout);
    stream_unlock(stdout);
    return written;
}

struct print {
    struct stream *f;
    bool ok, newline;
};

static void print_sink(void *ctx, const char *text, size_t n) {
    struct print *p = ctx;
    p->newline |= memchr(text, '\n', n) != NULL;
    p->ok = p->ok && add(p->f, text, n);
}

int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap) {
    struct print p = {f, true, false};
    int n = -1;
    stream_lock(f);
    if (stream_begin_writing(f)) {
        n = format(print_sink, &p, fmt, ap);
        if (!p.ok || !settle(f, p.newline))
            n = -1;
    }
    stream_unlock(f);
    return n;
}

int vprintf(const char *restrict fmt, va_list ap) { return vfprintf(stdout, fmt, ap); }

int printf(const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(stdout, fmt, ap);
    va_end(ap);
    return n;
}

int fprintf(FILE *restrict f, const char *restrict fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(f, fmt, ap);
    va_end(ap);
    return n;
}

int dprintf(int fd, const char *restrict fmt, ...) {
    char buf[UNGET + BUFSIZ];
    struct stream f = {.fd = fd, .can_write = true, .mode = _IONBF, .buf = buf};
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(&f, fmt, ap);
    va_end(ap);
    return n;
}
