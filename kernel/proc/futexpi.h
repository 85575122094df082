/* Locks that know their owner: words of user memory (futex.h) with the number of the thread that
 * has the lock, and the bits of endwords.h. Linux calls them PI, for the owner runs with the
 * priority of who waits. All threads have one priority here, so what is left of that is who owns
 * the lock: the one that gives it back gives it to the one that has waited the longest, which owns
 * it from then on, whatever others do meanwhile. */
#pragma once
#include "lib/types.h"

/* The running thread has the lock afterwards, and the bit LOCK_OWNER_DIED is there if the owner
 * before has ended with it. waits: till until (cpu_time), while another thread has it. -K_EAGAIN:
 * it is not to wait; -K_ETIMEDOUT; -K_EINTR; -K_EDEADLK: it has it already; -K_ESRCH: there is no
 * thread with the owner's number; -K_ENOMEM: too many wait for such locks; -K_EINVAL, -K_EFAULT:
 * the word, as in futex.h. */
int futex_pi_lock(uaddr_t word, bool waits, uint64_t until) must_check;

/* -K_EPERM: another thread has it, or nobody; -K_EINVAL, -K_EFAULT. */
int futex_pi_unlock(uaddr_t word) must_check;

/* The running thread ends, or its program does, and has given back what it knows of
 * (endwords.h). Whoever waits for a lock of its own gets it. */
void futex_pi_leave(void);

void futex_pi_init(void);
