/* Long work in pieces. The kernel is not preempted, so what grows with the size of a process (its
 * copy, its end, a change of a large range) lets others in by itself. It says here what it has
 * done, and when a piece is full there is a break: locks are given back, interrupts that wait are
 * taken, and others run if the slice is over.
 *
 * In a break everybody may find what is worked on: so both views of a space agree, no gather is
 * in use, and what there is is promised. Afterwards the thread may be on another hart. */
#pragma once
#include "sync/spinlock.h"

/* A piece, in entries of page tables that are passed; what costs more counts as several. */
#define PIECE 1024
#define PIECE_FREED 16 /* a frame that falls free */

/* What is done in a break. Set once, at boot, by a layer that knows of processes; NULL: nothing. */
extern void (*piece_break)(void);

/* What each hart has done since its last break. */
extern uint32_t piece_used[NHART];

/* Counts n more. True: the piece is full, and a break is due. */
static inline bool piece_is_full(unsigned n) {
    uint32_t *used = &piece_used[hart_self()->index];
    *used += n;
    return __builtin_expect(*used >= PIECE, 0);
}

/* The break. No spinlock is held. */
void piece_end(void);

/* Counts n more, and makes a break if one is due. No spinlock is held. */
static inline void piece_done(unsigned n) {
    spin_expect_none("work in pieces");
    if (piece_is_full(n))
        piece_end();
}

/* The same for whoever holds one spinlock, which is given back in the break. */
void piece_end_locked(struct spinlock *lk);
static inline void piece_done_locked(struct spinlock *lk, unsigned n) {
    ASSERT_LOCKED(lk);
    if (piece_is_full(n))
        piece_end_locked(lk);
}

/* For pt_clear, of a tree of so many tables that nobody else knows: what it calls after each. */
typedef void (*piece_fn)(void);
void piece_table_freed(void);
static inline piece_fn piece_of_tables(uint32_t tables) {
    return tables * PIECE_FREED > PIECE / 2 ? piece_table_freed : NULL;
}
