/* Page-table entries, addresses and satp under Sv39, Sv48 and Sv57, which differ in the number
 * of levels only (privileged specification 1.12: 4.4 to 4.6, 4.1.11 satp). Pure arithmetic:
 * the host's tests use it too. */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

typedef uint64_t pte_t;

#define PTE_V (1ULL << 0) /* valid */
#define PTE_R (1ULL << 1)
#define PTE_W (1ULL << 2)
#define PTE_X (1ULL << 3)
#define PTE_U (1ULL << 4) /* user mode may; supervisor mode only with SUM, and never execute */
#define PTE_G (1ULL << 5) /* in every address space */
#define PTE_A (1ULL << 6) /* accessed */
#define PTE_D (1ULL << 7) /* dirty */
#define PTE_FLAGS 0x3ffULL
#define PTE_LEAF_FLAGS (PTE_FLAGS & ~PTE_V) /* what an entry that is no leaf lacks */
#define PTE_PA_END (1ULL << 56)             /* physical addresses have 56 bits (4.4.1) */
#define PTE_RWX (PTE_R | PTE_W | PTE_X)

#define PT_LEVELS_MAX 5
#define PT_ENTRIES 512

/* Bytes that one entry of a table at this level spans: 4 KiB, 2 MiB, 1 GiB, ... */
/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): no loop goes below level 0 */
static inline uint64_t level_size(unsigned level) { return PAGE_SIZE << (9 * level); }

/* The same as a power of two. */
static inline unsigned level_shift(unsigned level) { return PAGE_SHIFT + 9 * level; }

static inline unsigned va_index(vaddr_t va, unsigned level) {
    return (va.v >> level_shift(level)) & (PT_ENTRIES - 1);
}

/* Bits from the highest one that so many levels translate up are equal, else every access
 * faults: 0 in the low half of the addresses, 1 in the high one. */
static inline bool va_canonical(vaddr_t va, unsigned levels) {
    return ((uint64_t)((int64_t)va.v >> (VA_BITS(levels) - 1))) + 1 <= 1;
}

static inline bool pte_valid(pte_t e) { return e & PTE_V; }
static inline bool pte_is_leaf(pte_t e) { return (e & PTE_V) && (e & PTE_RWX); }
static inline bool pte_is_table(pte_t e) { return (e & (PTE_V | PTE_RWX)) == PTE_V; }
/* In a table of level 0, where there is no table to point to, every access faults (4.3.2, step
 * 3): so that is how an entry keeps the frame of a page that may not be touched at all. It
 * counts as a leaf for whoever goes over frames. */
static inline bool pte_is_kept(pte_t e) { return pte_is_table(e); }

/* A leaf that lets user mode do this (PTE_R, PTE_W or PTE_X). */
static inline bool pte_lets_user(pte_t e, uint64_t access) {
    uint64_t all = PTE_V | PTE_U | access;
    return (e & all) == all;
}

static inline paddr_t pte_pa(pte_t e) { return PA((e << 10 >> 20) << PAGE_SHIFT); }
static inline pte_t pte_table(paddr_t table) { return table.v >> PAGE_SHIFT << 10 | PTE_V; }

/* A leaf is created with A, and with D where it is writable: hardware may fault
 * instead of setting them (4.3.1). */
static inline pte_t pte_leaf(paddr_t pa, uint64_t flags) {
    return pa.v >> PAGE_SHIFT << 10 | flags | PTE_V | PTE_A | (flags & PTE_W ? PTE_D : 0);
}

/* Whether a walk for this access (PTE_R, PTE_W or PTE_X) ends here without success, in the
 * order of 4.3.2; user: user mode's, else supervisor mode's with SUM clear. */
static inline bool pte_refuses(pte_t e, unsigned level, uint64_t access, bool user) {
    if (pte_is_table(e))
        return level == 0;
    if (!pte_is_leaf(e) || !(e & access) || !(e & PTE_A) || ((access & PTE_W) && !(e & PTE_D)) ||
        !IS_ALIGNED(pte_pa(e).v, level_size(level)))
        return true;
    return user ? !(e & PTE_U) : (e & PTE_U) != 0;
}

_Static_assert(BOOT_LEAF == (PTE_V | PTE_RWX | PTE_A | PTE_D), "asm.h");

#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK 0xffffULL

static inline uint64_t satp_make(unsigned levels, paddr_t root, uint32_t asid) {
    uint64_t mode = SATP_MODE_SV39 + levels - 3;
    return mode << SATP_MODE_SHIFT | (uint64_t)asid << SATP_ASID_SHIFT | root.v >> PAGE_SHIFT;
}

static inline paddr_t satp_root(uint64_t satp) {
    return PA((satp & ((1ULL << SATP_ASID_SHIFT) - 1)) << PAGE_SHIFT);
}
