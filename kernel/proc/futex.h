/* Futexes: sleeping until another thread changes a word of user memory.
 *
 * A word is 4 bytes, aligned. One in a shared mapping is the same wherever it is mapped; one in
 * private memory is its process's own. Nothing is kept for a word that nobody waits for. */
#pragma once
#include "lib/types.h"

void futex_init(void);

/* Who waits says for what sort of wake-ups, a bit each, and a wake-up of which sorts it is. */
#define FUTEX_ALL UINT32_MAX

/* Sleeps while nobody wakes the word, if it has this value now; nobody can change it and wake in
 * between unseen. until: cpu_time; UINT64_MAX: for ever. 0: somebody has woken it, or another word
 * that it was moved to; -K_EAGAIN: it has another value; -K_ETIMEDOUT; -K_EINTR: a signal;
 * -K_EINVAL: misaligned, or no bit; -K_EFAULT: it cannot be read, and what else a fault there gives
 * (aspace_fault). */
int futex_wait(uaddr_t word, uint32_t value, uint32_t bits, uint64_t until) must_check;

/* Wakes at most n of those that wait for the word now with one of the bits, the longest first, and
 * lets others run when there are many; no lock is held. *woken: how many.
 * -K_EINVAL: misaligned, or no bit; -K_EFAULT: nothing is mapped there. */
int futex_wake(uaddr_t word, uint32_t n, uint32_t bits, uint32_t *woken) must_check;

/* Wakes at most `wake` of those that wait for `from`, the longest first, and has at most `move` of
 * the others wait for `to` instead, as if they had come there now. */
struct futex_move {
    uaddr_t from, to;
    uint32_t wake, move;
    bool compares; /* only if `from` has this value */
    uint32_t value;
};
/* *woken, *moved: how many. -K_EAGAIN: it has another value; -K_EINVAL: misaligned; -K_EFAULT:
 * nothing is mapped at one of them, or `from` cannot be read: nothing changed. */
int futex_requeue(const struct futex_move *m, uint32_t *woken, uint32_t *moved) must_check;
