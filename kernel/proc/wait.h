/* Sleeping and waking.
 *
 * A wait channel stands beside the condition that it announces and is guarded
 * by the same spinlock. A sleeper looks at the condition under the lock and
 * calls sleep_on, which gives the lock back only when the sleeper is on the
 * channel; a waker changes the condition and calls wakeup under the lock. So no
 * wake-up is lost.
 *
 *     spin_lock(&q->lock);
 *     while (!q->ready) {
 *         if (proc_interrupted()) { spin_unlock(&q->lock); return -K_EINTR; }
 *         sleep_on(&q->changed, &q->lock);
 *     }
 *
 * A sleeper that a signal has woken still takes the lock and leaves the channel. So both live
 * as long as anybody may sleep there: they are set up once, at boot, for all uses.
 *
 * A signal, and kill is one, makes a sleeper return early, once. A wait that may have no end looks
 * at proc_interrupted in its loop; a wait for a disk does not. */
#pragma once
#include "lib/list.h"
#include "sync/spinlock.h"

struct wait_channel {
    struct list sleepers;
};

void wait_channel_init(struct wait_channel *wc);

/* Sleeps until wakeup(wc), a signal, or an alarm (clock.h). Holds lk before and after, and no other
 * spinlock. Needs a thread (thread_self() != NULL). May return for no reason
 * that the caller sees: always in a loop. */
void sleep_on(struct wait_channel *wc, struct spinlock *lk);

/* Makes every sleeper of wc runnable. The caller holds the lock that the
 * sleepers gave to sleep_on. Callable from interrupt handlers. */
void wakeup(struct wait_channel *wc);
/* The same for some of them, the longest first, when each of these then calls it too, for the rest.
 * As many may sleep as a process has threads. */
void wakeup_some(struct wait_channel *wc);
/* The one that has slept the longest. It may do so for another reason, and not look: so who waits
 * for something that one alone can have, and leaves it, wakes the next. */
void wakeup_one(struct wait_channel *wc);
/* Whether wakeup(wc) would do something. As above. */
static inline bool anybody_sleeps(const struct wait_channel *wc) {
    return !list_empty(&wc->sleepers);
}

/* Whether the running thread is to end: somebody has killed its process, or another of its threads
 * ends it. */
bool proc_killed(void);
/* Whether it is to do something before it returns to user mode, ending or about a signal: a call
 * that waits ends with -K_EINTR then. It is done again if it turns out that no handler runs. */
bool proc_interrupted(void);
