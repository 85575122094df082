/* What a trap means, in words, and where the kernel was. */
#pragma once
#include "lib/types.h"

/* The name that the privileged specification gives to scause (4.1.9). */
const char *cause_name(uint64_t scause);

/* What a page fault wanted: PTE_R, PTE_W or PTE_X; 0 for any other cause. */
uint64_t cause_access(uint64_t scause);

/* The fixup for an instruction that may fault, or 0. */
uint64_t extable_find(uint64_t pc);

/* One line a caller, innermost first, from a frame pointer; with function names. */
void backtrace_from(uint64_t fp);
void backtrace(void);
