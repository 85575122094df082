/* The streams' buffers and locks: see stream.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stream.h"

static char standard_buf[3][UNGET + BUFSIZ];
static struct stream standard[3] = {
    {.fd = 0, .can_read = true, .mode = -1, .buf = standard_buf[0], .at = UNGET, .end = UNGET},
    {.fd = 1, .can_write = true, .mode = -1, .buf = standard_buf[1]},
    {.fd = 2, .can_write = true, .mode = _IONBF, .buf = standard_buf[2]},
};
FILE *const stdin = &standard[0], *const stdout = &standard[1], *const stderr = &standard[2];
struct stream *streams;
uint32_t streams_lock;

/* ---- locks ---------------------------------------------------------------- */

static bool is_mine(FILE *f) {
    return __atomic_load_n(&f->owner, __ATOMIC_RELAXED) == __builtin_thread_pointer();
}

static void own(FILE *f) {
    __atomic_store_n(&f->owner, __builtin_thread_pointer(), __ATOMIC_RELAXED);
}

void flockfile(FILE *f) {
    if (is_mine(f)) {
        f->depth++;
        return;
    }
    lock_take_called(&f->lock);
    own(f);
}

int ftrylockfile(FILE *f) {
    if (is_mine(f)) {
        f->depth++;
        return 0;
    }
    if (!lock_try(&f->lock))
        return -1;
    own(f);
    return 0;
}

void funlockfile(FILE *f) {
    if (f->depth > 0) {
        f->depth--;
        return;
    }
    __atomic_store_n(&f->owner, NULL, __ATOMIC_RELAXED);
    lock_give_called(&f->lock);
}

static void set_free(struct stream *f) {
    f->lock = 0;
    f->owner = NULL;
    f->depth = 0;
}

void streams_forked(void) {
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
        if (!is_mine(&standard[i]))
            set_free(&standard[i]);
    for (struct stream *f = streams; f; f = f->next) {
        f->users = 0;
        if (!is_mine(f))
            set_free(f);
    }
}

/* ---- buffers ------------------------------------------------------------- */

bool stream_write(struct stream *f, const char *p, size_t n) {
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

bool stream_empty(struct stream *f) {
    bool ok = true;
    if (f->writing) {
        ok = stream_write(f, f->buf, f->at);
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

bool stream_begin_writing(struct stream *f) {
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

bool stream_begin_reading(struct stream *f) {
    if (!f->can_read) {
        errno = EBADF;
        f->failed = true;
        return false;
    }
    if (!prepare(f) || !stream_empty(f))
        return false;
    if (f->writing) {
        f->writing = false;
        f->at = f->end = UNGET;
    }
    return true;
}

bool stream_fill(struct stream *f) {
    if (f == stdin && stdout->writing && stdout->mode == _IOLBF)
        fflush(stdout);
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

int stream_get(struct stream *f) {
    if (!stream_begin_reading(f) || (f->at == f->end && !stream_fill(f)))
        return EOF;
    return (unsigned char)f->buf[f->at++];
}
