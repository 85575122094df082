/* Changes of a space's mappings by several threads: one thread at a time has the turn. It begins
 * with the space's lock and ends with it, and in between the lock may be given back
 * (mm/pieces.h): the others who want to change something wait, asleep.
 *
 * Faults need no turn, and go on beside a change in every break. But a change closes the range
 * that it works on, and whoever faults there waits, asleep, until it is open, and looks again: so
 * in a break nobody fills what is being taken out. A leaf that is made elsewhere does not reach
 * into it. Who may not sleep (uaccess.h, faults that are held) gets -K_EFAULT.
 *
 * Nor does a fault need one that makes 2 MiB ready, without the lock (ready.h). It claims them:
 * other faults there wait until it has ended its claim, and so does who takes a mapping away there.
 * It waits for nobody meanwhile: if it then finds the range closed, it gives up what it has. A
 * space has as many claims as there may be harts; who finds all of them taken waits for the end of
 * one.
 *
 * What is read of the mappings with the turn, and with or without the lock, stays as it is.
 * Whoever has the turn does not fault in the range that it has closed. */
#pragma once
#include "mm/aspace.h"

/* How threads wait, by a layer that knows of them; set once, at boot. */
struct turn_ops {
    void (*may_wait)(void); /* is told before, in debug kernels */
    /* Sleeps while *word is value; wake is called after each change of it. No spinlock is held. */
    void (*wait)(const uint32_t *word, uint32_t value);
    void (*wake)(const uint32_t *word);
};
extern const struct turn_ops *turn_ops;

/* With the lock, which is given back in the meantime. */
void turn_wait_locked(struct aspace *as);
/* The lock is given back, and those who wait go on. */
void turn_wake(struct aspace *as);

/* Takes the lock, when it is this thread's turn. */
static inline void turn_begin(struct aspace *as) {
    if (DEBUG && turn_ops)
        turn_ops->may_wait();
    spin_lock(&as->lock);
    if (__builtin_expect(as->changing, 0))
        turn_wait_locked(as);
    as->changing = true;
}

/* Gives the lock back, and the turn; all is open. */
static inline void turn_end(struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    as->changing = false;
    as->closed_bytes = 0;
    if (__builtin_expect(as->waiting, 0))
        turn_wake(as);
    else
        spin_unlock(&as->lock);
}

/* With the lock: faults in [start, end) wait until this is called with another range, or the turn
 * ends. */
static inline void turn_close(struct aspace *as, uint64_t start, uint64_t end) {
    as->closed_start = start;
    as->closed_bytes = end - start;
}

/* Whether va is closed; or something in a range. */
static inline bool turn_closes(const struct aspace *as, uint64_t va) {
    return __builtin_expect(va - as->closed_start < as->closed_bytes, 0);
}
static inline bool turn_closes_some(const struct aspace *as, uint64_t start, uint64_t end) {
    return as->closed_bytes && as->closed_start < end &&
           start < as->closed_start + as->closed_bytes;
}

/* With the lock: this fault claims the 2 MiB from start on. Nobody has claimed some of them, and
 * not all claims are taken. */
void turn_claim(struct aspace *as, uint64_t start);
/* The lock is given back, and those who wait go on. */
void turn_end_claim(struct aspace *as, uint64_t start);
/* Whether some fault has claimed something there; or nobody can claim any more. */
bool turn_claims_some(const struct aspace *as, uint64_t start, uint64_t end);
static inline bool turn_is_claimed_out(const struct aspace *as) {
    return as->claims == ARRAY_LEN(as->claim);
}
/* For who has the turn and has closed the range. The lock is given back in the meantime. */
void turn_wait_for_claims_locked(struct aspace *as, uint64_t start, uint64_t end);

/* For a fault: whoever found a closed address, with the lock, notes the turn; and waits, without
 * it, until that has ended, or some claim has. */
static inline uint32_t turn_note(struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    __atomic_add_fetch(&as->waiting, 1, __ATOMIC_RELAXED);
    return as->turn;
}
void turn_wait_for_end(struct aspace *as, uint32_t turn);
