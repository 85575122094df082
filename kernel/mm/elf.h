/* ELF executables: which ones can run here, and what they ask for. Pure checks
 * of bytes, without memory or files; the host tests and fuzzes them.
 * (System V ABI, chapters 4 and 5; RISC-V ELF psABI, 8.) */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

struct object;

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_phdr) == 56, "ELF64 program header");

#define ELF_MAX_PHDRS 32
#define ELF_SEGMENTS 8

/* One loadable segment, checked. */
struct elf_segment {
    uint64_t offset, filesz; /* in the file */
    uint64_t vaddr, memsz;   /* memsz >= filesz, memsz > 0 */
    uint64_t perm;           /* PTE_R, with PTE_W and PTE_X as the flags say */
};

/* Where a segment's pages come from, in ascending order: from the file, whose pages they are, as
 * they stand there; from copies of what the file has, the rest of each zero; and zeros. */
struct elf_pages {
    uint64_t start, shown, copied, end; /* page-aligned addresses: where the first part begins, and
                                         * where the three parts end */
    uint64_t first;                     /* the number of the first part's first page in the file */
};

/* A page is shown if it is as far into the file as into memory, modulo the page, and has no bytes
 * that must be zero: those behind filesz that are part of memsz. What else a page of the file has
 * is to be seen around the segment. */
struct elf_pages elf_pages(const struct elf_segment *s);

/* What such a page is called, as object.h's name. */
const char *elf_name(const struct object *program, uint64_t perm);

struct elf_plan {
    uint64_t entry;
    uint32_t segments; /* in ascending order, none on another's pages */
    uint64_t pages;    /* of the file, from its first one on, up to the last one that is shown */
    uint64_t end;      /* of the last segment, page-aligned */
    uint64_t stack;    /* bytes that PT_GNU_STACK asks for, page-aligned; 0: as xv6, one page */
    bool movable;      /* ET_DYN: it may be loaded anywhere */
    /* elf_plan leaves these at 0, for programs as xv6 and we have them. */
    uint64_t moved;        /* by elf_move, modulo 2^64 */
    uint64_t map_below;    /* mmap looks for room below that first */
    uint64_t stack_end;    /* the stack ends there, and the heap begins behind the program */
    uint64_t stack_filled; /* bytes of the stack that are used from the start */
    struct elf_segment segment[ELF_SEGMENTS];
};

/* Whether the header is one of an executable or shared object for this machine, whose program
 * headers lie in a file of file_size bytes. -K_ENOEXEC: no. */
int elf_check_header(const struct elf_header *h, uint64_t file_size) must_check;

/* What the program headers ask for. -K_ENOEXEC: sizes that wrap or contradict each
 * other or the file, an address that is neither page-aligned nor as far into its page as the
 * offset (ELF's rule; xv6's is the other), a page of two segments, descending ones, more than
 * ELF_SEGMENTS, no room for the stack (a page when PT_GNU_STACK has no size)
 * below USER_MAX, or an entry that is not in an executable segment. Then *plan means
 * nothing. */
int elf_plan(const struct elf_header *h, const struct elf_phdr *phdr, uint64_t file_size,
             struct elf_plan *plan) must_check;

/* Has a plan that elf_plan made, of a movable program, begin at `start`, page-aligned and below
 * USER_MAX; its end may be beyond. */
void elf_move(struct elf_plan *plan, uint64_t start);
