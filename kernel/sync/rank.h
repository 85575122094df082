/* The order of locks, and the check that it is kept.
 *
 * Each lock has a rank, from the list in ranks.def, which it is set up with. Who takes a lock
 * holds none of a higher rank, and of its own rank only by a rule of the list: so there is no
 * circle of holders that wait for each other. Debug kernels check that at every acquisition,
 * before they wait, and a panic names both locks and where each was taken. */
#pragma once
#include "lib/types.h"

enum rank {
    RANK_NONE, /* of a lock that was never set up */
#define RANK(name, ...) RANK_##name,
#include "sync/ranks.def"
#undef RANK
    RANKS
};

const char *rank_name(enum rank rank);

#define RANK_DEPTH 24

/* What a hart (spinlocks) or a thread (sleeplocks and their like) holds, in the order in which
 * it was taken: by rising rank, but for those taken by chance. Touched by that hart or thread
 * alone. */
struct rank_holder {
    uint32_t n;
    struct rank_held {
        const void *lock, *where; /* the lock's address; the code that took it */
        enum rank rank;
    } held[RANK_DEPTH];
};

/* The holder is going to take the lock, at this place in the code: a panic if that is out of
 * order. Then it counts as held. */
void rank_enter(struct rank_holder *h, const void *lock, enum rank rank, const void *where);

/* The same for a lock that was free, and would not have been waited for: in any order. */
void rank_enter_by_chance(struct rank_holder *h, const void *lock, enum rank rank,
                          const void *where);

/* It gives the lock back; what was taken after it may still be held. */
void rank_leave(struct rank_holder *h, const void *lock);
/* The same, and a panic if something is. */
void rank_leave_last(struct rank_holder *h, const void *lock);

/* A panic unless the holder holds nothing, or this lock alone; doing says what needs that. */
void rank_expect(const struct rank_holder *h, const void *only, const char *doing);
