/* The console: lines from and to the UART, as character device MAJOR_CONSOLE.
 *
 * Input is edited by line (lineedit.h); CR and NL end it, wherever the cursor is. What shells have
 * read can be recalled, and ^L clears the screen. ^D ends it too: a read gets what stands before
 * it, and the next one, or the same when nothing stands before it, gets end of file, as in xv6. ^P
 * prints the process list. ^C ends the foreground's processes and ^\ all but the session's
 * (proc/group.h); either drops the input that nobody has read. A shell that manages jobs gets
 * -K_EINTR from read when there was nobody to end, another one an empty line. Lines wait for a
 * reader in a buffer of CONSOLE_BUFFER bytes; when it is full, input stays in the UART. A line
 * longer than the buffer reaches its reader in pieces.
 *
 * read gives at most one line and waits for one; write waits until the UART has
 * taken all. Both end with -K_EINTR for a signal. */
#pragma once
#include "lib/types.h"

#define CONSOLE_BUFFER 4096

/* After uart_init and irq_init; takes over kprintf's output. At boot. */
void console_init(void);
