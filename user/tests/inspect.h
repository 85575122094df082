/* What the tests of vmtable and vmregions share. */
#pragma once
#include "test.h"

#define PTE_BITS_RWX 0xe
#define REGIONS_MAX 32

static inline int table_at(struct abi_vmtable *to, int pid, uint64_t va, uint32_t level,
                           uint32_t view) {
    to->head = (struct abi_vmtable_head){.va = va, .level = level, .view = view};
    return sys_vmtable(pid, to);
}

static inline unsigned index_of(uint64_t va, unsigned level) {
    return va >> (12 + 9 * level) & 511;
}
static inline uint64_t frame_of(uint64_t pte) { return pte << 10 >> 20 << 12; }
static inline bool is_leaf(uint64_t pte) { return (pte & 1) && (pte & PTE_BITS_RWX); }

static inline char *pages(int n) {
    uint64_t brk = (uint64_t)sys_sbrk(0);
    must_sbrk((PAGE - brk % PAGE) % PAGE);
    return must_sbrk(n * PAGE);
}
