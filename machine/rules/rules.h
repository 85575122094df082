/* Rules of memory and of page tables that a kernel may break without any access being wrong yet.
 * enum sim_check names them; sim_options.checks has those that are looked after.
 *
 * A table in use is one that some hart may walk through: frames/tables.h. */
#pragma once
#include "machine/machine.h"

/* An entry as a walk has read it from memory. */
struct walked {
    uint64_t va, pa, value;
    unsigned level;
    bool ahead; /* speculatively: nobody has accessed va */
};

/* ---- entries.c ---- */
/* Bytes of a page from which entries were read have been written. */
void rules_written(struct sim *sim, uint64_t pa, uint64_t bytes);
/* The last entry of a walk: what is no entry, or a leaf that opens what it should not. */
void rules_walked(struct sim *sim, struct hart *hart, const struct walked *walked);

/* ---- exposed.c ---- */
/* A valid leaf. */
void rules_leaf(struct sim *sim, struct hart *hart, const struct walked *leaf);

/* ---- faults.c ---- */
/* The hart is about to take an exception; before anything of it has changed. */
void rules_trapped(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t value);
/* A handler has returned: hart->pc and hart->priv are where to. */
void rules_returned(struct sim *sim, struct hart *hart);
/* Before each turn, and when the machine ends: what was not repaired is told when it has been so
 * for long, or will not be any more. */
void rules_expire(struct sim *sim, bool at_end);

/* ---- device.c ---- */
/* A device is told an address that it cannot use. */
void rules_no_ram(struct sim *sim, uint64_t pa, uint64_t bytes, bool write);
/* A store to a page that is PAGE_RING. */
void rules_ring_written(struct sim *sim, uint64_t pa, uint64_t bytes);
/* The hart notifies a disk. */
void rules_notified(struct sim *sim, const struct hart *hart, unsigned disk);
/* It executes a fence: of its predecessor set, bits 27 to 24, the lowest is for stores. */
static inline void rules_fenced(struct sim *sim, struct hart *hart, uint64_t word) {
    if (word >> 24 & 1)
        hart->rules.fenced = sim_now(sim);
}

/* ---- speculate.c ---- */
/* An implementation may read the entries for any address at any time, and keep them (privileged
 * specification 4.2.1, 4.3.2). The hart does so for addresses near va, for some that it has kept
 * entries of, and for some that a fence has made it forget. Nothing is told to the program.
 * After a walk for va that has read something new. Others come or not as the hart's tlb has the
 * page, which is for speed alone, and may decide nothing. */
void speculate(struct sim *sim, struct hart *hart, uint64_t va);
/* A fence has taken out an entry for this address. */
void speculate_forgotten(struct hart *hart, uint64_t va);
/* After a fence or a new satp: the hart reads some of those again. */
void speculate_afresh(struct sim *sim, struct hart *hart);
