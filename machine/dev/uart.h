/* A 16550A serial port (National Semiconductor PC16550D data sheet, chapter 8): byte registers next
 * to each other; an access of any size is one to the register at its offset.
 *
 * What is written is sent at once, so the transmitter is always empty. The line has no speed: a
 * character that is below the receive FIFO's trigger level times out when it arrives. What comes in
 * waits outside while there is no room, so only loopback can overrun. */
#pragma once
#include "machine/dev/env.h"

#define UART_FIFO 16

struct uart {
    unsigned source; /* at the PLIC; chosen before the reset, which keeps it */

    uint8_t ier, lcr, mcr, scr;
    uint8_t divisor_low, divisor_high;
    uint8_t trigger;  /* characters in the FIFO that raise the interrupt */
    bool fifo_on;     /* else there is room for one character */
    bool thr_pending; /* the interrupt of the empty transmitter has not been seen */
    bool overrun;
    uint8_t fifo[UART_FIFO]; /* a ring */
    uint8_t first, count;
};

void uart_reset(struct uart *u);
uint64_t uart_read(struct dev_env *env, struct uart *u, uint64_t offset, unsigned size);
void uart_write(struct dev_env *env, struct uart *u, uint64_t offset, unsigned size,
                uint64_t value);

/* A byte arrives. False: there is no room for it, or the line is cut off by loopback; nothing has
 * changed. */
bool uart_input(struct dev_env *env, struct uart *u, uint8_t byte);
