/* The end of a kernel that has found itself wrong (lib/panic.h has the call). */
#pragma once
#include "arch/context.h"
#include "lib/types.h"

/* A panic for a trap from the kernel: the sentence, the decoded cause, and the
 * backtrace from where it happened. */
void panic_for_trap(const struct kernel_frame *f, const char *sentence) never_returns;

/* From a software interrupt: does not return when another hart panics. */
void panic_stop_if_asked(void);

/* Boot argument panic=exit: power off with PANIC_STATUS instead of stopping. */
extern bool panic_powers_off;
#define PANIC_STATUS 134
