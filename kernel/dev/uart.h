/* The serial line: a UART that the device tree names and that there is a driver for
 * (uart_driver.h), else the firmware's console. The firmware has set the line's speed,
 * which stays. Without interrupts the clock looks for input.
 *
 * Output goes through a ring that is sent by interrupts. Four ways into it:
 * uart_write for threads, which sleeps; uart_write_some, which takes what fits; uart_echo
 * for interrupt handlers, which does not sleep; uart_write_now for the kernel's own messages, which
 * sends what is in the ring and then its own before it returns. None loses a character. */
#pragma once
#include "lib/types.h"

/* Most characters that a receiver gets at once. */
#define UART_BATCH 16

/* Finds the UART and makes uart_write_now work. false: it is the firmware's console. */
bool uart_init(void);

/* From here on input is given to receive(text, n), 1 <= n <= UART_BATCH, in
 * order, called from an interrupt handler with no lock held; what has come before, now.
 * At boot. */
void uart_start(void (*receive)(const char *text, size_t n));

/* Sends n characters; sleeps while the ring is full. Needs a thread. *done is
 * how many were taken, all of them unless it fails. -K_EINTR: a signal. */
int uart_write(const char *text, size_t n, size_t *done) must_check;

/* Takes what there is room for now; returns how much that was. Does not sleep, nor wait for the
 * device: without interrupts that is nothing. */
size_t uart_write_some(const char *text, size_t n);

/* As uart_write, from any context: waits for the device instead of sleeping. */
void uart_echo(const char *text, size_t n);

/* Sends all that is in the ring and then text, and waits for the device to have
 * taken it. From any context, with any lock held. Does not take uart.lock when this hart
 * holds it, or when a panic has broken kprintf's lock. */
void uart_write_now(const char *text, size_t n);

/* Waits until the device has taken all that was in the ring, a few characters at a time, so that
 * nobody waits for all of it with interrupts off. */
void uart_flush(void);

/* Characters in the ring, which the device has not taken yet. */
uint32_t uart_unsent(void);

/* true: input stays in the device (and in whatever stands before it) until false. */
void uart_hold_input(bool hold);

/* Sends all and waits until the line is idle. */
void uart_drain(void);
