/* Futexes: sleeping until another thread changes a word of user memory.
 *
 * A word is 4 bytes, aligned. One in a shared mapping is the same wherever it is mapped; one in
 * private memory is its process's own. Nothing is kept for a word that nobody waits for. */
#pragma once
#include "lib/types.h"

void futex_init(void);

/* Sleeps while nobody wakes the word, if it has this value now; nobody can change it and wake in
 * between unseen. until: cpu_time; UINT64_MAX: for ever. 0: somebody has; -K_EAGAIN: it has another
 * value; -K_ETIMEDOUT; -K_EINTR: a signal; -K_EINVAL: misaligned; -K_EFAULT: it cannot
 * be read, and what else a fault there gives (aspace_fault). */
int futex_wait(uaddr_t word, uint32_t value, uint64_t until) must_check;

/* Wakes at most n of those that wait for the word now, the longest first, and lets others run when
 * there are many; no lock is held. *woken: how many.
 * -K_EINVAL: misaligned; -K_EFAULT: nothing is mapped there. */
int futex_wake(uaddr_t word, uint32_t n, uint32_t *woken) must_check;
