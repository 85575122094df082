/* Futexes: see futex.h. */
#include "proc/futex.h"
#include "lib/errno.h"
#include "proc/clock.h"
#include "proc/sched.h"
#include "proc/thread.h"

/* Those that wait for words of some names, the longest first. Two locks are taken by rising
 * address. */
#define BUCKETS 64
static struct futex_bucket {
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

void futex_waiter_init(struct futex_waiter *w) {
    spin_init(&w->lock, RANK_FUTEX_WAITER);
    wait_channel_init(&w->channel);
}

static struct futex_bucket *bucket_of(const struct user_word *w) {
    return &buckets[user_word_hash(w) % BUCKETS];
}

static void lock_both(struct futex_bucket *a, struct futex_bucket *b) {
    spin_lock(a < b ? &a->lock : &b->lock);
    if (a != b)
        spin_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct futex_bucket *a, struct futex_bucket *b) {
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}

/* Takes both locks if the word has the value; whoever changes it from then on, and then wakes,
 * finds the caller among those that wait. */
static int lock_both_if(struct futex_bucket *a, struct futex_bucket *b, uaddr_t word,
                        uint32_t value) {
    const uint32_t *now;
    int err = user_word_begin(word, &now);
    if (err)
        return err;
    lock_both(a, b);
    bool same = __atomic_load_n(now, __ATOMIC_RELAXED) == value;
    user_word_end();
    if (!same)
        unlock_both(a, b);
    return same ? 0 : -K_EAGAIN;
}

/* ---- waiting ------------------------------------------------------------------- */

/* The last one there. */
static void come_locked(struct futex_bucket *b, struct futex_waiter *w) {
    ASSERT_LOCKED(&b->lock);
    w->number = b->came++;
    __atomic_store_n(&w->bucket, b, __ATOMIC_RELAXED);
    list_push_back(&b->waiters, &w->link);
}

/* Of the bucket that it is in now. */
static struct futex_bucket *lock_bucket(const struct futex_waiter *w) {
    for (;;) {
        struct futex_bucket *b = __atomic_load_n(&w->bucket, __ATOMIC_RELAXED);
        spin_lock(&b->lock);
        if (b == w->bucket)
            return b;
        spin_unlock(&b->lock);
    }
}

static void sleep(struct futex_waiter *w) {
    spin_lock(&w->lock);
    while (!w->woken && !proc_interrupted() && !clock_alarm_rang())
        sleep_on(&w->channel, &w->lock);
    spin_unlock(&w->lock);
}

/* Who wakes it or moves it holds the bucket's lock, and so does not know it any more afterwards. */
static int leave(struct futex_waiter *w) {
    struct futex_bucket *b = lock_bucket(w);
    list_remove(&w->link);
    spin_unlock(&b->lock);
    return w->woken ? 0 : clock_alarm_rang() ? -K_ETIMEDOUT : -K_EINTR;
}

static int wait(struct futex_waiter *w, uaddr_t word, uint32_t value) {
    struct futex_bucket *b = bucket_of(&w->word);
    int err = lock_both_if(b, b, word, value);
    if (err)
        return err;
    w->woken = false;
    come_locked(b, w);
    spin_unlock(&b->lock);
    sleep(w);
    return leave(w);
}

int futex_wait(uaddr_t word, uint32_t value, uint32_t bits, uint64_t until) {
    struct futex_waiter *w = &thread_self()->futex;
    if (!bits)
        return -K_EINVAL;
    int err = user_word_find(word, &w->word);
    if (err)
        return err;
    w->bits = bits;
    clock_set_alarm(until);
    err = wait(w, word, value);
    clock_end_alarm();
    return err;
}

/* ---- waking and moving --------------------------------------------------------- */

struct waking {
    struct futex_bucket *b, *to; /* the same, if nobody is moved */
    struct user_word from_word, to_word;
    uint32_t bits, wake, move; /* so many still */
};

/* With the lock so many of those that wait are looked at, whatever word they wait for. */
#define SEEN_AT_ONCE 64

/* In a break this one's record stands before the next waiter, as a waiter for no word: the list may
 * be another one afterwards. Gives what is behind it then. */
static struct list *make_break(const struct waking *g, struct list *next) {
    struct futex_waiter *mark = &thread_self()->futex;
    mark->word = (struct user_word){0};
    list_insert(&mark->link, next->prev, next);
    unlock_both(g->b, g->to);
    sched_break();
    lock_both(g->b, g->to);
    next = mark->link.next;
    list_remove(&mark->link);
    return next;
}

/* It came after a wake-up that begins at came, and so did all behind it. Else those that are woken,
 * and wait again at once, would be woken for ever. */
static bool is_newer(const struct futex_waiter *w, uint32_t came) {
    return w->word.what && (int32_t)(w->number - came) >= 0;
}

static void wake(struct futex_waiter *w) {
    list_remove(&w->link);
    spin_lock(&w->lock);
    w->woken = true;
    wakeup(&w->channel);
    spin_unlock(&w->lock);
}

static void wake_or_move_locked(struct waking *g, struct futex_waiter *w) {
    ASSERT_LOCKED(&g->b->lock);
    if (g->wake) {
        g->wake--;
        wake(w);
    } else {
        g->move--;
        list_remove(&w->link);
        w->word = g->to_word;
        come_locked(g->to, w);
    }
}

static void go_over_locked(struct waking *g) {
    ASSERT_LOCKED(&g->b->lock);
    struct list *it = g->b->waiters.next;
    uint32_t came = g->b->came;
    for (unsigned seen = 0; it != &g->b->waiters && (g->wake || g->move); seen++) {
        if (seen == SEEN_AT_ONCE) {
            it = make_break(g, it);
            seen = 0;
            continue;
        }
        struct futex_waiter *w = LIST_ENTRY(it, struct futex_waiter, link);
        if (is_newer(w, came))
            break;
        it = it->next;
        if (user_word_same(&w->word, &g->from_word) && (w->bits & g->bits))
            wake_or_move_locked(g, w);
    }
}

int futex_wake(uaddr_t word, uint32_t n, uint32_t bits, uint32_t *woken) {
    struct waking g = {.bits = bits, .wake = n};
    *woken = 0;
    if (!bits)
        return -K_EINVAL;
    int err = user_word_find(word, &g.from_word);
    if (err)
        return err;
    g.b = g.to = bucket_of(&g.from_word);
    spin_lock(&g.b->lock);
    go_over_locked(&g);
    spin_unlock(&g.b->lock);
    *woken = n - g.wake;
    return 0;
}

int futex_requeue(const struct futex_move *m, uint32_t *woken, uint32_t *moved) {
    struct waking g = {.bits = FUTEX_ALL, .wake = m->wake, .move = m->move};
    *woken = *moved = 0;
    int err = user_word_find(m->from, &g.from_word);
    if (!err)
        err = user_word_find(m->to, &g.to_word);
    if (err)
        return err;
    g.b = bucket_of(&g.from_word);
    g.to = bucket_of(&g.to_word);
    if (m->compares)
        err = lock_both_if(g.b, g.to, m->from, m->value);
    else
        lock_both(g.b, g.to);
    if (err)
        return err;
    go_over_locked(&g);
    unlock_both(g.b, g.to);
    *woken = m->wake - g.wake;
    *moved = m->move - g.move;
    return 0;
}
