/* Where the fields of a kernel's structs are, from .debug_info (DWARF 5, chapters 5 and 7; versions
 * 2 to 4 have other headers). */
#pragma once
#include "machine/image/elf.h"

struct field {
    const char *of, *name; /* `struct of`, and its field */
    bool found;
    uint64_t offset, bytes; /* bytes: of the whole struct */
};

/* Fills in those that it finds, the first of a name; of damaged information what is before the
 * damage, in each unit. */
void fields_find(const struct elf *elf, struct field *fields, unsigned count);
