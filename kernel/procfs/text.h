/* A text that grows, in frames of its own: the contents of an open file. */
#pragma once
#include "lib/types.h"

struct text_page;
struct text {
    struct text_page *first, *last; /* NULL: nothing was written */
    uint64_t bytes;
    bool cut; /* there was no memory for more: the rest is forgotten */
};

/* Appends; what the format makes has at most TEXT_LINE bytes. */
#define TEXT_LINE 256
void text_print(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_byte(struct text *t, char byte);

/* Copies up to n bytes from offset on to user memory; none behind the end. -K_EFAULT, -K_ENOMEM:
 * *done before that. */
int text_read(const struct text *t, uint64_t offset, uaddr_t dst, size_t n,
              size_t *done) must_check;

void text_free(struct text *t);
