/* What the kernel has in the page tables of one process: an empty kernel page table (the kernel's
 * half, the trampoline, and that process's kernel stack), which the designs mirror and share begin
 * with; and the pages of threads, at the end of the low half. */
#pragma once
#include "mm/aspace.h"

/* Makes as->kernel and as->kernel_satp. -K_ENOMEM: some of it may be there, for
 * kernel_view_destroy; not when the frames have been committed. */
int kernel_view_create(struct aspace *as) must_check;

/* Gives back as->kernel; [0, end) is what it has of the user's memory in tables of
 * its own, of which the leaves have been taken out. */
void kernel_view_destroy(struct aspace *as, vaddr_t end);

/* Gives back the tables at the end of the low half, of either view: the trampoline, trapframes
 * and kernel stacks in them are not theirs. */
void kernel_view_clear_top(const struct aspace *as, struct pt *pt);

/* Maps what one more thread of the running process needs: its trapframe in the user's table, at
 * TRAPFRAME_OF(slot), and its kernel stack in the kernel's view. A hart sees them when it enters
 * the thread. -K_ENOMEM: nothing changed. */
int kernel_view_add_thread(struct aspace *as, uint32_t slot, paddr_t trapframe) must_check;
/* Takes away what a thread that has ended had, the first one or another; trapframe: where. Harts
 * may keep translations of it, which they never use: whoever gets these addresses next is entered
 * after a flush. Tables stay. */
void kernel_view_remove_thread(struct aspace *as, uint32_t slot, uint64_t trapframe);
