/* Translation look-aside buffers: which stale translations a hart may hold, and
 * when it gets rid of them (docs/tlb.md has the argument; privileged
 * specification 4.2.1 and 4.3.2).
 *
 * An address space has two ASIDs, for its user and its kernel view, as long as
 * the harts have that many; else both are 0 and every switch of satp flushes.
 * Its generation changes whenever a mapping was removed or narrowed, a table was added, or when
 * the identity is used again. Where something goes, the harts that run the space flush at once:
 * the one that made the change by itself, the firmware has the others do so (sbi_fence), with one
 * request for all. Where something comes, they do so when they fault. Other harts may still hold
 * old translations, and flush when they next run the space and find that the generation has
 * moved. */
#pragma once
#include "arch/hart.h"
#include "arch/layout.h"
#include "lib/types.h"

struct tlb_tag {
    uint32_t kernel_asid; /* 0: it has none; else the user's is one below */
    uint32_t active;      /* harts that run the space: bit i is the one with index i. Atomic */
    uint64_t generation;  /* counts, from 1, with the space's lock; atomic */
    /* The generation that each hart has made all fences for, by its index: its own alone. 0: it has
     * not run the space. */
    uint64_t seen[NHART];
};

/* Each hart, at boot: finds out how many bits satp's ASID field has; the
 * smallest of all harts counts. limit: at most so many (boot argument asid=). */
void tlb_init_hart(unsigned limit);
unsigned tlb_asid_bits(void);

/* A new address space takes an identity, a small number that no other one has now. */
void tlb_tag_init(struct tlb_tag *tag, uint32_t id);

static inline uint32_t tlb_kernel_asid(const struct tlb_tag *tag) { return tag->kernel_asid; }
static inline uint32_t tlb_user_asid(const struct tlb_tag *tag) {
    return tag->kernel_asid ? tag->kernel_asid - 1 : 0;
}

/* This hart is about to run the space, whether it has run it so far (in another thread) or not. */
void tlb_activate(struct tlb_tag *tag);
/* It has left it, runs none of its threads, and satp has another table. */
static inline void tlb_leave(struct tlb_tag *tag) {
    __atomic_fetch_and(&tag->active, ~(1U << hart_self()->index), __ATOMIC_RELEASE);
}
/* The other harts that run the space now, as in tlb_tag. After a full fence that follows a change:
 * who is not among them sees the change when it comes. */
static inline uint32_t tlb_active_elsewhere(const struct tlb_tag *tag) {
    return __atomic_load_n(&tag->active, __ATOMIC_RELAXED) & ~(1U << hart_self()->index);
}
/* This hart translates with another table from here on: as swtch does it. The stack
 * in use is mapped alike in both. */
void tlb_load(uint64_t satp_value);

/* At boot, from the boot table. False: satp does not take its mode and is as it was (4.1.11);
 * so this hart does not have as many levels. */
bool tlb_load_first(uint64_t satp_value) must_check;

/* All of these: the caller has the space's lock. */

/* Mappings were removed or narrowed: one page's leaf, or anything. Afterwards no hart uses the old
 * translations. */
void tlb_flush_page(struct tlb_tag *tag, vaddr_t va);
void tlb_flush(struct tlb_tag *tag);

/* A leaf of the running space is newly valid, or permits more, or had been so when the hart
 * faulted: harts may cache invalid entries. Others that have done so fault, and come here. */
void tlb_fence_new(struct tlb_tag *tag, vaddr_t va);
/* The same when a table was added. */
void tlb_fence_new_table(struct tlb_tag *tag);

/* Something that the kernel cannot do without and that it does not look up, such as a thread's
 * stack, was added to the space's tables or the kernel's own. Every hart forgets that it was not
 * there when it next begins to run the space (tlb_activate), also one that does so already. */
void tlb_new_generation(struct tlb_tag *tag);

/* A frame that was written is going to be mapped for execution, and this hart has made its fence.i:
 * no other one that runs the space executes what the frame had before. */
void tlb_new_code(struct tlb_tag *tag);

/* The same for the kernel's half, at boot. */
void tlb_fence_kernel(void);
/* Every hart forgets all that it knows. After boot. */
void tlb_flush_all(void);
