/* A process's regions, and what the addresses between them are. */
#pragma once
#include <stddef.h>
#include "vmtext.h"

#define VM_REGIONS 128

struct vm_space {
    uint64_t brk;
    uint32_t kernel_view; /* enum abi_kernel_view */
    unsigned granted;     /* regions that the process has */
    unsigned regions;     /* of them, from the first on, those that are known */
    struct abi_vmregion region[VM_REGIONS];
};

/* False when there is no such process any more. */
bool vm_space_read(const struct abi_procinfo *p, struct vm_space *s);

/* The region at va, or NULL. */
const struct abi_vmregion *vm_region(const struct vm_space *s, uint64_t va);

/* Why the view maps nothing at va, in a few words; good until the
 * next call. */
const char *vm_why_unmapped(const struct vm_space *s, enum abi_vmview view, uint64_t va);
