/* The finding of a race. */
#pragma once
#include "machine/machine.h"

/* Two accesses that nothing orders, one of them a store; the second, at va, is about to be done.
 * Nothing is told when both stand beside fences, or one is racy by the profile. */
void tell_race(struct sim *sim, struct hart *hart, uint64_t va, const struct access_made *first,
               const struct access_made *second);
