/* Locks that know their owner: see futexpi.h.
 *
 * Who waits is in a bucket of its own, with the owner's number in `bits`; that is brought up to
 * date with the lock's next owner. A thread that ends says so first (`gone`), and wakes
 * then who waits for it; who comes to wait is in its bucket first, and asks then whether the owner
 * is there. So one of the two sees the other. */
#include "proc/futexpi.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/clock.h"
#include "proc/endwords.h"
#include "proc/table.h"

#define BUCKETS 64
/* Of one bucket: all of them are gone over under its lock. */
#define WAITERS_MOST 1024

static struct pi_bucket {
    struct spinlock lock;
    struct list waiters; /* futex_waiter.link, the longest first */
    uint32_t count;
} buckets[BUCKETS];

static uint32_t waiting; /* in all of them; atomic */

void futex_pi_init(void) {
    for (unsigned i = 0; i < BUCKETS; i++) {
        spin_init(&buckets[i].lock, RANK_FUTEX);
        list_init(&buckets[i].waiters);
    }
}

static struct pi_bucket *bucket_of(const struct user_word *w) {
    return &buckets[user_word_hash(w) % BUCKETS];
}

static uint32_t tid_of(const struct futex_waiter *w) {
    return (uint32_t)CONTAINER_OF(w, struct thread, futex)->tid;
}

static uint32_t own_tid(void) { return (uint32_t)thread_self()->tid; }

/* ---- in a bucket ---- */

static void come_locked(struct pi_bucket *b, struct futex_waiter *w, uint32_t owner) {
    ASSERT_LOCKED(&b->lock);
    w->woken = false;
    w->bits = owner;
    list_push_back(&b->waiters, &w->link);
    b->count++;
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
}

static void go_locked(struct pi_bucket *b, struct futex_waiter *w) {
    ASSERT_LOCKED(&b->lock);
    list_remove(&w->link);
    b->count--;
    __atomic_fetch_sub(&waiting, 1, __ATOMIC_RELAXED);
}

/* owner: it has the lock now, or 0, and the one who did has ended. */
static void wake_locked(struct pi_bucket *b, struct futex_waiter *w, uint32_t owner) {
    ASSERT_LOCKED(&b->lock);
    go_locked(b, w);
    spin_lock(&w->lock);
    w->number = w->bits;
    w->bits = owner;
    w->woken = true;
    wakeup(&w->channel);
    spin_unlock(&w->lock);
}

static struct futex_waiter *first_locked(const struct pi_bucket *b, const struct user_word *word) {
    ASSERT_LOCKED(&b->lock);
    LIST_EACH(link, &b->waiters) {
        struct futex_waiter *w = LIST_ENTRY(link, struct futex_waiter, link);
        if (user_word_same(&w->word, word))
            return w;
    }
    return NULL;
}

/* Those that wait for the word wait for another one from now on. */
static void new_owner_locked(struct pi_bucket *b, const struct user_word *word, uint32_t owner) {
    ASSERT_LOCKED(&b->lock);
    LIST_EACH(link, &b->waiters) {
        struct futex_waiter *w = LIST_ENTRY(link, struct futex_waiter, link);
        if (user_word_same(&w->word, word))
            w->bits = owner;
    }
}

/* ---- taking ---- */

/* One try. dead: a thread that has ended, and so may have the lock without having it. -K_EAGAIN:
 * *owner has it, and the caller waits for it, if that was wanted. */
static int try(struct futex_waiter *w, uaddr_t word, bool waits, uint32_t dead, uint32_t *owner) {
    struct pi_bucket *b = bucket_of(&w->word);
    uint32_t *now, self = own_tid(), next;
    int err = user_word_begin_change(word, &now);
    if (err)
        return err;
    spin_lock(&b->lock);
    uint32_t was = __atomic_load_n(now, __ATOMIC_RELAXED);
    uint32_t others = first_locked(b, &w->word) ? LOCK_WAITED_FOR : 0;
    do {
        *owner = was & LOCK_OWNER;
        bool died = dead && *owner == dead;
        err = *owner == self ? -K_EDEADLK : *owner && !died ? -K_EAGAIN : 0;
        if (err == -K_EAGAIN && waits && b->count >= WAITERS_MOST)
            err = -K_ENOMEM;
        if (err && (err != -K_EAGAIN || !waits))
            break;
        next = err ? was | LOCK_WAITED_FOR
                   : self | others | (died ? LOCK_OWNER_DIED : was & LOCK_OWNER_DIED);
    } while (
        !__atomic_compare_exchange_n(now, &was, next, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* what the last owner did is seen */
    if (!err)
        new_owner_locked(b, &w->word, self);
    else if (err == -K_EAGAIN && waits)
        come_locked(b, w, *owner);
    spin_unlock(&b->lock);
    user_word_end();
    return err;
}

static bool has_thread(struct proc *p, int32_t tid) {
    bool found = false;
    spin_lock(&p->lock);
    if (p->state != P_FREE)
        LIST_EACH(link, &p->threads) {
            const struct thread *t = LIST_ENTRY(link, struct thread, in_process);
            found |= t->tid == tid && t->state != T_DEAD && !t->gone;
        }
    spin_unlock(&p->lock);
    return found;
}

static bool lives(uint32_t tid) {
    bool found = has_thread(proc_self(), (int32_t)tid);
    for (uint32_t slot = 0; slot < proc_slots && !found; slot++)
        found = has_thread(&procs[slot], (int32_t)tid);
    return found;
}

static void sleep(struct futex_waiter *w) {
    spin_lock(&w->lock);
    while (!w->woken && !proc_interrupted() && !clock_alarm_rang())
        sleep_on(&w->channel, &w->lock);
    spin_unlock(&w->lock);
}

/* The end of a wait. 0: it has the lock; -K_EAGAIN: its owner, *dead, has ended; else: err. */
static int leave(struct futex_waiter *w, int err, uint32_t *dead) {
    struct pi_bucket *b = bucket_of(&w->word);
    spin_lock(&b->lock);
    if (!w->woken)
        go_locked(b, w);
    else
        err = w->bits ? 0 : -K_EAGAIN;
    *dead = w->number;
    spin_unlock(&b->lock);
    return err;
}

static int wait_or_take(struct futex_waiter *w, uaddr_t word, bool waits) {
    uint32_t dead = 0, owner = 0;
    int err;
    do {
        err = try(w, word, waits, dead, &owner);
        if (err != -K_EAGAIN)
            return err;
        bool there = lives(owner);
        if (!waits)
            return there ? -K_EAGAIN : -K_ESRCH;
        if (there)
            sleep(w);
        err = leave(w, !there ? -K_ESRCH : clock_alarm_rang() ? -K_ETIMEDOUT : -K_EINTR, &dead);
    } while (err == -K_EAGAIN);
    return err;
}

int futex_pi_lock(uaddr_t word, bool waits, uint64_t until) {
    struct futex_waiter *w = &thread_self()->futex;
    int err = user_word_find(word, &w->word);
    if (err)
        return err;
    clock_set_alarm(until);
    err = wait_or_take(w, word, waits);
    clock_end_alarm();
    return err;
}

/* ---- giving back ---- */

int futex_pi_unlock(uaddr_t word) {
    struct user_word name;
    uint32_t *now, self = own_tid();
    int err = user_word_find(word, &name);
    if (!err)
        err = user_word_begin_change(word, &now);
    if (err)
        return err;
    struct pi_bucket *b = bucket_of(&name);
    spin_lock(&b->lock);
    struct futex_waiter *w = first_locked(b, &name);
    uint32_t was = __atomic_load_n(now, __ATOMIC_RELAXED);
    uint32_t next = w ? tid_of(w) | LOCK_WAITED_FOR : 0; /* there may be more who wait */
    do
        err = (was & LOCK_OWNER) != self ? -K_EPERM : 0;
    while (!err && !__atomic_compare_exchange_n(now, &was, next, false, __ATOMIC_RELEASE,
                                                __ATOMIC_RELAXED));
    if (!err && w) {
        wake_locked(b, w, tid_of(w));
        new_owner_locked(b, &name, next & LOCK_OWNER);
    }
    spin_unlock(&b->lock);
    user_word_end();
    return err;
}

static void leave_bucket(struct pi_bucket *b, uint32_t owner) {
    spin_lock(&b->lock);
    for (struct list *it = b->waiters.next, *next; it != &b->waiters; it = next) {
        struct futex_waiter *w = LIST_ENTRY(it, struct futex_waiter, link);
        next = it->next;
        if (w->bits == owner)
            wake_locked(b, w, 0);
    }
    spin_unlock(&b->lock);
}

void futex_pi_leave(void) {
    struct thread *t = thread_self();
    spin_lock(&t->proc->lock);
    t->gone = true;
    spin_unlock(&t->proc->lock);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < BUCKETS && __atomic_load_n(&waiting, __ATOMIC_SEQ_CST); i++)
        leave_bucket(&buckets[i], own_tid());
}
