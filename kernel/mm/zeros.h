/* Memory that is zero until it is written, each space's own: objects that differ in their names. A
 * page that may not be written shows one frame of zeros to all. zeros_filled is a program's: exec
 * writes all of its pages at once, with what it copies from the file. */
#pragma once
#include "mm/object.h"

extern struct object zeros_filled, zeros_bss, zeros_stack, zeros_heap, zeros_mapped;

/* Boot, once, after frame_init. */
void zeros_boot_init(void);
