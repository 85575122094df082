/* Streams: opening, closing, flushing, and what they are like. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stream.h"

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
    static uint64_t last_number;
    library_lock(&streams_lock);
    f->number = ++last_number;
    f->next = streams;
    streams = f;
    library_unlock(&streams_lock);
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

static FILE *open_again(const char *path, const char *mode, FILE *f) {
    struct stream wanted;
    int flags = parse_mode(mode, &wanted);
    stream_empty(f);
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
    parse_mode(mode, f);
    reset(f, f->fd);
    return f;
}

FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f) {
    stream_lock(f);
    FILE *opened = open_again(path, mode, f);
    stream_unlock(f);
    return opened;
}

/* Out of the list, so that nobody finds it any more. */
static bool forget(struct stream *f) {
    library_lock(&streams_lock);
    struct stream **link = &streams;
    while (*link && *link != f)
        link = &(*link)->next;
    bool found = *link;
    if (found)
        *link = f->next;
    library_unlock(&streams_lock);
    return found;
}

/* One that is in the list no more, when nobody needs it any longer. */
static void free_unused(struct stream *f, bool closes) {
    library_lock(&streams_lock);
    f->closed |= closes;
    f->users -= !closes;
    bool unused = f->closed && f->users == 0;
    library_unlock(&streams_lock);
    if (unused) {
        free(f->buf);
        free(f);
    }
}

int fclose(FILE *f) {
    bool found = forget(f);
    stream_lock(f);
    bool ok = stream_empty(f) && !f->failed;
    ok &= close(f->fd) == 0;
    stream_unlock(f);
    if (found)
        free_unused(f, true);
    return ok ? 0 : EOF;
}

/* One that waits for input has nothing to write, and its lock is not to be had. */
static bool flush(struct stream *f) {
    if (!__atomic_load_n(&f->writing, __ATOMIC_RELAXED))
        return true;
    stream_lock(f);
    bool ok = stream_empty(f);
    stream_unlock(f);
    return ok;
}

/* The newest one that was made before this; it stays until free_unused. NULL: there is none. */
static struct stream *use_older(uint64_t number) {
    library_lock(&streams_lock);
    struct stream *f = streams;
    while (f && f->number >= number)
        f = f->next;
    if (f)
        f->users++;
    library_unlock(&streams_lock);
    return f;
}

int fflush(FILE *f) {
    if (f)
        return flush(f) ? 0 : EOF;
    bool ok = flush(stdout);
    ok &= flush(stderr);
    for (uint64_t number = UINT64_MAX; (f = use_older(number));) {
        number = f->number;
        ok &= flush(f);
        free_unused(f, false);
    }
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

/* ---- position and state -------------------------------------------------- */

static int seek(FILE *f, long offset, int whence) {
    if (!stream_empty(f))
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

int fseek(FILE *f, long offset, int whence) {
    stream_lock(f);
    int r = seek(f, offset, whence);
    stream_unlock(f);
    return r;
}

static long position(FILE *f) {
    off_t at = lseek(f->fd, 0, f->append && f->writing ? SEEK_END : SEEK_CUR);
    if (at < 0)
        return -1;
    return at + (f->writing ? (long)f->at : -(long)(f->end - f->at));
}

long ftell(FILE *f) {
    stream_lock(f);
    long at = position(f);
    stream_unlock(f);
    return at;
}

void rewind(FILE *f) {
    stream_lock(f);
    seek(f, 0, SEEK_SET);
    f->failed = false;
    stream_unlock(f);
}

int feof(FILE *f) { return f->at_end; }
int ferror(FILE *f) { return f->failed; }

void clearerr(FILE *f) { f->at_end = f->failed = false; }
