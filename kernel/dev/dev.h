/* All devices: bringing them up, and switching the machine off. */
#pragma once
#include "lib/types.h"

/* Finds and starts the interrupt controller, the UART, the console and the
 * disk. Hart 0, at boot, after fdt_init, kmap and proc_init, with hart_count
 * set. A device that is missing or unfit costs a line on the console, no more. */
void dev_init(void);

/* Each hart, once, after dev_init: lets it receive external interrupts (as far
 * as the interrupt controller is concerned; sie is the trap code's). */
void dev_init_hart(void);

/* Ends the machine when the console has sent what it has; status is the exit
 * status of an emulator that has one (its low byte; a status that is not 0 never
 * becomes 0). Callable before dev_init and in a panic. */
void machine_poweroff(int status) never_returns;
/* Boots it again; where it cannot, switches it off. */
void machine_restart(void) never_returns;
