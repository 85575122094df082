/* What is below uart.c: one kind of device that sends and receives characters. uart.c has
 * the ring, the locks and the waiting; all calls but find and start come under its lock. */
#pragma once
#include "dev/fdt.h"

struct uart_driver {
    const char *compatible; /* in the device tree; NULL: in no tree */
    /* Takes the device of this node. -K_ENODEV: unfit. Input that is there stays, but it may be
     * receive alone that finds it: no interrupt comes for it. */
    int (*start)(fdt_node node);
    /* How many characters the transmitter takes now, without a look in between. */
    uint32_t (*room)(void);
    void (*send)(char c);
    bool (*receive)(char *c); /* false: nothing has arrived */
    bool (*idle)(void);       /* all has left on the line */
    /* Interrupt when something has arrived; when there is room. NULL: it has none. */
    void (*interrupt_on)(bool arrived, bool room);
};

extern const struct uart_driver ns16550, sifive_uart, sbi_console;
