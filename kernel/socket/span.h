/* User memory in pieces, in order: a buffer, or the vector of buffers of one call. */
#pragma once
#include "lib/types.h"
#include "mm/uaccess.h"

struct span {
    uint64_t base, bytes; /* what is left of the piece that it has come to */
    uint64_t vector;      /* user address of the next entry, two words each: base and bytes */
    uint64_t entries;     /* from there on */
};

static inline struct span span_of(uaddr_t base, size_t bytes) {
    return (struct span){.base = base.v, .bytes = bytes};
}

/* How many bytes there are, up to INT64_MAX; the vector is user memory and may say something else
 * afterwards. -K_EFAULT; -K_EINVAL: more than that. */
int span_bytes(const struct span *s, size_t *bytes) must_check;

/* Move the next n bytes. -K_EFAULT, also when there are no more; *done before an error. */
int span_in(struct span *s, void *dst, size_t n, size_t *done) must_check;
int span_out(struct span *s, const void *src, size_t n, size_t *done) must_check;
