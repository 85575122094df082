/* The lines that a shell has read, to be recalled: one after the other in one piece of memory,
 * each with a newline behind it. When it is full the oldest go. The caller has the lock. */
#pragma once
#include "lib/types.h"

#define HISTORY_BYTES 4096
#define HISTORY_LINE 512 /* longer lines are not kept */

struct line_history {
    uint32_t used;  /* [0, used) are the lines; behind them stands the draft */
    uint32_t shown; /* where the line begins that is shown; used: what was typed */
    uint32_t draft; /* bytes of what was typed, while another line is shown */
    char *text;     /* HISTORY_BYTES of room; NULL: none is kept */
};

/* A new line, of n > 0 bytes: room for them, which the caller fills; then it is kept, unless it is
 * the same as the one before. NULL: it is too long, or none is kept. What was typed is shown after
 * that. */
char *history_room(struct line_history *h, uint32_t n);
void history_keep(struct line_history *h, uint32_t n);

/* The next older line than the one that is shown; and the next newer one, the last of which is what
 * was typed: n bytes at line, when history_older is called for the first time. False: there is
 * none. */
bool history_older(struct line_history *h, const char *line, uint32_t n, const char **text,
                   uint32_t *bytes);
bool history_newer(struct line_history *h, const char **text, uint32_t *bytes);

/* What was shown has been typed, or dropped. */
static inline void history_end(struct line_history *h) { h->shown = h->used; }
