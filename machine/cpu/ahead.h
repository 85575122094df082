/* Code that a hart has fetched before it was to be executed.
 *
 * An implementation may fetch any memory at any time, and execute that until fence.i (unprivileged
 * specification, Zifencei). A hart of this machine does so with the pages of RAM beside each one
 * that it fetches from for the first time: they are what a kernel is likely to load code into next.
 * So a kernel that forgot a fence.i is found out with a page of which no code was executed before,
 * too. With options.speculate and options.stale_code. */
#pragma once
#include "machine/machine.h"

/* The hart has begun to fetch from the page at pa, which is taken out of what is ahead. */
void ahead_fetch(struct sim *sim, struct hart *hart, uint64_t pa);
/* The bytes of the page as they were fetched; NULL: it was not. Good until the next call. */
const uint8_t *ahead_find(const struct hart *hart, uint64_t pa);
/* fence.i: what is ahead is as memory is. */
void ahead_fence(const struct sim *sim, struct hart *hart);
