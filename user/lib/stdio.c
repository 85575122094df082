/* Streams.
 *
 * A stream's buffer holds either input not yet read (at .. end) or output not
 * yet written (0 .. at), as `writing` says; between the two directions the
 * buffer is emptied. Input that was read ahead is given back with lseek when the
 * direction changes, where the file can seek. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "format.h"

struct stream {
    int fd;
    bool can_read, can_write, append;
    bool at_end, failed;
    bool writing;
    int mode;  /* _IOFBF ..., or -1: to be decided at the first use */
    char *buf; /* BUFSIZ bytes behind UNGET free ones; NULL: not yet */
    size_t at, end;
    struct stream *next; /* in the list of those that fopen made */
};

#define UNGET 8 /* bytes that ungetc may put in front of the buffer */

static char standard_buf[3][UNGET + BUFSIZ];
static struct stream standard[3] = {
    {.fd = 0, .can_read = true, .mode = -1, .buf = standard_buf[0], .at = UNGET, .end = UNGET},
    {.fd = 1, .can_write = true, .mode = -1, .buf = standard_buf[1]},
    {.fd = 2, .can_write = true, .mode = _IONBF, .buf = standard_buf[2]},
};
FILE *const stdin = &standard[0], *const stdout = &standard[1], *const stderr = &standard[2];
static struct stream *opened;

/* ---- buffers ------------------------------------------------------------- */

static bool write_all(struct stream *f, const char *p, size_t n) {
    while (n > 0) {
        ssize_t done = write(f->fd, p, n < INT_MAX ? n : INT_MAX);
        if (done <= 0) {
            f->failed = true;
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool empty_buffer(struct stream *f) {
    bool ok = true;
    if (f->writing) {
        ok = write_all(f, f->buf, f->at);
        f->at = 0; /* also after an error: else it would be written twice */
    }
    return ok;
}

static bool prepare(struct stream *f) {
    if (!f->buf && !(f->buf = malloc(UNGET + BUFSIZ))) {
        f->failed = true;
        return false;
    }
    if (f->mode < 0)
        f->mode = f->can_write && isatty(f->fd) ? _IOLBF : _IOFBF;
    return true;
}

/* Makes the stream ready for output; false with an error set when it cannot. */
static bool start_writing(struct stream *f) {
    if (!f->can_write) {
        errno = EBADF;
        f->failed = true;
        return false;
    }
    if (!prepare(f))
        return false;
    if (!f->writing) {
        if (f->end > f->at && lseek(f->fd, -(off_t)(f->end - f->at), SEEK_CUR) < 0) {
            f->failed = true;
            return false;
        }
        f->writing = true;
        f->at = f->end = 0;
    }
    return true;
}

static bool start_reading(struct stream *f) {
    if (!f->can_read) {
        errno = EBADF;
        f->failed = true;
        return false;
    }
    if (!prepare(f) || !empty_buffer(f))
        return false;
    if (f->writing) {
        f->writing = false;
        f->at = f->end = UNGET;
    }
    return true;
}

/* Reads more input, the buffer being empty. */
static bool fill(struct stream *f) {
    if (f == stdin && stdout->writing && stdout->mode == _IOLBF)
        empty_buffer(stdout);
    ssize_t n = read(f->fd, f->buf + UNGET, BUFSIZ);
    f->at = f->end = UNGET;
    if (n <= 0) {
        f->failed |= n < 0;
        f->at_end |= n == 0;
        return false;
    }
    f->end += (size_t)n;
    return true;
}

/* ---- opening and closing ------------------------------------------------- */

static int parse_mode(const char *mode, struct stream *f) {
    bool both = strchr(mode, '+') != NULL;
    f->can_read = *mode == 'r' || both;
    f->can_write = *mode != 'r' || both;
    f->append = *mode == 'a';
    int flags = both ? O_RDWR : f->can_write ? O_WRONLY : O_RDONLY;
    switch (*mode) {
    case 'r': return flags;
    case 'w': return flags | O_CREATE | O_TRUNC;
    case 'a': return flags | O_CREATE | O_APPEND;
    default: errno = EINVAL; return -1;
    }
}

static void reset(struct stream *f, int fd) {
    f->fd = fd;
    f->at = f->end = UNGET;
    f->at_end = f->failed = f->writing = false;
    f->mode = -1;
}

FILE *fdopen(int fd, const char *mode) {
    struct stream *f = calloc(1, sizeof *f);
    if (!f || parse_mode(mode, f) < 0) {
        free(f);
        return NULL;
    }
    reset(f, fd);
    f->next = opened;
    opened = f;
    return f;
}

FILE *fopen(const char *restrict path, const char *restrict mode) {
    struct stream probe;
    int flags = parse_mode(mode, &probe);
    int fd = flags < 0 ? -1 : open(path, flags);
    FILE *f = fd < 0 ? NULL : fdopen(fd, mode);
    if (!f && fd >= 0)
        close(fd);
    return f;
}

FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f) {
    struct stream wanted = *f;
    int flags = parse_mode(mode, &wanted);
    fflush(f);
    int fd = flags < 0 ? -1 : open(path, flags);
    if (fd < 0)
        return NULL;
    if (fd != f->fd) {
        if (dup2(fd, f->fd) < 0) {
            close(fd);
            return NULL;
        }
        close(fd);
    }
    reset(&wanted, f->fd);
    *f = wanted;
    return f;
}

int fclose(FILE *f) {
    bool ok = empty_buffer(f) && !f->failed;
    ok &= close(f->fd) == 0;
    for (struct stream **link = &opened; *link; link = &(*link)->next) {
        if (*link == f) {
            *link = f->next;
            free(f->buf);
            free(f);
            break;
        }
    }
    return ok ? 0 : EOF;
}

int fflush(FILE *f) {
    bool ok = true;
    if (f)
        return empty_buffer(f) ? 0 : EOF;
    ok &= empty_buffer(stdout);
    ok &= empty_buffer(stderr);
    for (f = opened; f; f = f->next)
        ok &= empty_buffer(f);
    return ok ? 0 : EOF;
}

int fileno(FILE *f) { return f->fd; }

int setvbuf(FILE *restrict f, char *restrict buf, int mode, size_t size) {
    (void)buf, (void)size;
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    f->mode = mode;
    return 0;
}

void setbuf(FILE *restrict f, char *restrict buf) { setvbuf(f, NULL, buf ? _IOFBF : _IONBF, 0); }

/* ---- output -------------------------------------------------------------- */

/* Adds to the buffer; the call's end decides what is written now. */
static bool add(struct stream *f, const char *p, size_t n) {
    if (f->at == 0 && n >= BUFSIZ)
        return write_all(f, p, n);
    while (n > 0) {
        size_t part = BUFSIZ - f->at < n ? BUFSIZ - f->at : n;
        memcpy(f->buf + f->at, p, part);
        f->at += part, p += part, n -= part;
        if (f->at == BUFSIZ && !empty_buffer(f))
            return false;
    }
    return true;
}

/* Ends a call that has added n bytes of which the last was at the buffer's end. */
static bool settle(struct stream *f, bool newline) {
    if (f->mode == _IONBF || (f->mode == _IOLBF && newline))
        return empty_buffer(f);
    return true;
}

size_t fwrite(const void *restrict p, size_t size, size_t count, FILE *restrict f) {
    size_t n = size * count;
    if (n == 0 || !start_writing(f))
        return 0;
    return add(f, p, n) && settle(f, memchr(p, '\n', n) != NULL) ? count : 0;
}

int fputs(const char *restrict s, FILE *restrict f) {
    size_t n = strlen(s);
    return n == 0 || fwrite(s, 1, n, f) == n ? 0 : EOF;
}

int fputc(int c, FILE *f) {
    char byte = (char)c;
    return fwrite(&byte, 1, 1, f) == 1 ? (unsigned char)byte : EOF;
}

int putc(int c, FILE *f) { return fputc(c, f); }
int putchar(int c) { return fputc(c, stdout); }

int puts(const char *s) { return fputs(s, stdout) < 0 ? EOF : fputc('\n', stdout); }

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
    if (!start_writing(f))
        return -1;
    int n = format(print_sink, &p, fmt, ap);
    return p.ok && settle(f, p.newline) ? n : -1;
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
    static char buf[UNGET + BUFSIZ];
    struct stream f = {.fd = fd, .can_write = true, .mode = _IONBF, .buf = buf};
    va_list ap;
    va_start(ap, fmt);
    int n = vfprintf(&f, fmt, ap);
    va_end(ap);
    return n;
}

/* ---- input --------------------------------------------------------------- */

int fgetc(FILE *f) {
    if (!start_reading(f) || (f->at == f->end && !fill(f)))
        return EOF;
    return (unsigned char)f->buf[f->at++];
}

int getc(FILE *f) { return fgetc(f); }
int getchar(void) { return fgetc(stdin); }

int ungetc(int c, FILE *f) {
    if (c == EOF || !start_reading(f) || f->at == 0)
        return EOF;
    f->buf[--f->at] = (char)c;
    f->at_end = false;
    return (unsigned char)c;
}

size_t fread(void *restrict p, size_t size, size_t count, FILE *restrict f) {
    char *to = p;
    size_t left = size * count;
    if (left == 0 || !start_reading(f))
        return 0;
    while (left > 0 && (f->at < f->end || fill(f))) {
        size_t part = f->end - f->at < left ? f->end - f->at : left;
        memcpy(to, f->buf + f->at, part);
        f->at += part, to += part, left -= part;
    }
    return (size * count - left) / size;
}

char *fgets(char *restrict s, int size, FILE *restrict f) {
    int n = 0, c = 0;
    while (n < size - 1 && c != '\n' && (c = fgetc(f)) != EOF)
        s[n++] = (char)c;
    if (size <= 0 || (n == 0 && c == EOF))
        return NULL;
    s[n] = 0;
    return s;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delim, FILE *restrict f) {
    size_t n = 0;
    int c = 0;
    if (!*line)
        *size = 0;
    while (n == 0 || c != delim) {
        if (n + 2 > *size) {
            size_t more = *size < 64 ? 128 : *size * 2;
            char *bigger = realloc(*line, more);
            if (!bigger)
                return -1;
            *line = bigger;
            *size = more;
        }
        if ((c = fgetc(f)) == EOF)
            break;
        (*line)[n++] = (char)c;
    }
    (*line)[n] = 0;
    return n > 0 ? (ssize_t)n : -1;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f) {
    return getdelim(line, size, '\n', f);
}

/* ---- position and state -------------------------------------------------- */

int fseek(FILE *f, long offset, int whence) {
    if (!empty_buffer(f))
        return -1;
    if (!f->writing && whence == SEEK_CUR)
        offset -= (long)(f->end - f->at);
    if (lseek(f->fd, offset, whence) < 0)
        return -1;
    f->writing = false;
    f->at = f->end = UNGET;
    f->at_end = false;
    return 0;
}

long ftell(FILE *f) {
    off_t at = lseek(f->fd, 0, f->append && f->writing ? SEEK_END : SEEK_CUR);
    if (at < 0)
        return -1;
    return at + (f->writing ? (long)f->at : -(long)(f->end - f->at));
}

void rewind(FILE *f) {
    fseek(f, 0, SEEK_SET);
    f->failed = false;
}

int feof(FILE *f) { return f->at_end; }
int ferror(FILE *f) { return f->failed; }

void clearerr(FILE *f) { f->at_end = f->failed = false; }
