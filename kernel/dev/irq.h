/* External interrupts (PLIC): the handlers that drivers register. */
#pragma once
#include "dev/fdt.h"
#include "lib/types.h"

/* Finds the interrupt controller. -K_ENODEV: there is none that we know; then
 * there are no interrupts to register for. At boot, before the calls below. */
int irq_init(void) must_check;

/* The interrupt of a device's node. -K_ENOENT: it names none, or there is no
 * controller for it. */
int irq_of_node(fdt_node node, uint32_t *irq) must_check;

/* Routes source irq to all harts and calls handler(ctx) for each interrupt, on
 * whichever hart claims it, with interrupts off and no lock held. At boot. */
void irq_register(uint32_t irq, void (*handler)(void *ctx), void *ctx);

/* From the trap code: claims and serves until nothing is pending here. */
void irq_serve(void);

/* Lets this hart receive external interrupts, as far as the controller is
 * concerned (sie.SEIE is the trap code's); each hart calls it once. */
void irq_init_hart(void);
