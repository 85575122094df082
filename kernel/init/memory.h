/* The machine's RAM, from the device tree. */
#pragma once
#include "lib/types.h"

/* Tells kmap of all RAM that is ours, and the frame allocator of what is free in
 * it: without the kernel's image, the device tree and a disk in memory. Returns the bytes of RAM
 * that the machine has. */
uint64_t memory_init(paddr_t fdt);
