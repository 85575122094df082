/* Translation look-aside buffers: which stale translations a hart may hold, and
 * when it gets rid of them (docs/tlb.md has the argument; privileged
 * specification 4.2.1 and 4.3.2).
 *
 * An address space has two ASIDs, for its user and its kernel view, as long as
 * the harts have that many; else both are 0 and every switch of satp flushes.
 * Its generation changes whenever a mapping was removed or narrowed, or when the
 * identity is used again. The hart that runs the space flushes at once: of its own accord when
 * it made the change, else the firmware has it do so (sbi_fence). Other harts may still hold
 * old translations, and flush when they next run the space and find that the generation has
 * moved. */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

#define TLB_IDS (2 * NPROC) /* address spaces that exist at one time */

struct tlb_tag {
    uint32_t id;         /* below TLB_IDS */
    uint32_t active;     /* 1 + index of the hart that runs the space; 0: none does. Atomic */
    uint64_t generation; /* atomic */
};

/* Each hart, at boot: finds out how many bits satp's ASID field has; the
 * smallest of all harts counts. limit: at most so many (boot argument asid=). */
void tlb_init_hart(unsigned limit);
unsigned tlb_asid_bits(void);

/* A new address space takes an identity that no other one has now. */
void tlb_tag_init(struct tlb_tag *tag, uint32_t id);

uint32_t tlb_user_asid(const struct tlb_tag *tag);
uint32_t tlb_kernel_asid(const struct tlb_tag *tag);

/* This hart is about to run the space; it has left it, and satp has another table. */
void tlb_activate(struct tlb_tag *tag);
static inline void tlb_leave(struct tlb_tag *tag) {
    __atomic_store_n(&tag->active, 0, __ATOMIC_RELEASE);
}
/* This hart translates with another table from here on: as swtch does it. The stack
 * in use is mapped alike in both. */
void tlb_load(uint64_t satp_value);

/* At boot, from the boot table. False: satp does not take its mode and is as it was (4.1.11);
 * so this hart does not have as many levels. */
bool tlb_load_first(uint64_t satp_value) must_check;

/* Mappings of a space were removed or narrowed: one page, or many. The caller has its lock.
 * Afterwards no hart uses the old translations. */
void tlb_flush_page(struct tlb_tag *tag, vaddr_t va);
void tlb_flush(struct tlb_tag *tag);

/* A mapping of the running space is newly valid: harts may cache invalid entries. */
void tlb_fence_new(const struct tlb_tag *tag, vaddr_t va);
/* The same for the kernel's half, at boot. */
void tlb_fence_kernel(void);
/* Every hart forgets all that it knows. After boot. */
void tlb_flush_all(void);
