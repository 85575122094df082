/* Futexes: see futex.h. */
#include "proc/futex.h"
#include "lib/errno.h"
#include "proc/clock.h"
#include "proc/sched.h"
#include "proc/thread.h"

/* Those that wait for words of some names, the longest first. */
#define BUCKETS 64
static struct bucket {
    struct spinlock lock;
    struct list waiters; /* futex_waiter.link */
    uint32_t came;       /* how many have waited here */
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
    w->number = b->came++;
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

/* With the lock so many of those that wait are looked at, whatever word they wait for. */
#define SEEN_AT_ONCE 64

/* In a break this one's record stands before the next waiter, as a waiter for no word: the list may
 * be another one afterwards. Gives what is behind it then. */
static struct list *make_break(struct bucket *b, struct list *next) {
    struct futex_waiter *mark = &thread_self()->futex;
    mark->word = (struct user_word){0};
    list_insert(&mark->link, next->prev, next);
    spin_unlock(&b->lock);
    sched_break();
    spin_lock(&b->lock);
    next = mark->link.next;
    list_remove(&mark->link);
    return next;
}

/* It came after a wake-up that begins at came, and so did all behind it. Else those that are woken,
 * and wait again at once, would be woken for ever. */
static bool is_newer(const struct futex_waiter *w, uint32_t came) {
    return w->word.what && (int32_t)(w->number - came) >= 0;
}

int futex_wake(uaddr_t word, uint32_t n, uint32_t *woken) {
    struct user_word wanted;
    *woken = 0;
    int err = user_word_find(word, &wanted);
    if (err)
        return err;
    struct bucket *b = bucket_of(&wanted);
    spin_lock(&b->lock);
    struct list *it = b->waiters.next;
    uint32_t came = b->came;
    for (unsigned seen = 0; it != &b->waiters && *woken < n; seen++) {
        if (seen == SEEN_AT_ONCE) {
            it = make_break(b, it);
            seen = 0;
            continue;
        }
        struct futex_waiter *w = LIST_ENTRY(it, struct futex_waiter, link);
        if (is_newer(w, came))
            break;
        it = it->next;
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
