/* The names of an image's functions and data, by address and by name (System V ABI, chapter 4,
 * symbol table). Left out are names that tools made for themselves: $x, .L and the like. */
#pragma once
#include "machine/image/elf.h"

struct symbol {
    uint64_t address;
    uint64_t end;     /* behind its last byte, not below address */
    const char *name; /* in the file's bytes */
    uint32_t order;   /* in the file */
    uint32_t shown;   /* what symbols_find answers from here on: a symbol's index, or SYMBOL_NONE */
    uint8_t rank;     /* the highest of several at one address is found */
    bool global;
};
#define SYMBOL_NONE UINT32_MAX

/* Sorted by address. */
struct symbols {
    struct symbol *list;
    size_t count;
};

/* Reads the table; of a damaged one what can be read. False: no memory, and there are none. The
 * file's bytes stay in use. */
bool symbols_read(struct symbols *symbols, const struct elf *elf);
void symbols_free(struct symbols *symbols);

/* The function or datum that an address is in, and how many bytes from its start; NULL: none. A
 * label inside a function is not found, so that all of the function has one name. */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset);

/* The value of a name, labels included: the global one, or else the lowest local one. False: there
 * is no such name, and *value is as it was. */
bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *value);
