/* A process's memory as others may see it: single page tables, and what its mappings
 * hold. The space's lock is held by the caller, so what one call tells is there, and true
 * at that moment, also of a process that runs on another hart; nothing is kept. */
#pragma once
#include "mm/aspace.h"

/* The tree that the user's or the kernel's translations of this process go through:
 * under `walk` the kernel's is the one for all, under `unify` both are the same. */
const struct pt *inspect_view(const struct aspace *as, bool kernel);
uint64_t inspect_satp(const struct aspace *as, bool kernel);

/* The table of this level that the walk for va passes; NULL when the walk
 * ends above, or va is not canonical. */
const pte_t *inspect_table(const struct pt *pt, vaddr_t va, unsigned level);

/* What a mapping permits, and whether it is shared, as "r-xp": terminated. */
void inspect_permissions(const struct mapping *m, char text[5]);

/* What there is of a range's pages, in pages of 4 KiB. */
struct inspect_pages {
    uint64_t present; /* mapped */
    uint64_t shared;  /* of them, on frames that others have too: an object's own, after fork */
    uint64_t copied;  /* of a private mapping's pages: the space's own, since it wrote to them */
};

/* Copies bytes from `at` on, of one page, and of what is there: 0, if nothing is. */
size_t inspect_bytes(const struct aspace *as, uint64_t at, void *dst, size_t n) must_check;

/* there[i]: whether the page i of [start, end) is in memory, 1 or 0: mapped, or the object has it
 * all the same. How many were told: fewer when behind them nothing is mapped. */
uint64_t inspect_resident(const struct aspace *as, uint64_t start, uint64_t end, uint8_t *there);

/* Counts more of the pages in [at, end); what *all has stays counted. Where it stopped: end, the
 * end of a mapping, or where *passed, which counts as pieces.h does, exceeds a PIECE. Who goes on
 * there in a later hold of the lock counts each page once, as it was in one of the holds; so the
 * sums may be those of no moment, but none is larger than the range. */
uint64_t inspect_count(const struct aspace *as, uint64_t at, uint64_t end, unsigned *passed,
                       struct inspect_pages *all);
