/* Instructions that the kernel writes for programs (unprivileged specification, chapter 24). */
#pragma once
#include "lib/types.h"

#define INSN_ECALL 0x73U

/* li a7, n: the number of a system call. */
#define INSN_LI_A7(n) ((uint32_t)(n) << 20 | 17 << 7 | 0x13U)
