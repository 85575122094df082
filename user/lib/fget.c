/* Streams: input. */
#include <stdlib.h>
#include <string.h>
#include "stream.h"

int fgetc(FILE *f) {
    if (!several_threads)
        return stream_get(f);
    flockfile(f);
    int c = stream_get(f);
    funlockfile(f);
    return c;
}

int getc(FILE *f) { return fgetc(f); }
int getchar(void) { return fgetc(stdin); }
int getc_unlocked(FILE *f) { return stream_get(f); }
int getchar_unlocked(void) { return stream_get(stdin); }

int ungetc(int c, FILE *f) {
    stream_lock(f);
    bool ok = c != EOF && stream_begin_reading(f) && f->at > 0;
    if (ok) {
        f->buf[--f->at] = (char)c;
        f->at_end = false;
    }
    stream_unlock(f);
    return ok ? (unsigned char)c : EOF;
}

size_t fread(void *restrict p, size_t size, size_t count, FILE *restrict f) {
    char *to = p;
    size_t left = size * count;
    if (left == 0)
        return 0;
    stream_lock(f);
    bool ok = stream_begin_reading(f);
    while (ok && left > 0 && (f->at < f->end || stream_fill(f))) {
        size_t part = f->end - f->at < left ? f->end - f->at : left;
        memcpy(to, f->buf + f->at, part);
        f->at += part, to += part, left -= part;
    }
    stream_unlock(f);
    return (size * count - left) / size;
}

char *fgets(char *restrict s, int size, FILE *restrict f) {
    int n = 0, c = 0;
    stream_lock(f);
    while (n < size - 1 && c != '\n' && (c = stream_get(f)) != EOF)
        s[n++] = (char)c;
    stream_unlock(f);
    if (size <= 0 || (n == 0 && c == EOF))
        return NULL;
    s[n] = 0;
    return s;
}

static ssize_t get_line(char **line, size_t *size, int delim, FILE *f) {
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
        if ((c = stream_get(f)) == EOF)
            break;
        (*line)[n++] = (char)c;
    }
    (*line)[n] = 0;
    return n > 0 ? (ssize_t)n : -1;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int delim, FILE *restrict f) {
    stream_lock(f);
    ssize_t n = get_line(line, size, delim, f);
    stream_unlock(f);
    return n;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f) {
    return getdelim(line, size, '\n', f);
}
