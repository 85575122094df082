/* Locks of the C library, and of POSIX's made of them: a word that is 0 when free, 1 when held, and
 * 2 when somebody may wait for it, so that only who waits, and who gives it to one that does, makes
 * a call. A word of 0s is a free lock. Held for short, and never while a stream reads or writes but
 * for the stream's own (stream.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Set when a second thread is made, and for good: until then the library takes no locks. */
extern bool several_threads;

void lock_wait(uint32_t *lock); /* the slow ways */
void lock_wake(uint32_t *lock);

static inline bool lock_try(uint32_t *lock) {
    uint32_t seen = 0;
    return __atomic_compare_exchange_n(lock, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void lock_take(uint32_t *lock) {
    if (!lock_try(lock))
        lock_wait(lock);
}

static inline void lock_give(uint32_t *lock) {
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
        lock_wake(lock);
}

/* What fork does when there is more to do than the call; NULL: there is not. */
extern pid_t (*fork_hook)(pid_t (*call)(void));

/* The library's own. fork takes these (threadfork.c). */
extern uint32_t malloc_lock, exit_lock;

void lock_take_called(uint32_t *lock); /* not inline: they are small where there is one thread */
void lock_give_called(uint32_t *lock);

static inline void library_lock(uint32_t *lock) {
    if (several_threads)
        lock_take_called(lock);
}

static inline void library_unlock(uint32_t *lock) {
    if (several_threads)
        lock_give_called(lock);
}
