/* Memory that is zero until it is written, each space's own: objects that differ in their names
 * only. Data is written by exec, which copies there what a program's file has. A page that may not
 * be written shows one frame of zeros to all. */
#pragma once
#include "mm/object.h"

extern struct object zeros_data, zeros_bss, zeros_stack, zeros_heap, zeros_mapped;

/* Boot, once, after frame_init. */
void zeros_boot_init(void);
