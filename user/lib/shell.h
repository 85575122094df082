/* What the parts of the shell have in common. */
#pragma once
#include <stdio.h>

/* One line on standard error: what was wrong, and with what (may be NULL). */
static inline void complain(const char *what, const char *why) {
    if (what)
        fprintf(stderr, "sh: %s: %s\n", what, why);
    else
        fprintf(stderr, "sh: %s\n", why);
}
