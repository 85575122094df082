/* Futexes: see futex.h. */
#include "proc/futex.h"
#include "lib/errno.h"
#include "proc/clock.h"
#include "proc/thread.h"

/* Those that wait for words of some names, the longest first. */
#define BUCKETS 64
static struct bucket {
    struct spinlock lock;
    struct list waiters; /* futex_waiter.link */
} buckets[BUCKETS];

void futex_init(void) {
    for (unsigned i = 0; i < BUCKETS; i++) {
        spin_init(&buckets[i].lock, RANK_FUTEX);
        list_init(&buckets[i].waiters);
    }
}

static struct bucket *bucket_of(const struct user_word *w) {
    uint64_t mixed = ((uint64_t)w->what ^ w->where) * 0x9e3779b97f4a7c15; /* 2^64 / phi */
    return &buckets[mixed >> 58];
}
_Static_assert(BUCKETS == 1 << (64 - 58), "the uppermost bits choose");

/* Takes the bucket's lock if the word has the value; whoever changes it from then on, and then
 * wakes, finds the caller among those that wait. */
static int lock_if(struct bucket *b, uaddr_t word, uint32_t value) {
    const uint32_t *now;
    int err = user_word_begin(word, &now);
    if (err)
        return err;
    spin_lock(&b->lock);
    bool same = __atomic_load_n(now, __ATOMIC_RELAXED) == value;
    user_word_end();
    if (!same)
        spin_unlock(&b->lock);
    return same ? 0 : -K_EAGAIN;
}

static int sleep_locked(struct bucket *b, struct futex_waiter *w) {
    ASSERT_LOCKED(&b->lock);
    w->woken = false;
    list_push_back(&b->waiters, &w->link);
    while (!w->woken && !proc_interrupted() && !clock_alarm_rang())
        sleep_on(&w->channel, &b->lock);
    list_remove(&w->link);
    return w->woken ? 0 : clock_alarm_rang() ? -K_ETIMEDOUT : -K_EINTR;
}

int futex_wait(uaddr_t word, uint32_t value, uint64_t until) {
    struct futex_waiter *w = &thread_self()->futex;
    int err = user_word_find(word, &w->word);
    if (err)
        return err;
    struct bucket *b = bucket_of(&w->word);
    if (until != UINT64_MAX)
        clock_set_alarm(until);
    err = lock_if(b, word, value);
    if (!err) {
        err = sleep_locked(b, w);
        spin_unlock(&b->lock);
    }
    if (until != UINT64_MAX)
        clock_end_alarm();
    return err;
}

int futex_wake(uaddr_t word, uint32_t n, uint32_t *woken) {
    struct user_word wanted;
    *woken = 0;
    int err = user_word_find(word, &wanted);
    if (err)
        return err;
    struct bucket *b = bucket_of(&wanted);
    spin_lock(&b->lock);
    for (struct list *it = b->waiters.next, *next; it != &b->waiters && *woken < n; it = next) {
        struct futex_waiter *w = LIST_ENTRY(it, struct futex_waiter, link);
        next = it->next;
        if (!user_word_same(&w->word, &wanted))
            continue;
        list_remove(&w->link);
        w->woken = true;
        wakeup(&w->channel);
        ++*woken;
    }
    spin_unlock(&b->lock);
    return 0;
}
