/* The timer interrupt of this hart: stimecmp where supervisor mode has it (Sstc),
 * else the firmware's. */
#pragma once
#include "lib/types.h"

/* Once, on the first hart, when kernel_vector is in place. false: there is no time counter,
 * neither in hardware nor by the firmware's help. */
bool timer_probe(void);
/* Interrupt this hart when cpu_time() >= when; UINT64_MAX: never. */
void timer_set(uint64_t when);
