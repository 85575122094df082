/* The file of a program, or of its interpreter, as exec reads it. */
#pragma once
#include "mm/aspace.h"
#include "syscall/script.h"

struct node;

/* What stands in a file's headers, and what exec finds out from them; too large for a kernel stack,
 * so it has a frame. */
struct program {
    struct elf_header elf;
    struct elf_phdr phdr[ELF_MAX_PHDRS];
    struct elf_plan plan;
    struct script script;          /* what the file says instead, if it is none */
    char file[SCRIPT_NAME];        /* the script's interpreter, when that is looked for */
    char interpreter[SCRIPT_NAME]; /* what the program has asked for; else empty */
};
_Static_assert(sizeof(struct program) <= PAGE_SIZE, "headers fit a frame");

/* The operations of node.h on files that may be run. Between these two the file does not change.
 * -K_ENOEXEC: it is no file; -K_EACCES: its mount forbids it; then there is no end. */
int program_begin(struct node *file, uint64_t *size) must_check;
void program_end(struct node *file);

/* All n bytes. -K_ENOEXEC: the file ends too early; -K_EIO. */
int program_read(struct node *file, uint64_t offset, void *dst, size_t n) must_check;

/* Reads the headers and makes the plan. -K_ENOEXEC: no executable; p->script has what it says if it
 * is a script, and no name otherwise. -K_EIO. */
int program_read_headers(struct node *file, uint64_t size, struct program *p) must_check;

/* aspace_load, and aspace_load_more, with the pages that the file has for the plan; their errors,
 * and the file's own: -K_ETXTBSY, -K_ENOMEM. What of these is not in memory comes when it is
 * touched. */
int program_load(struct aspace *as, struct node *file, const struct elf_plan *plan,
                 paddr_t stack) must_check;
int program_load_more(struct aspace *as, struct node *file, const struct elf_plan *plan) must_check;

/* The bytes of the file that its segments have in pages of their own. Once. -K_ENOMEM, -K_EIO,
 * -K_ENOEXEC. */
int program_copy(struct aspace *as, struct node *file, const struct elf_plan *plan) must_check;
