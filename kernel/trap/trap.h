/* Traps: dispatch only. */
#pragma once
#include "arch/context.h"
#include "lib/types.h"

/* Each hart: vectors, the interrupts it takes, the counters that user mode may
 * read. */
void trap_init_hart(void);

/* From kernel_vector, and from the trampoline (proc/proc.h: trap_user). */
void trap_kernel(struct kernel_frame *f);
/* There is no room on the stack in use; lost: or sp is not on a stack at all. */
void trap_stack_unusable(struct kernel_frame *f, bool lost) never_returns;
