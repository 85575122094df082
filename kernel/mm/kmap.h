/* The kernel's half of the address space: made once at boot, the same in every
 * kernel table. A kernel table copies root entries 256..511 and shares every
 * table below them, so nothing in it is proportional to RAM. */
#pragma once
#include "mm/pt.h"

/* The table for all: the kernel's half, the trampoline, and every kernel stack (kstack.h), since
 * the processes of some designs run on it. */
extern struct pt kernel_pt;
extern uint64_t kernel_satp; /* its satp, ASID 0 */

/* Where page tables come from: frames that their owner has committed. */
extern const struct pt_memory pt_frames;

/* Before kmap_init: RAM that it will map; what of it lies in whole pages. */
void kmap_add_ram(uint64_t start, uint64_t end);
/* Boot, after frame_add_range: from here on page tables have so many levels. Maps the image
 * (text R-X, rodata R--, data RW-) and the RAM ranges RW- at DIRECT_BASE, makes the first kernel
 * stacks. A machine too small for it is a panic: there is nobody to return to. */
void kmap_init(unsigned levels);
/* Whether a frame lies in RAM that was added; before any was, all do. */
bool kmap_is_ram(paddr_t frame);
/* From here on page tables are made of committed frames. */
void kmap_boot_done(void);

/* Makes a device's registers reachable; boot only, before the other harts run.
 * What is mapped already, as RAM or for another device, stays as it is. NULL: beyond what the
 * direct map reaches, or no memory for tables; some of its pages may be mapped then, which
 * another call for them takes as they are. */
void *kmap_device(uint64_t pa, uint64_t bytes);

/* Put into a new table: the kernel's half, which cannot fail; the trampoline. -K_ENOMEM: no table
 * could be had for it, and pt is as it was. */
void kmap_share_half(struct pt *pt);
int kmap_trampoline(struct pt *pt) must_check;
