/* Builds ELF files for tests of machine/image. */
#pragma once
#include "machine/image/elf.h"

enum { ELFB_BYTES = 8192, ELFB_STRINGS = 1024, ELFB_SYMBOLS = 32 };

/* Everything stands at a fixed place of the file, so that tests can damage it. */
enum {
    ELFB_SEGMENTS_AT = 64,
    ELFB_TEXT_AT = 0x400,
    ELFB_SYMBOLS_AT = 0x800,
    ELFB_NAMES_AT = 0xc00,
    ELFB_SECTIONS_AT = 0x1000,
    ELFB_FREE_AT = 0x1400,
};

struct elfbuild {
    uint8_t bytes[ELFB_BYTES];
    uint64_t size;
    unsigned segments, sections, symbols;
    uint32_t names; /* bytes of strings: of sections and symbols alike */
};

static inline void elfb_put(struct elfbuild *b, uint64_t at, unsigned bytes, uint64_t v) {
    for (unsigned i = 0; i < bytes; i++)
        b->bytes[at + i] = (uint8_t)(v >> 8 * i);
}

static inline uint32_t elfb_name(struct elfbuild *b, const char *name) {
    uint32_t at = b->names;
    strcpy((char *)b->bytes + ELFB_NAMES_AT + at, name);
    b->names += (uint32_t)strlen(name) + 1;
    return at;
}

/* type 1 is PT_LOAD. */
static inline void elfb_segment(struct elfbuild *b, uint32_t type, uint64_t offset, uint64_t vaddr,
                                uint64_t paddr, uint64_t file_size, uint64_t size) {
    uint64_t fields[] = {type | 5ull << 32, offset, vaddr, paddr, file_size, size, 4096};
    for (unsigned i = 0; i < 7; i++)
        elfb_put(b, ELFB_SEGMENTS_AT + 56 * b->segments + 8 * i, 8, fields[i]);
    elfb_put(b, 56, 2, ++b->segments);
}

static inline unsigned elfb_section(struct elfbuild *b, const char *name, uint32_t type,
                                    uint64_t address, uint64_t offset, uint64_t size,
                                    uint32_t link) {
    uint64_t fields[] = {elfb_name(b, name) | (uint64_t)type << 32, 0, address, offset, size, link};
    for (unsigned i = 0; i < 6; i++)
        elfb_put(b, ELFB_SECTIONS_AT + 64 * b->sections + 8 * i, 8, fields[i]);
    elfb_put(b, 60, 2, b->sections + 1);
    return b->sections++;
}

/* info: the binding in the upper four bits (0 local, 1 global), the type in the lower ones. */
static inline void elfb_symbol(struct elfbuild *b, const char *name, unsigned info,
                               unsigned section, uint64_t value, uint64_t size) {
    uint64_t at = ELFB_SYMBOLS_AT + 24 * b->symbols++;
    elfb_put(b, at, 4, elfb_name(b, name));
    elfb_put(b, at + 4, 1, info);
    elfb_put(b, at + 6, 2, section);
    elfb_put(b, at + 8, 8, value);
    elfb_put(b, at + 16, 8, size);
}

/* The headers alone. Section 1 has the names, and section 2 the symbols that are to come. */
static inline void elfb_start(struct elfbuild *b, uint64_t entry) {
    *b = (struct elfbuild){.size = ELFB_BYTES, .names = 1};
    memcpy(b->bytes, "\177ELF\2\1\1", 7);
    elfb_put(b, 16, 2, 2);
    elfb_put(b, 18, 2, 243);
    elfb_put(b, 20, 4, 1);
    elfb_put(b, 24, 8, entry);
    elfb_put(b, 32, 8, ELFB_SEGMENTS_AT);
    elfb_put(b, 40, 8, ELFB_SECTIONS_AT);
    elfb_put(b, 52, 2, 64);
    elfb_put(b, 54, 2, 56);
    elfb_put(b, 58, 2, 64);
    elfb_put(b, 62, 2, 1);
    elfb_section(b, "", 0, 0, 0, 0, 0);
    elfb_section(b, ".strtab", 3, 0, ELFB_NAMES_AT, ELFB_STRINGS, 0);
    elfb_section(b, ".symtab", 2, 0, ELFB_SYMBOLS_AT, 24 * ELFB_SYMBOLS, 1);
}
