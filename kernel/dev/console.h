/* The console: the terminal (tty/tty.h) at the UART, which the first session has. Lines that its
 * shells have read can be recalled. ^P prints the process list, and ^\ ends all processes but the
 * session's (proc/group.h). When the buffer is full, input stays in the UART. */
#pragma once
#include "lib/types.h"

struct tty;

/* After uart_init and irq_init; takes over kprintf's output. At boot. */
void console_init(void);

struct tty *console_tty(void);
