/* exec: a new program for the running process. */
#pragma once
#include "mm/aspace.h"
#include "proc/interface.h"
#include "syscall/arguments.h"
#include "syscall/program.h"

/* Runs path with the arguments argv (kernel strings, up to a NULL), from the first
 * process at boot. On success the process's next return to user mode enters the
 * program, as its interface has it; its old memory is gone. On error the
 * process goes on as before: -K_ENOENT and what a path can give, of a script's or a program's
 * interpreter, too; -K_ENOEXEC, -K_E2BIG, -K_ENOMEM, -K_EIO; -K_ELOOP: scripts whose interpreters
 * are scripts, too many; -K_ELIBBAD, -K_EACCES: a program's interpreter is none, or no file; so is
 * a script's: -K_EACCES. */
int exec_kernel(const char *path, const char *const *argv) must_check;

/* The arrays of strings in the running process's memory. */
struct exec_strings {
    uint64_t argv, envp;
    bool environment; /* the program gets one, if only an empty one; envp may be 0 */
    bool empty_argv;  /* argv may be 0, or name nothing: the program has an empty argument then */
};

/* The same for the running process, whatever its interface is. *result: what the program finds
 * where the call's result would be. Also -K_EFAULT. */
int exec_path(const char *path, const struct exec_strings *s, uint64_t *result) must_check;

/* Whether a path that is no program, and no script, is that of something else than a file. */
bool exec_is_no_file(const char *path) must_check;
/* Whether it is a file that nobody may execute; xv6's programs are not asked for that. */
bool exec_is_forbidden(const char *path) must_check;

/* ---- programs of another system ---- */

/* Where one starts, which is settled before it has memory. */
struct foreign_start {
    uint64_t sp, end;     /* what of the stack is to be filled */
    uint64_t phdr, phnum; /* its program headers: address, and how many */
    uint64_t entry;       /* its own, whoever is entered */
    uint64_t base;        /* how far its interpreter was moved; 0: it has none */
};

/* How they are told and started; mm/elf.h has planned all of them as ours. */
struct foreign_programs {
    const struct interface *interface;
    /* Whether the program is one of theirs. -K_EIO, -K_ENOEXEC: it contradicts itself. */
    int (*is_one)(struct node *file, const struct program *p, bool *is);
    /* Changes in p->plan what their programs have otherwise, moves one that is movable, and puts
     * the name of its interpreter into p->interpreter if it asks for one. -K_ENOEXEC, -K_EIO. */
    int (*plan)(struct node *file, struct program *p, const struct arguments *a, const char *path,
                struct foreign_start *start);
    /* Moves the interpreter, whose headers p has, to where there is room. -K_ENOEXEC: it cannot be
     * one; -K_ENOMEM: there is none. */
    int (*place)(struct aspace *as, struct program *p, struct foreign_start *start);
    /* In the new space, which nobody runs. -K_ENOMEM. */
    int (*fill_stack)(struct aspace *as, const struct arguments *a, const char *path,
                      const struct foreign_start *start);
};

/* From now on exec knows such programs, too. At boot, once. */
void exec_add_foreign(const struct foreign_programs *programs);
