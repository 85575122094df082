/* Names of the kernel's functions, for backtraces.
 *
 * The kernel is linked twice: tools/symbols.awk makes the table from the first
 * link, where a table of length 0 (ksyms_none.c) stands in its place. */
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
