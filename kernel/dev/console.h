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
 * taken all. Both end with -K_EINTR for a signal.
 *
 * All this is so at boot, and programs can change it (terminal.h). Of one in the background, a read
 * is SIGTTIN for its group, and a change of the modes, and with TOSTOP a write, SIGTTOU: see
 * proc_from_background (proc/group.h), whose errors they have, too. */
#pragma once
#include "dev/terminal.h"
#include "lib/types.h"

#define CONSOLE_BUFFER 4096

/* After uart_init and irq_init; takes over kprintf's output. At boot. */
void console_init(void);

/* The modes that are in force; and others, from the next byte on that comes. What was typed of a
 * line is for the next read, when lines end; drop_input: all goes that nobody has read. -K_EINTR,
 * -K_EIO, as above: nothing changed. */
void console_get_modes(struct terminal *t);
int console_set_modes(const struct terminal *t, bool drop_input) must_check;
/* As at boot, whoever asks. */
void console_make_sane(void);

/* What was typed, and nobody has read, goes. Errors as above. */
int console_drop_input(void) must_check;
/* How many bytes a read would find now. */
uint32_t console_bytes_ready(void);
