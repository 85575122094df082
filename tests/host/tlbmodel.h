/* Harts as bad as the privileged specification permits, for mm/tlb and its callers.
 *
 * Each hart has satp and an address-translation cache of single entries of page
 * tables, of any level and also invalid ones, each under the ASID that satp had
 * when it was read. At any time it may walk any address and keep what it reads;
 * at every step of a walk it may use a kept entry instead of memory (4.3.2). It
 * forgets only what an sfence.vma names, as narrowly as 4.2.1 permits: a fence for
 * one address covers leaves only, one for an ASID leaves global entries alone.
 *
 * The calls of arch/csr.h act on the hart that the calling thread is. */
#pragma once
#include "arch/hart.h"
#include "walker.h"

/* Empty caches; satp's ASID field has so many bits. */
void tlbmodel_reset(unsigned asid_bits);

/* The addresses that harts like to walk: gives one at random. */
extern uint64_t (*tlbmodel_interest)(void);
/* Whether a frame is a page table now. A hart that reads any other as one is a finding:
 * it could also set A in what it takes for an entry. */
extern bool (*tlbmodel_is_table)(uint64_t pa);

/* As the kernel's assembly loads satp: swtch, and the two ways through the
 * trampoline. */
void tlbmodel_swtch(uint64_t satp);
void tlbmodel_trampoline_in(uint64_t satp);
void tlbmodel_trampoline_out(uint64_t satp);
uint64_t tlbmodel_satp(void);

/* Every hart walks n addresses, each on its own. */
void tlbmodel_speculate(unsigned n);

/* What this hart may do with an access. */
struct tlbmodel_access {
    bool may_fault;
    bool may_succeed;
    bool ambiguous; /* it may go to two physical addresses */
    uint64_t pa;    /* when it may succeed */
};
struct tlbmodel_access tlbmodel_access(uint64_t va, enum walker_access access,
                                       enum walker_mode mode);

/* NULL, or what some hart could do wrong under the satp that it has now: use an
 * entry that grants what the tables no longer grant. Invalid entries are no such,
 * nor those that grant less. */
const char *tlbmodel_stale(void);
/* Whether some hart may, under the satp that it has now, reach [pa, pa + bytes) by an
 * entry it has kept: as memory of a leaf that is not global, or as a table. */
bool tlbmodel_reaches(uint64_t pa, uint64_t bytes);

/* How many sfence.vma there were: for one address, for an ASID, for all. And how often the
 * firmware was asked to make some on another hart. */
extern uint64_t tlbmodel_fences[3], tlbmodel_remote_fences;
/* Called once, before the next of those: what other harts do meanwhile. */
extern void (*tlbmodel_meanwhile)(void);
