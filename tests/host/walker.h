/* Reads page tables of Sv39, Sv48 and Sv57 as hardware does, straight from the RAM of hostarch.h.
 *
 * Written from the privileged specification's chapters on Sv32 to Sv57 alone (the
 * algorithm of "Virtual Address Translation Process", the PTE's fields), with
 * numbers of its own: what it finds is evidence against mm/pt and arch/pte.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

extern unsigned walker_levels; /* of all trees: 3, 4 or 5; at first 3 */

enum walker_access { WALKER_LOAD = 1, WALKER_STORE = 2, WALKER_FETCH = 3 };

/* Who translates: user mode, or supervisor mode with or without SUM. MXR is 0;
 * the implementation has neither Svnapot nor Svpbmt, and faults where A or D
 * would have to be set (Svade). */
enum walker_mode { WALKER_USER, WALKER_SUPERVISOR, WALKER_SUPERVISOR_SUM };

/* True: the access is made, at physical address *pa. False: a page fault. */
bool walker_access(uint64_t root, uint64_t va, enum walker_access access, enum walker_mode mode,
                   uint64_t *pa);

/* A tree as a whole. */
struct walker_survey {
    uint64_t tables; /* with the root */
    uint64_t empty;  /* tables without a valid entry, but for the root */
    uint64_t leaves;
    uint64_t kept;     /* entries at level 0 with V alone: they name a frame, and map nothing */
    uint64_t hash;     /* of each valid entry with its place: equal trees, equal hashes */
    const char *fault; /* what no tree may have, or NULL */
};

/* Reads root's entries first .. end - 1 and everything below. leaf, which may be NULL, is told of
 * leaves and of kept entries. */
struct walker_survey
walker_survey(uint64_t root, unsigned first, unsigned end,
              void (*leaf)(void *ctx, uint64_t va, uint64_t entry, unsigned level), void *ctx);
