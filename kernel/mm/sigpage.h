/* The code that a signal's handler returns to: a page of the kernel's, with a call of sigreturn in
 * it, that a process maps when it has its first handler. It can be read and executed, never
 * written. */
#pragma once
#include "mm/object.h"

extern struct object signal_page; /* one page long */

void signal_page_boot_init(void);
