/* The code that a signal's handler returns to: a page of the kernel's, with a call of sigreturn in
 * it for each interface, that a process maps when it has its first handler. It can be read and
 * executed, never written. */
#pragma once
#include "mm/object.h"

/* Where in the page the call is, by whose number it is: ours, and Linux's. */
#define SIGNAL_RETURN_OWN 0
#define SIGNAL_RETURN_LINUX 8

extern struct object signal_page; /* one page long */

void signal_page_boot_init(void);
