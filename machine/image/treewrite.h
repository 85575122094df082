/* Writes a flattened device tree of version 17, token by token (Devicetree Specification 0.4,
 * chapter 5). When the room ends `full` is set, and nothing more is written.
 *
 * The structure block grows up from the header and the block of strings is put behind it at the
 * end; until then the strings are at the end of the room, where new ones go below older ones. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree {
    uint8_t *out;
    size_t at;           /* the end of the structure block until now */
    size_t strings, end; /* the strings until now, and the end of the room */
    bool full;
};

void tree_start(struct tree *t, uint8_t *out, size_t room);
/* The size of all, or -1 when it was too much. */
int64_t tree_finish(struct tree *t);

void tree_begin(struct tree *t, const char *node);
/* The name gets the unit address @unit, in hexadecimal. */
void tree_begin_at(struct tree *t, const char *node, uint64_t unit);
void tree_end(struct tree *t);

void tree_bytes(struct tree *t, const char *name, const void *bytes, size_t count);
void tree_empty(struct tree *t, const char *name);
void tree_string(struct tree *t, const char *name, const char *value);
void tree_cell(struct tree *t, const char *name, uint32_t cell);
/* One or two numbers of two cells each. */
void tree_number(struct tree *t, const char *name, uint64_t number);
void tree_numbers(struct tree *t, const char *name, uint64_t first, uint64_t second);
void tree_cells(struct tree *t, const char *name, const uint32_t *cells, unsigned count);
