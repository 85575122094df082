/* Watching things: one thread waits until any of several, each with a lock of its own, becomes
 * what it wants.
 *
 * A thing that can be watched has a struct watched beside its condition, guarded by the spinlock
 * that guards the condition. A watcher has a struct watch for each thing, in memory that is mapped
 * for all processes: not on its stack.
 *
 * The invariant: between watch_begin and watch_end, each change of the condition calls the watch's
 * `changed`, under the lock of the thing. So who begins to watch, then looks at all conditions, and
 * sleeps only as long as nobody has called since before that look, misses none:
 *
 *     watcher_init   look at all   nothing: watcher_wait, and look again
 *
 * A watch is begun and ended by one at a time, and the thing is there in between. */
#pragma once
#include "proc/wait.h"

/* What a thing may be, with the numbers that poll's structures have. */
#define READY_READABLE 0x01U /* a read would not wait: there is something, or the end */
#define READY_WRITABLE 0x04U
#define READY_ERROR 0x08U  /* a write would fail: nobody reads any more */
#define READY_HANGUP 0x10U /* nobody writes any more */
#define READY_LAST 0x2000U /* of a socket: nothing comes behind what is there */

struct watch {
    struct watch *next, **at; /* among those of one thing; its lock */
    struct spinlock *lock;    /* of the thing; NULL: nothing is watched */
    void (*changed)(struct watch *w);
    struct watcher *watcher; /* whom watcher_told tells */
};

/* Zero is one that nobody watches. */
struct watched {
    struct watch *first;
};

/* The thing's lock, lk, is held. */
static inline void watch_begin(struct watch *w, struct watched *thing, struct spinlock *lk) {
    w->lock = lk;
    w->next = thing->first;
    w->at = &thing->first;
    if (w->next)
        w->next->at = &w->next;
    thing->first = w;
}

/* No lock below the thing's is held. From here on `changed` is not called. */
static inline void watch_end(struct watch *w) {
    if (!w->lock)
        return;
    spin_lock(w->lock);
    *w->at = w->next;
    if (w->next)
        w->next->at = w->at;
    spin_unlock(w->lock);
    w->lock = NULL;
}

/* The condition is another one now. The thing's lock is held; from interrupt handlers too. */
static inline void watched_changed(struct watched *thing) {
    for (struct watch *w = thing->first; w; w = w->next)
        w->changed(w);
}

/* The same of what does not change any more. At most n watches are called, and are those of told
 * then: they are not called again. True: there are more. */
static inline bool watched_ends(struct watched *thing, struct watched *told, uint32_t n) {
    while (thing->first && n-- > 0) {
        struct watch *w = thing->first;
        thing->first = w->next;
        if (w->next)
            w->next->at = &thing->first;
        watch_begin(w, told, w->lock);
        w->changed(w);
    }
    return thing->first;
}

/* ---- a thread that watches ---- */

/* In memory that is mapped for all processes, too. */
struct watcher {
    struct spinlock lock;
    bool told; /* since it forgot */
    struct wait_channel channel;
};

void watcher_init(struct watcher *w); /* nobody has told it anything */

/* For watch.changed: w->watcher is told. */
void watcher_told(struct watch *w);

/* Sleeps until w is told, or the running thread's alarm (clock.h) has rung; and forgets. -K_EINTR:
 * a signal. */
int watcher_wait(struct watcher *w) must_check;
