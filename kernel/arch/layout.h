/* The memory map, with the numbers that make it: docs/memory-map.md explains it. Here as it
 * is with three levels of page tables; with more the low half ends higher up.
 *
 *   0xffffffffffffffff ┐
 *                      │ kernel half: physical address p at DIRECT_BASE + p:
 *                      │ RAM, the kernel's image in it, and the devices
 *   0xffffffc000000000 ┘ DIRECT_BASE
 *        (not canonical)
 *   0x0000003ffffff000   TRAMPOLINE   R-X, not U, the same in every table
 *   0x0000003fffffe000   TRAPFRAME    RW-, not U, in user tables: the first thread's
 *   0x0000003fffffc000   (unmapped)
 *   0x0000003fffffa000   KSTACK(0)    8 KiB, in kernel tables, 8 KiB unmapped below
 *   ...                  KSTACK(i)    a process's own kernel table maps its own only
 *   0x0000003fdffff000   TRAPFRAME_OF(0)   RW-, not U: those of other threads,
 *   ...                  TRAPFRAME_OF(i)   by their stacks
 *   0x0000003fc0000000   USER_MAX     the end of the low half is the kernel's
 *                      ┐
 *                      │ what mmap maps, from the top down
 *                      │ heap, growing up
 *                      │ stack, one page unless the program says more
 *                      │ guard page, unmapped
 *                      │ program
 *   0x0000000000000000 ┘
 */
#pragma once
#include "arch/asm.h"
#include "lib/types.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE KIB(4)
#define LARGE_SIZE MIB(2) /* a leaf at level 1 */

#ifdef __riscv
#define DIRECT_BASE KERNEL_HALF
#else
extern uint64_t host_ram_base; /* host tests: physical address 0 of their RAM */
#define DIRECT_BASE host_ram_base
#endif
#define DIRECT_SIZE GIB(254) /* physical addresses from here on are not reachable */

/* How many levels page tables have: 3 (Sv39), 4 (Sv48) or 5 (Sv57), and what follows from
 * it: constant once kmap_init has chosen. */
extern struct paging {
    uint32_t levels;
    uint64_t half_end; /* of the low half of the addresses */
    uint64_t user_max; /* the root's last entry of that half is the kernel's */
} paging;

#define VA_BITS(levels) (PAGE_SHIFT + 9 * (levels)) /* that are translated; Sv39's name */
#define PAGING(n) \
    { \
        .levels = (n), .half_end = 1ULL << (VA_BITS(n) - 1), \
        .user_max = (1ULL << (VA_BITS(n) - 1)) - (1ULL << (VA_BITS(n) - 9)) \
    }

#define USER_HALF_END paging.half_end
#define TRAMPOLINE (USER_HALF_END - PAGE_SIZE)
#define TRAPFRAME (TRAMPOLINE - PAGE_SIZE)
#define USER_MAX paging.user_max

/* Stacks are the upper half of a slot of twice their size: bit 13 of every
 * valid stack pointer - 1 is set, so the trap vector sees an overflow by one
 * bit. Slot 0 belongs to the trampoline and the trapframe. */
_Static_assert(KSTACK_SLOT == 2 * KSTACK_SIZE && KSTACK_SIZE == 1 << KSTACK_UPPER_BIT,
               "a stack is the upper half of its slot");
#define KSTACK(i) (USER_HALF_END - ((uint64_t)(i) + 1) * KSTACK_SLOT - KSTACK_SIZE)
#define KSTACK_TOP(i) (KSTACK(i) + KSTACK_SIZE)

/* The first stacks, the trampoline and the first thread's trapframe lie in one level-1
 * entry's 2 MiB, so that they cost a kernel page table one level-0 table. The trapframes of
 * further threads lie below all stacks, so that nothing of theirs is in that table's way. */
#define KSTACKS_NEAR (LARGE_SIZE / KSTACK_SLOT - 1)
#define KSTACKS_SIZE MIB(512)                    /* of addresses that are set aside for stacks, */
#define KSTACKS (KSTACKS_SIZE / KSTACK_SLOT - 1) /* which is for so many */
#define KSTACKS_START (USER_HALF_END - KSTACKS_SIZE)
#define TRAPFRAME_OF(i) (KSTACKS_START - ((uint64_t)(i) + 1) * PAGE_SIZE)
#define TRAPFRAMES_START TRAPFRAME_OF(KSTACKS - 1)
_Static_assert(KSTACKS_SIZE + KSTACKS * PAGE_SIZE <= GIB(1), "above USER_MAX");

/* A physical address as the kernel sees it, and back. */
static inline void *pa_ptr(paddr_t pa) { return (void *)(pa.v + DIRECT_BASE); }
static inline paddr_t ptr_pa(const void *p) { return PA((uint64_t)p - DIRECT_BASE); }
