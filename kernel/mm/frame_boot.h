/* Physical memory before there is an allocator: the ranges of RAM, memory that is taken off
 * them for ever, and the records of frames. For mm/frame.c; others see mm/frame.h, where
 * frame_add_range and frame_boot_alloc are declared. */
#pragma once
#include "lib/types.h"

/* Makes the records of all frames that the ranges reach: frame_sections. A section for
 * which there is no room, and its RAM, stay out of use. */
void frame_boot_records(void);

/* Tells fn of all that is free, as aligned blocks of 2^order frames, each as large as it
 * can be up to FRAME_LARGE_ORDER. */
void frame_boot_blocks(void (*fn)(uint32_t number, unsigned order));
