/* User memory in pieces: see span.h. */
#include "socket/span.h"
#include "lib/errno.h"

struct entry {
    uint64_t base, bytes;
};

int span_bytes(const struct span *s, size_t *bytes) {
    uint64_t all = s->bytes;
    for (uint64_t i = 0; i < s->entries; i++) {
        struct entry e;
        int err = copyin(&e, UA(s->vector + i * sizeof(e)), sizeof(e));
        if (err)
            return err;
        if (__builtin_add_overflow(all, e.bytes, &all) || (int64_t)all < 0)
            return -K_EINVAL;
    }
    *bytes = all;
    return 0;
}

/* Goes on to the next piece that is not empty. */
static int next_piece(struct span *s) {
    while (s->bytes == 0) {
        struct entry e;
        int err = s->entries ? copyin(&e, UA(s->vector), sizeof(e)) : -K_EFAULT;
        if (err)
            return err;
        s->vector += sizeof(e);
        s->entries--;
        s->base = e.base;
        s->bytes = e.bytes;
    }
    return 0;
}

static void advance(struct span *s, size_t n, size_t *done) {
    s->base += n;
    s->bytes -= n;
    *done += n;
}

int span_in(struct span *s, void *dst, size_t n, size_t *done) {
    for (*done = 0; *done < n;) {
        int err = next_piece(s);
        size_t len = MIN(n - *done, (size_t)s->bytes);
        if (!err)
            err = copyin((char *)dst + *done, UA(s->base), len);
        if (err)
            return err;
        advance(s, len, done);
    }
    return 0;
}

int span_out(struct span *s, const void *src, size_t n, size_t *done) {
    for (*done = 0; *done < n;) {
        int err = next_piece(s);
        size_t len = MIN(n - *done, (size_t)s->bytes);
        if (!err)
            err = copyout(UA(s->base), (const char *)src + *done, len);
        if (err)
            return err;
        advance(s, len, done);
    }
    return 0;
}
