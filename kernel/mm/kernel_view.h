/* An empty kernel page table for one process: the kernel's half, the trampoline,
 * and that process's kernel stack. What the designs mirror and share begin with. */
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

/* The tree in which the kernel stacks of the space's own threads stand; NULL: it is kernel_pt,
 * which has all. */
struct pt *kernel_view_of_stacks(struct aspace *as);
