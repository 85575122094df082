/* What a trap means, in words, and where the kernel was. */
#pragma once
#include "lib/types.h"

/* The name that the privileged specification gives to scause (4.1.9). */
const char *cause_name(uint64_t scause);

/* What a page fault wanted: PTE_R, PTE_W or PTE_X; 0 for any other cause. */
uint64_t cause_access(uint64_t scause);

/* An access that a page fault or an access fault has ended; wanted is 0 for other causes. */
struct failed_access {
    uint64_t wanted; /* PTE_R, PTE_W or PTE_X */
    bool refused;    /* translated, and then refused by the machine: an access fault */
};
struct failed_access cause_failed_access(uint64_t scause);

/* The fixup for an instruction that may fault, or 0. */
uint64_t extable_find(uint64_t pc);

/* The root of the page table that this hart translates with. */
paddr_t loaded_root(void);

/* The address that kernel.elf, and so its tables, have for code: not the one where it runs
 * when the kernel was loaded elsewhere than it was linked for. */
uint64_t linked_address(uint64_t pc);

/* Prints one line a caller, innermost first: address, function, file and line. */
void backtrace(void);
/* The same for a trap, from what the registers had: its own place first. */
void backtrace_trap(uint64_t pc, uint64_t ra, uint64_t fp);
