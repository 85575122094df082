/* What the executor calls: the rarer instructions, and traps.
 *
 * Each *_execute does one instruction, `length` bytes long, at hart->pc. false: a trap is to be
 * taken (hart->cause, hart->tval), and nothing else has happened. */
#pragma once
#include "machine/machine.h"

bool amo_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length);
bool float_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length);
/* These two set hart->pc to the next instruction. */
bool system_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length);
bool fence_i_execute(struct sim *sim, struct hart *hart, const struct op *op, unsigned length);
/* A FENCE, of which somebody wants to know (sim.watching). */
void fence_watched(struct sim *sim, struct hart *hart, uint32_t word);

/* Control and status registers (csr.c): privileged specification, chapter 2. false: the
 * instruction is illegal. */
bool csr_read(struct sim *sim, struct hart *hart, unsigned number, uint64_t *value);
bool csr_write(struct sim *sim, struct hart *hart, unsigned number, uint64_t value);
/* What csrrs and csrrc combine with: what was read, but for the wire in mip.SEIP (3.1.9). */
uint64_t csr_combined(const struct hart *hart, unsigned number, uint64_t read);

/* Goes to the handler of a trap (3.1.7, 4.1.2), or, for an ecall to the machine's own firmware,
 * does what is asked. */
void hart_trap(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t value);
/* The same for the most urgent interrupt that is enabled, if there is one. */
void hart_interrupt(struct sim *sim, struct hart *hart);
/* mret and sret: 3.3.2. */
void hart_return(struct hart *hart, enum privilege from);
/* Whether STIP is what stimecmp says (Sstc; that of the machine's own firmware is one, too). */
bool hart_has_stimecmp(const struct sim *sim, const struct hart *hart);
/* The interrupts of mip as the devices and timers have them now. */
void hart_update_interrupts(struct sim *sim, struct hart *hart);
