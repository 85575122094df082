/* What a hart keeps of page tables until a fence covers it.
 *
 * A hart may use any entry that it has read, leaf, pointer or invalid, in place of what memory
 * says by now, until an sfence.vma of its own covers that entry (privileged specification
 * 4.2.1). Every entry that a walk reads is put here, and only a fence, or want of room, takes
 * it out. So a kernel that forgot a fence meets the old entry.
 *
 * Invariant: what a hart's tlb has, it keeps the leaf of. A store to an entry that is kept takes
 * out of the tlb what it may translate (keep_written), so the next access walks, and finds out. */
#pragma once
#include "machine/machine.h"

/* The entry kept of this level for va, or NULL. */
struct kept *keep_find(struct hart *hart, uint16_t asid, unsigned level, uint64_t va);
/* What is kept of the entry at this physical address, or NULL. */
const struct kept *keep_of(const struct hart *hart, uint64_t pa);
/* Keeps what was read; replaces what is kept in that place. Without room another one goes. */
void keep_add(struct sim *sim, struct hart *hart, const struct kept *entry);

/* sfence.vma, for the addresses [va, va + bytes) or, with 0 bytes, for all; with an ASID or
 * without. */
void keep_fence(struct sim *sim, struct hart *hart, uint64_t va, uint64_t bytes, bool has_asid,
                uint64_t asid);
/* The hart is about to take a trap; it has come back from one. Back from a fault that a kept entry
 * had raised, a fence for that entry must have come, or the fault comes again and again. Traps
 * within the handler are counted; after a fault of U the handler may let other programs run
 * first, so only the return to the same place is looked at. */
void keep_trapped(struct hart *hart);
void keep_returned(struct sim *sim, struct hart *hart);

/* Memory that holds page tables has changed. */
void keep_written(struct sim *sim, uint64_t pa, uint64_t bytes);

/* The kept entry grants what memory does not: a use that the machine tells of. When another hart
 * has changed the entry, it may be about to ask this one for a fence, so the use is told only when
 * none has come for a while (keep_expire, before each turn of the hart). */
void keep_contradicted(struct sim *sim, struct hart *hart, const struct kept *entry, uint64_t va,
                       enum access access, uint64_t memory);
void keep_expire(struct sim *sim, struct hart *hart);
/* It refuses what memory grants: that is no mistake when it is repaired. */
void keep_refused(struct hart *hart, const struct kept *entry, uint64_t va);

static inline uint64_t level_bytes(unsigned level) { return 4096ull << 9 * level; }
