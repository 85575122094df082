/* A process with real memory (aspaceenv.h) in a real file system: its system calls, with arguments
 * in its own memory. */
#pragma once
#include "aspaceenv.h"
#include "lib/abi.h"
#include "proc/proc.h"

/* A machine that has mounted an empty disk, and on it one process without a program, under the
 * design with this number; false: there is none. */
bool execenv_fresh(unsigned design);
/* The process ends. All that it had is given back, else the test fails. */
void execenv_end(void);

extern struct env_proc *exec_proc; /* the process's memory; proc_self() is the rest of it */

/* All that an exec which fails leaves as it was, of the process, of memory, and of some files: to
 * be compared by its bytes. What is only cached is given back first. */
#define EXECENV_FILES 4
struct execenv_state {
    uint64_t hash, cached;
    uint32_t refs[EXECENV_FILES];
    struct filemap *map[EXECENV_FILES];
    struct trapframe frame;
    char name[16];
};
struct inode;
struct execenv_state execenv_state(struct inode *const *files, unsigned n);

/* The user's memory. These fail the test when it cannot be touched. */
void user_write(uint64_t to, const void *from, size_t n);
void user_read(void *to, uint64_t from, size_t n);
uint64_t user_word(uint64_t from);

/* heap: memory of the process's own that these may write, with room for the arguments and, of a
 * file, for its contents. */
/* A new file. */
void user_makes_file(uint64_t heap, const char *path, const void *contents, size_t n);

/* exec with these arguments: 0 or an error. */
int user_execs(uint64_t heap, const char *path, const char *const *argv);

/* Moves the break: the old one. */
uint64_t user_sbrk(int64_t delta);
