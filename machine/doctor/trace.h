/* Looking at what harts do, instruction by instruction, for a short while. */
#pragma once
#include "machine/sim.h"

enum { TRACE_PLACES = 64 };

struct activity {
    uint64_t steps;
    uint64_t pc; /* of the last instruction that was executed */
    uint64_t places[TRACE_PLACES];
    unsigned place_count; /* TRACE_PLACES: or more */
    bool in_user, in_kernel;
    bool interruptible; /* interrupts of its mode were enabled at some time */
    uint64_t stores;
    uint64_t lock, atomics; /* of atomic instructions: the address, if it is the same each time */
    bool many_locks;
    bool nothing_changes; /* it has come back to the same registers, and stored nothing meanwhile */
    /* to find that out */
    uint64_t anchor, anchor_steps, stores_then;
};

/* Runs so many instructions of all harts, or fewer when the machine ends or all wait. */
void trace(struct sim *sim, unsigned harts, uint64_t instructions,
           struct activity activity[SIM_HARTS_MAX]);

/* Whether the hart does nothing but try to take one lock. */
bool trace_spins(const struct activity *activity);
