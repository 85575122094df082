/* What a thread that ends leaves in its program's memory: see endwords.h. */
#include "proc/endwords.h"
#include "mm/uaccess.h"
#include "mm/userword.h"
#include "proc/futex.h"
#include "proc/futexpi.h"
#include "proc/sched.h"
#include "proc/thread.h"

struct head {
    uint64_t first;
    int64_t distance;
    uint64_t pending;
};

static void wake_one(uaddr_t word) {
    uint32_t woken;
    (void)!futex_wake(word, 1, FUTEX_ALL, &woken);
}

/* 0, or an error that ends the list. */
static int give_lock_back(uaddr_t lock, bool pending) {
    uint32_t tid = (uint32_t)thread_self()->tid, was = tid, seen;
    for (;; was = seen) {
        uint32_t left = (was & LOCK_WAITED_FOR) | LOCK_OWNER_DIED;
        int err = user_word_exchange(lock, was, left, &seen);
        if (err)
            return err;
        if (seen == was)
            break;
        if ((seen & LOCK_OWNER) != tid) {
            /* It may have given the lock back, and not have woken anybody yet. */
            if (pending && !seen)
                wake_one(lock);
            return 0;
        }
    }
    if (was & LOCK_WAITED_FOR)
        wake_one(lock);
    return 0;
}

static uaddr_t lock_of(const struct head *h, uint64_t entry) {
    return UA((entry & ~(uint64_t)1) + (uint64_t)h->distance);
}

static void give_locks_back(uint64_t list) {
    struct head h;
    if (copyin(&h, UA(list), sizeof(h)))
        return;
    uint64_t entry = h.first, next;
    int err = 0;
    for (int n = 0; !err && (entry & ~(uint64_t)1) != list && n < END_WORDS_LOCKS; n++) {
        /* First: whoever gets the lock may reuse its memory. */
        int end = copyin(&next, UA(entry & ~(uint64_t)1), sizeof(next));
        if (entry != h.pending)
            err = give_lock_back(lock_of(&h, entry), false);
        err = err ? err : end;
        if (!end && next == entry) /* it leads to itself, as of a program that tries us */
            break;
        entry = next;
        sched_break(); /* each may be a page that has to be copied */
    }
    if (h.pending)
        (void)!give_lock_back(lock_of(&h, h.pending), true);
}

void end_words_leave(bool others_go_on) {
    static const uint32_t gone = 0;
    struct thread *t = thread_self();
    struct end_words w = t->end_words;
    t->end_words = (struct end_words){0};
    if (w.robust)
        give_locks_back(w.robust);
    futex_pi_leave();
    if (w.cleared && others_go_on && !copyout(UA(w.cleared), &gone, sizeof(gone)))
        wake_one(UA(w.cleared));
}
