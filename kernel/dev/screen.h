/* How large the screen is at which somebody looks at the console, in characters: told to programs,
 * and by them; the kernel itself makes no use of it. */
#pragma once
#include "lib/types.h"

struct screen_size {
    _Alignas(uint32_t) uint16_t rows; /* 0: unknown; the same of columns */
    uint16_t columns;
};

/* At boot: what the boot arguments `rows` and `columns` say, where that is a size; else that of the
 * terminals of old, 24 and 80. */
void screen_init(void);

struct screen_size screen_size(void);
/* A new one is SIGWINCH for the foreground. */
void screen_set_size(struct screen_size size);
