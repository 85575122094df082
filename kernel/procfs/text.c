/* Texts that grow: see text.h. */
#include "procfs/text.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/uaccess.h"
#include <stdarg.h>

#define ROOM (PAGE_SIZE - sizeof(struct text_page *))

struct text_page {
    struct text_page *next;
    char bytes[ROOM];
};
_Static_assert(sizeof(struct text_page) == PAGE_SIZE, "a frame");

static bool add_page(struct text *t) {
    paddr_t frame;
    t->cut = t->cut || frame_alloc(&frame);
    if (t->cut)
        return false;
    struct text_page *page = pa_ptr(frame);
    page->next = NULL;
    if (t->last)
        t->last->next = page;
    else
        t->first = page;
    t->last = page;
    return true;
}

void text_byte(struct text *t, char byte) {
    if (t->bytes % ROOM == 0 && !add_page(t))
        return;
    t->last->bytes[t->bytes++ % ROOM] = byte;
}

void text_print(struct text *t, const char *format, ...) {
    char line[TEXT_LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (const char *c = line; *c && !t->cut; c++)
        text_byte(t, *c);
}

int text_read(const struct text *t, uint64_t offset, uaddr_t dst, size_t n, size_t *done) {
    const struct text_page *page = t->first;
    *done = 0;
    if (offset >= t->bytes)
        return 0;
    uint64_t end = offset + MIN((uint64_t)n, t->bytes - offset);
    for (uint64_t at = 0; at < end; at += ROOM, page = page->next) {
        if (at + ROOM <= offset)
            continue;
        uint64_t from = MAX(at, offset), to = MIN(at + ROOM, end);
        int err = copyout(UA(dst.v + *done), page->bytes + (from - at), to - from);
        if (err)
            return err;
        *done += to - from;
    }
    return 0;
}

void text_free(struct text *t) {
    while (t->first) {
        struct text_page *page = t->first;
        t->first = page->next;
        frame_free(ptr_pa(page));
    }
}
