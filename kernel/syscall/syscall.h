/* System calls: from number to handler. lib/abi.h has the numbers. */
#pragma once
#include "arch/context.h"
#include "lib/types.h"

/* Serves the call in a7, with the arguments in a0..a5; the result is in a0. */
void syscall_do(struct trapframe *tf);

/* arg: the six arguments a0..a5 as the program passed them. A handler that
 * succeeds stores its result in *result (0 when it does not) and returns 0;
 * else it returns a negative errno, and the program sees -1. */
typedef int (*syscall_fn)(const uint64_t arg[6], uint64_t *result);
