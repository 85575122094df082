/* External interrupts (PLICs): the handlers that drivers register. */
#pragma once
#include "dev/fdt.h"
#include "lib/types.h"

/* Finds the interrupt controllers. Where there is none, which it says, no device has an
 * interrupt. At boot, with hart_count set, before the calls below. */
void irq_init(void);

/* The interrupt of a device's node, a number for irq_register. -K_ENOENT: the node names
 * none, there is no controller for it, or that reaches no hart. */
int irq_of_node(fdt_node node, uint32_t *irq) must_check;

/* Routes irq to all harts of its controller and calls handler(ctx) for each interrupt, on
 * whichever hart claims it, with interrupts off and no lock held. At boot. */
void irq_register(uint32_t irq, void (*handler)(void *ctx), void *ctx);

/* From the trap code: claims and serves until nothing is pending here. */
void irq_serve(void);

/* Lets this hart receive external interrupts, as far as the controller is
 * concerned (sie.SEIE is the trap code's); each hart calls it once. */
void irq_init_hart(void);
