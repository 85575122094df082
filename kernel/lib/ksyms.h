/* Names of the kernel's functions, and lines of its source, for backtraces.
 *
 * The kernel is linked twice: tools/symbols.awk and linetable.awk make the tables from the
 * first link, where tables of length 0 (ksyms_none.c) stand in their place. */
#pragma once
#include "lib/types.h"

struct ksym {
    uint64_t addr;
    uint32_t name; /* where in ksyms_names */
    uint32_t zero;
};
_Static_assert(sizeof(struct ksym) == 16, "as tools/symbols.awk writes it");

extern const uint64_t ksyms_count;
extern const struct ksym ksyms_table[]; /* by rising address */
extern const char ksyms_names[];        /* each ends in a zero byte */

/* The function that addr lies in, and how many bytes into it. NULL outside of the
 * kernel's text, whose end is the last symbol of the table, and without a table;
 * then *offset is unchanged. */
const char *ksym_lookup(uint64_t addr, uint64_t *offset);

struct kline {
    uint32_t addr; /* the lower half: all of the kernel's text has the same upper one */
    uint16_t line;
    uint16_t file; /* by number in klines_files */
};
_Static_assert(sizeof(struct kline) == 8, "as tools/linetable.awk writes it");

extern const uint64_t klines_count;
extern const struct kline klines_table[]; /* by rising address */
extern const uint32_t klines_files[];     /* where in klines_names */
extern const char klines_names[];

/* The source file, without its folder, and the line of the code at an address that
 * ksym_lookup knows; NULL without a table. */
const char *kline_lookup(uint64_t addr, unsigned *line);
