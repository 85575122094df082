/* The firmware that a kernel of S-mode finds: RISC-V SBI 2.0, done by the machine itself. */
#pragma once
#include "machine/machine.h"

/* The ecall of a hart in S-mode: a7 the extension, a6 the function (chapter 3). The hart
 * goes on behind it, or, when a legacy call names memory that is not there, in its own handler. */
void sbi_call(struct sim *sim, struct hart *hart);
