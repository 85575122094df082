/* Pipes: up to 64 KiB of bytes on their way from writers to readers. */
#pragma once
#include "vfs/file.h"

#define PIPE_SIZE 65536UL  /* bytes that one holds, if there is memory for them */
#define PIPE_ATOMIC 4096UL /* bytes that one holds in any case, and are written as a whole */

/* Boot: room for n pipes, the last kept of which are for the session and its commands
 * (fd_in_reserve). -K_ENOMEM. */
int pipe_boot_init(uint32_t n, uint32_t kept) must_check;

/* Two files, one for each end, with one reference each. -K_ENFILE: the table of
 * files or of pipes is full; -K_ENOMEM. On error nothing changed.
 *
 * Reading waits until there is a byte, and returns what is there, up to n bytes;
 * none when nobody can write any more. Writing waits for room until all n bytes
 * are written, and no other writer's bytes come between them; -K_EPIPE: nobody can
 * read. Both: -K_EFAULT for a bad address, -K_ENOMEM for a lazy page (mm/uaccess.h), -K_EINTR
 * for a signal; what was moved before is counted.
 *
 * With nonblock (file.h), what would wait for the other side is -K_EAGAIN. A write of up to
 * PIPE_ATOMIC bytes is then done as a whole or not at all; of a longer one what there is room for.
 *
 * Where memory is refused a pipe is full earlier. */
int pipe_create(struct file **reader, struct file **writer) must_check;

/* Whether f is an end of a pipe. */
bool pipe_is(const struct file *f) must_check;
