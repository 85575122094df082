/* ELF files of RISC-V with 64 bits (System V ABI, generic part, chapters 4 and 5; RISC-V ELF psABI,
 * chapter 8). Nothing in a file is trusted: whatever its bytes are, what is handed out lies inside
 * of it. Nothing is copied, so the bytes must stay as long as what was read from them. */
#pragma once
#include "machine/image/reader.h"
#include <stddef.h>

struct image_file {
    const char *name; /* in messages */
    const uint8_t *bytes;
    uint64_t size;
};

enum { ELF_SEGMENTS_MAX = 32 };

/* A part of the file that belongs into memory: the rest of `size` is zeros. */
struct elf_segment {
    const uint8_t *bytes;
    uint64_t file_size, size;
    uint64_t vaddr, paddr;
};

struct elf {
    struct image_file file;
    uint64_t entry;
    unsigned segments;
    struct elf_segment segment[ELF_SEGMENTS_MAX]; /* none is empty, none passes 2^64 */
    /* The headers of sections; none when they are damaged, since only debugging needs them. */
    const uint8_t *headers;
    unsigned sections, names; /* how many, and the one with their names */
};

struct elf_section {
    uint32_t type, link;
    uint64_t flags, address, size;
    struct reader bytes; /* none when the file has none, or has them compressed */
};

/* Section types and flags. */
enum { ELF_SYMTAB = 2, ELF_STRTAB = 3, ELF_NOBITS = 8 };
enum { ELF_COMPRESSED = 0x800 };

/* Whether it begins like any ELF; else it may be a flat image. */
bool elf_is(const struct image_file *file);

/* Takes the file apart. False: it is not an executable for this machine, and error is a sentence
 * that begins with the file's name. */
bool elf_open(struct elf *elf, const struct image_file *file, char *error, size_t error_size);

/* A section by its number; false when there is none of it inside the file. */
bool elf_section(const struct elf *elf, unsigned number, struct elf_section *out);
/* The bytes of the first section of this name; none of them when there is no such section. */
struct reader elf_section_bytes(const struct elf *elf, const char *name);
