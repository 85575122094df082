/* exec: a new program for the running process. */
#pragma once
#include "mm/aspace.h"
#include "proc/interface.h"
#include "syscall/arguments.h"

/* Runs path with the arguments argv (kernel strings, up to a NULL), from the first
 * process at boot. On success the process's next return to user mode enters the
 * program, as its interface has it; its old memory is gone. On error the
 * process goes on as before: -K_ENOENT and what a path can give, -K_ENOEXEC,
 * -K_E2BIG, -K_ENOMEM, -K_EIO. */
int exec_kernel(const char *path, const char *const *argv) must_check;

/* ---- programs of another system ---- */

/* Where one starts, which is settled before it has memory. */
struct foreign_start {
    uint64_t sp, end;     /* what of the stack is to be filled */
    uint64_t phdr, phnum; /* its program headers: address, and how many */
    uint64_t entry;
};

/* How they are told and started; mm/elf.h has planned all of them as ours. */
struct foreign_programs {
    const struct interface *interface;
    bool (*is_one)(const struct elf_header *h, const struct elf_phdr *phdr,
                   const struct elf_plan *plan);
    /* Changes what their programs have otherwise. -K_ENOEXEC, -K_E2BIG. */
    int (*plan)(const struct elf_header *h, const struct elf_phdr *phdr, const struct arguments *a,
                const char *path, struct elf_plan *plan, struct foreign_start *start);
    /* In the new space, which nobody runs. -K_ENOMEM. */
    int (*fill_stack)(struct aspace *as, const struct arguments *a, const char *path,
                      const struct foreign_start *start);
};

/* From now on exec knows such programs, too. At boot, once. */
void exec_add_foreign(const struct foreign_programs *programs);
