/* Where the tables of mm/pt come from in tests of it: a few frames of the host's RAM,
 * counted, that run out when a test says so. Misuse is a panic. */
#pragma once
#include "mm/pt.h"

#define PTTABLES_MAX 4096

extern const struct pt_memory pttables;
extern uint32_t pttables_out; /* taken and not given back */
extern int64_t pttables_fail; /* > 0: the n-th take from now fails */

/* All are free, and none will fail. */
void pttables_reset(void);
