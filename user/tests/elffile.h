/* An ELF file (ELF-64 object file format 1.5) that is built here, made wrong in some place perhaps,
 * saved and executed: for the tests of those that must run (elf.c) and those that must not
 * (elfbad.c). */
#pragma once
#include "test.h"
#include <string.h>

struct ehdr {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct ehdr) == 64 && sizeof(struct phdr) == 56, "as the format has them");
enum { PT_NULL = 0, PT_LOAD = 1, PT_NOTE = 4, PT_RISCV_ATTRIBUTES = 0x70000003 };
enum { R = 4, W = 2, X = 1 };

/* Headers in front, like older toolchains link small programs: the segment's
 * offset is not on a page border. */
extern struct elf {
    struct ehdr eh;
    struct phdr ph[3];
    char body[3 * 4096];
} elf;
#define BODY offsetof(struct elf, body)

/* A file of one segment, of n bytes that begin with this code. */
void elf_make(const char *code, unsigned n, unsigned flags);
#define MAKE(program, flags) \
    elf_make(program_##program, program_##program##_end - program_##program, flags)

/* A second segment at 4096 with these flags and this word in it. */
void elf_add_data(unsigned flags, uint32_t word, uint64_t memsz);

/* Headers and code, and some bytes after it that belong to no segment. */
unsigned elf_size(void);

/* Writes the first n bytes of it to a file; and runs that as p: its status. */
void elf_save(const char *path, unsigned n);
int elf_run(unsigned n);
