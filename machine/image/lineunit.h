/* A unit of .debug_line: its header, and the names that its program uses (DWARF 5, 6.2.4). */
#pragma once
#include "machine/image/reader.h"
#include <stddef.h>

/* Of a file or a directory. */
struct line_name {
    const char *text;   /* in the file's bytes */
    uint32_t directory; /* of a file: the index of another name, or LINE_NAME_NONE */
};
#define LINE_NAME_NONE UINT32_MAX

struct line_names {
    struct line_name *list; /* NULL: names are only counted */
    size_t count;
};

/* Where names may be, besides in the unit. */
struct line_strings {
    struct reader str, line_str; /* .debug_str, .debug_line_str */
};

struct line_unit {
    unsigned version;
    unsigned offset_bytes; /* 4, or 8 in DWARF with 64 bits */
    uint8_t min_instruction_bytes;
    int8_t line_base;
    uint8_t line_range;
    uint8_t opcode_base;
    const uint8_t *operands;              /* how many opcode 1, 2 ... has, up to opcode_base */
    uint32_t directories, files;          /* how many */
    uint32_t first_directory, first_file; /* in the names */
    struct reader program;
};

/* Takes the next unit from the section, and appends its names. False: the section has ended, or
 * nothing of the rest can be read. A unit whose header cannot be understood has no program. */
bool line_unit_next(struct line_unit *unit, struct reader *section,
                    const struct line_strings *strings, struct line_names *names);

/* Takes an entry as units before version 5 have them; its end is one that is empty, and false. */
bool line_unit_add_file(struct line_unit *unit, struct reader *r, struct line_names *names);

/* The index of a file in the names, by the number that the unit's program has for it. */
uint32_t line_unit_file(const struct line_unit *unit, uint64_t number);
