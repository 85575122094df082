/* Turns: see turn.h. */
#include "mm/turn.h"
#include "lib/panic.h"

const struct turn_ops *turn_ops;

/* Who waits has said so with the lock, so whoever ends the turn has seen it. */
void turn_wait_for_end(struct aspace *as, uint32_t turn) {
    if (!turn_ops)
        panic("nobody can wait for a change of mappings");
    turn_ops->wait(&as->turn, turn);
    __atomic_sub_fetch(&as->waiting, 1, __ATOMIC_RELAXED);
}

/* Until some turn, or some claim, has ended. */
static void wait_locked(struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    uint32_t turn = turn_note(as);
    spin_unlock(&as->lock);
    turn_wait_for_end(as, turn);
    spin_lock(&as->lock);
}

void turn_wait_locked(struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    while (as->changing)
        wait_locked(as);
}

void turn_wait_for_claims_locked(struct aspace *as, uint64_t start, uint64_t end) {
    ASSERT_LOCKED(&as->lock);
    while (turn_claims_some(as, start, end))
        wait_locked(as);
}

void turn_wake(struct aspace *as) {
    __atomic_store_n(&as->turn, as->turn + 1, __ATOMIC_RELEASE);
    spin_unlock(&as->lock);
    turn_ops->wake(&as->turn);
}

/* ---- claims ---------------------------------------------------------------- */

bool turn_claims_some(const struct aspace *as, uint64_t start, uint64_t end) {
    for (uint32_t i = 0; i < as->claims; i++)
        if (as->claim[i] < end && start < as->claim[i] + LARGE_SIZE)
            return true;
    return false;
}

void turn_claim(struct aspace *as, uint64_t start) {
    ASSERT_LOCKED(&as->lock);
    ASSERT(!turn_is_claimed_out(as));
    as->claim[as->claims++] = start;
}

void turn_end_claim(struct aspace *as, uint64_t start) {
    ASSERT_LOCKED(&as->lock);
    uint32_t i = 0;
    while (as->claim[i] != start)
        i++;
    as->claim[i] = as->claim[--as->claims];
    if (as->waiting)
        turn_wake(as);
    else
        spin_unlock(&as->lock);
}
