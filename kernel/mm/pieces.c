/* Breaks between the pieces of long work: see pieces.h. */
#include "mm/pieces.h"

void (*piece_break)(void);
uint32_t piece_used[NHART];

void piece_end(void) {
    spin_expect_none("a break between two pieces of work");
    piece_used[hart_self()->index] = 0;
    if (piece_break)
        piece_break();
}

void piece_end_locked(struct spinlock *lk) {
    ASSERT_LOCKED(lk);
    spin_unlock(lk);
    piece_end();
    spin_lock(lk);
}

void piece_table_freed(void) { piece_done(PIECE_FREED); }
