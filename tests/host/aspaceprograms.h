/* Programs for the processes of aspaceenv.h: what their files are, and exec. */
#pragma once
#include "aspaceenv.h"

/* A program for env_exec; page i of its file begins and ends with a word of its
 * own, and the rest is zero. */
#define ENV_PROGRAMS 7
struct env_program {
    uint32_t segments;
    struct {
        uint64_t start, file_pages, pages, perm;
        uint64_t copied; /* of the file's pages, the last ones: the last one, or all */
    } segment[3];
};
extern const struct env_program env_programs[ENV_PROGRAMS];

/* What stands for its file, as the object of its mappings: it is there while somebody runs it. */
struct env_file {
    struct object object;
    uint32_t users, pages;
    paddr_t page[8];
    unsigned program;
    uint64_t version;
};
uint64_t env_program_word(unsigned program, uint32_t page);
#define ENV_STACK_WORD 0x57ac57ac57ac57acULL /* at both ends of a new stack page */

/* As exec of env_programs[program]; version as a rewritten file has another one.
 * -K_ENOMEM: the process goes on as before. */
int env_exec(struct env_proc *p, unsigned program, uint64_t version);

/* For a fresh machine: there are no files, and their frames are forgotten. */
void env_forget_programs(void);
