/* Findings: rules of the hardware or of memory that the guest has broken, told as sentences.
 *
 * The same mistake at the same places is told once. */
#pragma once
#include "machine/machine.h"

/* Who wrote what is watched, so that it can be said later: the running hart, or a device. */
void finding_note_write(struct sim *sim, uint64_t pa, uint64_t bytes);

/* A hart uses a kept entry of a page table though memory has another by now. */
void finding_stale_entry(struct sim *sim, struct hart *hart, const struct kept *entry, uint64_t va,
                         enum access access, uint64_t memory);
/* A fault that came of a kept entry, though memory's was good, had no fence after it. */
void finding_not_repaired(struct sim *sim, struct hart *hart, const struct kept *entry,
                          uint64_t va);
/* The hart executes what memory has no more. */
void finding_stale_code(struct sim *sim, struct hart *hart, uint64_t pa);
