/* The lines that a shell has read: see linehistory.h. */
#include "tty/linehistory.h"
#include "lib/panic.h"
#include "lib/string.h"

/* From a line's beginning to its newline. */
static uint32_t length_at(const struct line_history *h, uint32_t start) {
    uint32_t n = 0;
    while (h->text[start + n] != '\n')
        n++;
    return n;
}

/* The beginning of the line that ends in front of end. */
static uint32_t line_before(const struct line_history *h, uint32_t end) {
    uint32_t start = end - 1;
    while (start > 0 && h->text[start - 1] != '\n')
        start--;
    return start;
}

char *history_room(struct line_history *h, uint32_t n) {
    if (!h->text || n > HISTORY_LINE)
        return NULL;
    uint32_t oldest = 0;
    while (h->used - oldest + n + 1 > HISTORY_BYTES)
        oldest += length_at(h, oldest) + 1;
    h->used -= oldest;
    memmove(h->text, h->text + oldest, h->used);
    history_end(h);
    return h->text + h->used;
}

void history_keep(struct line_history *h, uint32_t n) {
    uint32_t last = h->used ? line_before(h, h->used) : 0;
    ASSERT(h->used + n < HISTORY_BYTES);
    if (h->used - last == n + 1 && !memcmp(h->text + last, h->text + h->used, n))
        return;
    h->text[h->used + n] = '\n';
    h->used += n + 1;
    history_end(h);
}

bool history_older(struct line_history *h, const char *line, uint32_t n, const char **text,
                   uint32_t *bytes) {
    if (h->shown == 0)
        return false;
    if (h->shown == h->used) {
        char *draft = history_room(h, n);
        if (!draft)
            return false;
        memcpy(draft, line, n);
        h->draft = n;
    }
    h->shown = line_before(h, h->shown);
    *text = h->text + h->shown;
    *bytes = length_at(h, h->shown);
    return true;
}

bool history_newer(struct line_history *h, const char **text, uint32_t *bytes) {
    if (h->shown == h->used)
        return false;
    h->shown += length_at(h, h->shown) + 1;
    *text = h->text + h->shown;
    *bytes = h->shown == h->used ? h->draft : length_at(h, h->shown);
    return true;
}
