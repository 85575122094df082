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

void turn_wait_locked(struct aspace *as) {
    ASSERT_LOCKED(&as->lock);
    while (as->changing) {
        uint32_t turn = turn_note(as);
        spin_unlock(&as->lock);
        turn_wait_for_end(as, turn);
        spin_lock(&as->lock);
    }
}

void turn_wake(struct aspace *as) {
    __atomic_store_n(&as->turn, as->turn + 1, __ATOMIC_RELEASE);
    spin_unlock(&as->lock);
    turn_ops->wake(&as->turn);
}
