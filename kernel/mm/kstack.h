/* Kernel stacks: one for each thread, at KSTACK(i), with unmapped guard pages below it. The lowest
 * free i is not promised, but low ones come first.
 *
 * kernel_pt maps every stack that is taken, since the threads of some designs run on it; the
 * kernel's own view of a process maps those of its threads alone (aspace.h). The first
 * KSTACKS_KEPT are made at boot and never change, so no translation of them can ever be stale.
 * Any other is made when it is wanted and given back with its thread. What a hart still knows of
 * its addresses nobody uses: whoever gets them next is entered after a fence for its space and for
 * kernel_pt (tlb_new_generation). All harts flush when a page table of kernel_pt goes with it. */
#pragma once
#include "mm/pt.h"

#define KSTACKS_KEPT KSTACKS_NEAR

/* Boot, while page tables come from boot's memory. A machine too small for it is a panic. */
void kstack_init(void);

/* A stack that nobody has. -K_ENOMEM: nothing was taken; -K_EAGAIN: there are KSTACKS of them. */
int kstack_take(uint32_t *i) must_check;
/* Its thread has left it for ever. */
void kstack_give(uint32_t i);

/* Maps stack i, which is taken, in another table. -K_ENOMEM: a part of it may be mapped. */
int kstack_map(struct pt *pt, uint32_t i) must_check;
/* Takes it out again; tables stay. */
void kstack_unmap(struct pt *pt, uint32_t i);
