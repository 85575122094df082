/* Terminals that are open: the console, the caller's own (/dev/tty), and whatever has one. */
#pragma once
#include "tty/tty.h"
#include "vfs/file.h"

/* At boot, after the console: what its device is, and /dev/tty. */
void ttyfile_boot_init(void);

/* Makes f, which is new, the terminal t, and takes over a reference to it and one to n, the node by
 * which it is open. */
void ttyfile_init(struct file *f, struct node *n, struct tty *t);
/* What f is open on; NULL: it is no terminal. */
struct tty *ttyfile_tty(const struct file *f);
