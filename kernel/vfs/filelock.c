/* Locks on ranges of files: see filelock.h.
 *
 * They stand in lists by what they are on, each in no order. One spinlock guards all lists, and who
 * waits for whom: so a circle of processes is seen whole. Each list is short enough to be looked
 * through with it (FILELOCKS_TOGETHER). */
#include "vfs/filelock.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "proc/wait.h"
#include "vfs/node.h"

#define BUCKETS 64
#define CIRCLE_MOST 16 /* processes that wait for each other, and are told so */
#define MIX 0x9e3779b97f4a7c15ULL

struct range_lock {
    struct list link;
    const void *on;    /* the node, or what is open without one */
    const void *owner; /* a process or a file */
    enum lock_family family;
    enum lock_sort sort;
    uint64_t start, end; /* as in lock_request */
    int32_t pid;
};

/* A process that waits, in memory that all others see. */
struct lock_waiter {
    struct list link;
    const void *owner;  /* a process */
    const void *holder; /* who has what it waits for; NULL: it is to look again */
    const struct bucket *at;
};

static struct slab records = SLAB_INIT(records, sizeof(struct range_lock));
static struct slab waiter_records = SLAB_INIT(waiter_records, sizeof(struct lock_waiter));

static struct {
    struct spinlock lock;
    struct bucket {
        struct list locks;
        struct wait_channel changed;
    } bucket[BUCKETS];
    struct list waiters;
} all = {.lock = SPINLOCK_INIT(RANK_FILE_LOCKS), .waiters = LIST_INIT(all.waiters)};

void filelock_boot_init(void) {
    for (unsigned i = 0; i < BUCKETS; i++) {
        list_init(&all.bucket[i].locks);
        wait_channel_init(&all.bucket[i].changed);
    }
}

static const void *place_of(const struct file *f) {
    const struct node *n = f->ops->node ? f->ops->node(f) : NULL;
    return n ? (const void *)n : f->object ? f->object : f;
}

static struct bucket *bucket_of(const void *on) {
    return &all.bucket[(uint64_t)on * MIX >> 32 & (BUCKETS - 1)];
}

static const void *owner_of(const struct file *f, const struct lock_request *r) {
    return r->of_process ? (const void *)proc_self() : f;
}

/* ---- looking ---- */

static bool overlap(const struct range_lock *l, uint64_t start, uint64_t end) {
    return l->start <= end && start <= l->end;
}

/* NULL: nobody keeps it out. */
static struct range_lock *conflict_locked(struct bucket *b, const void *on, const void *owner,
                                          const struct lock_request *r) {
    ASSERT_LOCKED(&all.lock);
    if (r->sort == LOCK_NONE)
        return NULL;
    LIST_EACH(it, &b->locks) {
        struct range_lock *l = LIST_ENTRY(it, struct range_lock, link);
        if (l->on == on && l->owner != owner && l->family == r->family &&
            (l->sort == LOCK_ALONE || r->sort == LOCK_ALONE) && overlap(l, r->start, r->end))
            return l;
    }
    return NULL;
}

void filelock_find(struct file *f, const struct lock_request *r, struct lock_found *found) {
    const void *on = place_of(f);
    spin_lock(&all.lock);
    const struct range_lock *l = conflict_locked(bucket_of(on), on, owner_of(f, r), r);
    *found = l ? (struct lock_found){l->sort, l->start, l->end, l->pid}
               : (struct lock_found){.sort = LOCK_NONE};
    spin_unlock(&all.lock);
}

/* ---- changing ---- */

/* A range was freed. Whoever waits there looks again, and waits for nobody until then. */
static void freed_locked(struct bucket *b) {
    ASSERT_LOCKED(&all.lock);
    LIST_EACH(it, &all.waiters) {
        struct lock_waiter *w = LIST_ENTRY(it, struct lock_waiter, link);
        if (w->at == b)
            w->holder = NULL;
    }
    wakeup(&b->changed);
}

/* Records that a change may need: its own, and the second part of one that is cut in two. */
struct spare {
    struct range_lock *record[2];
};

static int take_spare(struct spare *s) {
    for (unsigned i = 0; i < 2; i++)
        s->record[i] = slab_take(&records);
    return s->record[0] && s->record[1] ? 0 : -K_ENOLCK;
}

static void give_spare(struct spare *s) {
    for (unsigned i = 0; i < 2; i++)
        if (s->record[i])
            slab_give(&records, s->record[i]);
}

static void drop_locked(struct range_lock *l) {
    ASSERT_LOCKED(&all.lock);
    list_remove(&l->link);
    slab_give(&records, l);
}

/* Takes [start, end] away from l. What is left of it behind that is in *second. */
static void cut_locked(struct bucket *b, struct range_lock *l, uint64_t start, uint64_t end,
                       struct range_lock **second) {
    ASSERT_LOCKED(&all.lock);
    if (l->start < start && l->end > end) {
        struct range_lock *rest = *second;
        *second = NULL;
        *rest = *l;
        rest->start = end + 1;
        l->end = start - 1;
        list_push_front(&b->locks, &rest->link);
    } else if (l->start < start) {
        l->end = start - 1;
    } else if (l->end > end) {
        l->start = end + 1;
    } else {
        drop_locked(l);
    }
}

/* Whether they are one range, side by side or in part the same. */
static bool joins(const struct range_lock *l, uint64_t start, uint64_t end) {
    return overlap(l, start ? start - 1 : 0, end == UINT64_MAX ? end : end + 1);
}

/* How many records more there are with r than without it. Those of one owner and sort do not join
 * each other, so what r joins is what stands beside it now. */
static int more_with(const struct range_lock *l, const struct lock_request *r) {
    if (l->sort == r->sort && joins(l, r->start, r->end))
        return -1;
    if (!overlap(l, r->start, r->end))
        return 0;
    return (l->start < r->start) + (l->end > r->end) - 1;
}

/* What is given back has room, but for the middle of one. */
static bool has_room_locked(const struct bucket *b, const void *on, const void *owner,
                            const struct lock_request *r) {
    ASSERT_LOCKED(&all.lock);
    int more = r->sort != LOCK_NONE, on_this = 0, together = 0;
    LIST_EACH(it, &b->locks) {
        const struct range_lock *l = LIST_ENTRY(it, struct range_lock, link);
        together++;
        on_this += l->on == on;
        if (l->on == on && l->owner == owner && l->family == r->family)
            more += more_with(l, r);
    }
    return more <= 0 ||
           (on_this + more <= FILELOCKS_ON_FILE && together + more <= FILELOCKS_TOGETHER);
}

/* Nobody keeps it out. Those of the same sort that join become one; of the others it takes its
 * part. */
static void apply_locked(struct bucket *b, const void *on, const void *owner, int32_t pid,
                         const struct lock_request *r, struct spare *spare) {
    ASSERT_LOCKED(&all.lock);
    uint64_t start = r->start, end = r->end;
    bool freed = false;
    for (struct list *it = b->locks.next, *next; it != &b->locks; it = next) {
        struct range_lock *l = LIST_ENTRY(it, struct range_lock, link);
        next = it->next;
        if (l->on != on || l->owner != owner || l->family != r->family)
            continue;
        if (l->sort == r->sort && joins(l, start, end)) {
            start = MIN(start, l->start);
            end = MAX(end, l->end);
            drop_locked(l);
        } else if (overlap(l, r->start, r->end)) {
            cut_locked(b, l, r->start, r->end, &spare->record[1]);
            freed = true;
        }
    }
    if (r->sort != LOCK_NONE) {
        struct range_lock *l = spare->record[0];
        spare->record[0] = NULL;
        *l = (struct range_lock){.on = on,
                                 .owner = owner,
                                 .family = r->family,
                                 .sort = r->sort,
                                 .start = start,
                                 .end = end,
                                 .pid = pid};
        list_push_front(&b->locks, &l->link);
    }
    if (freed)
        freed_locked(b);
}

/* ---- waiting ---- */

static const void *waits_for_locked(const void *owner) {
    ASSERT_LOCKED(&all.lock);
    LIST_EACH(it, &all.waiters) {
        const struct lock_waiter *w = LIST_ENTRY(it, struct lock_waiter, link);
        if (w->owner == owner && w->holder)
            return w->holder;
    }
    return NULL;
}

/* Whether the holder waits for the owner, by way of a few others or not: all waiters are looked
 * through for each of them. */
static bool would_deadlock_locked(const void *owner, const void *holder) {
    ASSERT_LOCKED(&all.lock);
    for (unsigned most = CIRCLE_MOST; holder && holder != owner && most > 1; most--)
        holder = waits_for_locked(holder);
    return holder == owner;
}

/* One sleep; w: NULL for an open file's lock. */
static int wait_locked(struct bucket *b, const struct range_lock *for_whom, struct lock_waiter *w) {
    ASSERT_LOCKED(&all.lock);
    if (proc_interrupted())
        return -K_EINTR;
    if (w && would_deadlock_locked(w->owner, for_whom->owner))
        return -K_EDEADLK;
    if (w) {
        w->holder = for_whom->owner;
        w->at = b;
        list_push_back(&all.waiters, &w->link);
    }
    sleep_on(&b->changed, &all.lock);
    if (w)
        list_remove(&w->link);
    return 0;
}

static int set_locked(struct file *f, const struct lock_request *r, struct spare *spare,
                      struct lock_waiter *w) {
    ASSERT_LOCKED(&all.lock);
    const void *on = place_of(f), *owner = owner_of(f, r);
    struct bucket *b = bucket_of(on);
    const struct range_lock *other;
    int err = 0;
    while (!err && (other = conflict_locked(b, on, owner, r))) {
        /* Two who share, and both want it alone, would wait for each other. */
        struct lock_request nothing = *r;
        nothing.sort = LOCK_NONE;
        if (r->waits && r->family == LOCK_WHOLE)
            apply_locked(b, on, owner, 0, &nothing, spare);
        err = r->waits ? wait_locked(b, other, w) : -K_EAGAIN;
    }
    if (!err && !has_room_locked(b, on, owner, r))
        err = -K_ENOLCK;
    if (!err)
        apply_locked(b, on, owner, r->of_process ? proc_self()->pid : -1, r, spare);
    return err;
}

/* What the close of the owner looks at, from before there is a lock on. */
static void note_owner(struct file *f, const struct lock_request *r) {
    if (r->of_process)
        proc_self()->fds.locks = true;
    else
        __atomic_store_n(&f->locks, true, __ATOMIC_RELAXED);
}

int filelock_set(struct file *f, const struct lock_request *r) {
    struct spare spare;
    struct lock_waiter *w = NULL;
    int err = take_spare(&spare);
    if (!err && r->waits && r->of_process) {
        w = slab_take(&waiter_records);
        err = w ? 0 : -K_ENOLCK;
    }
    if (!err) {
        if (w)
            *w = (struct lock_waiter){.owner = owner_of(f, r)};
        note_owner(f, r);
        spin_lock(&all.lock);
        err = set_locked(f, r, &spare, w);
        spin_unlock(&all.lock);
    }
    if (w)
        slab_give(&waiter_records, w);
    give_spare(&spare);
    return err;
}

/* ---- the end ---- */

/* Of this owner, on this, or, NULL, on anything. */
static void drop_in_locked(struct bucket *b, const void *owner, const void *on) {
    ASSERT_LOCKED(&all.lock);
    bool some = false;
    for (struct list *it = b->locks.next, *next; it != &b->locks; it = next) {
        struct range_lock *l = LIST_ENTRY(it, struct range_lock, link);
        next = it->next;
        if (l->owner != owner || (on && l->on != on))
            continue;
        drop_locked(l);
        some = true;
    }
    if (some)
        freed_locked(b);
}

static void drop_on(const struct file *f, const void *owner) {
    const void *on = place_of(f);
    spin_lock(&all.lock);
    drop_in_locked(bucket_of(on), owner, on);
    spin_unlock(&all.lock);
}

void filelock_closed(struct file *f) { drop_on(f, proc_self()); }

void filelock_file_ended(struct file *f) { drop_on(f, f); }

void filelock_process_ended(struct proc *p) {
    for (unsigned i = 0; i < BUCKETS; i++) {
        spin_lock(&all.lock);
        drop_in_locked(&all.bucket[i], p, NULL);
        spin_unlock(&all.lock);
    }
}
