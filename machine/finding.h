/* Findings: rules of the hardware or of memory that the guest has broken, told as sentences.
 *
 * The same mistake at the same places is told once, and TOLD_MAX of them at most. */
#pragma once
#include "machine/machine.h"

/* Who wrote what is watched, so that it can be said later: the running hart, or a device. */
void finding_note_write(struct sim *sim, uint64_t pa, uint64_t bytes);

/* Whether the last to write there was another hart than this, or may have been: of old writes it
 * is not known any more. */
bool finding_written_by_other(struct sim *sim, const struct hart *hart, uint64_t pa);

/* A hart has used a kept entry of a page table though memory had another by then. */
void finding_stale_entry(struct sim *sim, struct hart *hart, const struct stale_use *use);
/* A fault that came of a kept entry, though memory's was good, had no fence after it. */
void finding_not_repaired(struct sim *sim, struct hart *hart, const struct kept *entry,
                          uint64_t va);
/* The hart executes what memory has no more. */
void finding_stale_code(struct sim *sim, struct hart *hart, uint64_t pa);

/* ---- for those who tell of others ---- */
enum { PLACE_BYTES = 160 };
/* "vm.c:212 (uvmunmap)"; of what the kernel's image does not know, the address. */
const char *finding_place(struct sim *sim, uint64_t pc, char buffer[PLACE_BYTES]);
/* "that was written at vm.c:212 (uvmunmap) by hart 0, 38112 instructions ago", of what is at pa, as
 * far as it is known. */
void finding_since(struct sim *sim, uint64_t pa, char *buffer, size_t size);
/* Where it was written; 0: not known. */
uint64_t finding_writer(struct sim *sim, uint64_t pa);
/* Whether it is the first finding of its rule at these places; it is counted then. */
bool finding_first_time(struct sim *sim, enum sim_rule rule, uint64_t a, uint64_t b);
void finding_tell(struct sim *sim, const struct sim_finding *finding);
