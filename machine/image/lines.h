/* Source lines by address, from .debug_line (DWARF 5, 6.2; versions 2 to 4 have other headers). */
#pragma once
#include "machine/image/elf.h"
#include "machine/image/lineunit.h"

/* From its address on, to that of the next row. */
struct line_row {
    uint64_t address;
    uint32_t line; /* 0: no source */
    uint32_t file; /* index of a name, or LINE_NAME_NONE */
};

/* Code in one piece, of one unit, whose rows are sorted. */
struct line_sequence {
    uint64_t start, end;
    uint64_t furthest; /* the largest end until here */
    uint32_t first, count;
};

/* Sequences are sorted by start. All of it takes no more than 16 times the room of .debug_line,
 * as a row or a name takes a byte there at least. */
struct lines {
    struct line_row *rows;
    struct line_sequence *sequences;
    struct line_names names;
    size_t row_count, sequence_count;
    size_t row_room; /* the largest row_count on the way, as rows may be given up */
};

struct line_place {
    const char *directory; /* as the compiler was given it; "" for that where it ran */
    const char *file;
    uint32_t line;
};

/* Reads the table; of a damaged one what is before the damage, in each unit. False: no memory, and
 * there is no line. The file's bytes stay in use. */
bool lines_read(struct lines *lines, const struct elf *elf);
void lines_free(struct lines *lines);

/* The line that an instruction is of. False: unknown, and *place is as it was. */
bool lines_find(const struct lines *lines, uint64_t address, struct line_place *place);
