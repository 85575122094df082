/* Event sets: see eventset.h.
 *
 * An event stands in two lists, its set's and its file's, which the lock `members` guards, for all
 * sets, since a file's end and a set's end may meet. It is found by its file, which is in few sets.
 *
 * The invariant: an event that wants something, and is it, is in its set's ready list. Its file
 * calls `changed` under the lock that guards the file's condition (watch.h), and that puts it
 * there. It leaves the list when somebody has looked at the file since the last change, and has
 * told of it, if once is enough, or has found that it is not ready. So one that was told, and is to
 * be told as long as it is ready, stays; and is looked at once more.
 *
 * Looking at a file takes its lock, which comes before the set's: so it is done without the set's,
 * with the event in use. Who removes an event waits until it is not, before anything of it or of
 * its file goes. A set is there as long as it has events, or somebody refers to its file.
 *
 * Telling goes outwards: from a file to its sets, under the file's lock; from a set to whoever
 * watches it, under the lock `outside`, one for all sets, since a set that watches another adds it
 * to its list, and tells in turn. `news` keeps that short: who was told, and has not looked since,
 * need not be told again.
 *
 * Locks: members, scanning (a set's), then spinlocks: a file's, outside, a set's. */
#include "vfs/eventset.h"
#include "lib/list.h"
#include "lib/panic.h"
#include "mm/pieces.h"
#include "mm/slab.h"
#include "proc/clock.h"
#include "proc/sleeplock.h"
#include "vfs/signalfile.h"

struct event {
    struct event_set *set;
    struct file *file;
    int number;
    struct list in_set;    /* set->events */
    struct event *in_file; /* the next one of file->events */
    struct watch watch;

    /* The set's lock. */
    struct event_wanted wanted;
    struct list ready; /* set->ready, or in no list */
    uint32_t users;    /* look at the file, or tell of it */
    bool gone;         /* it does not become ready any more */
    uint64_t changes;  /* how often anything about it has changed */
    uint64_t version;  /* how often what is wanted has */
    uint64_t pass;     /* the last one that has come to it */
};

struct event_set {
    struct file *file;      /* which it is; no reference */
    struct list events;     /* members */
    uint64_t check, height; /* members: see nesting */

    struct sleeplock scanning; /* who tells of its files */
    struct spinlock lock;
    struct list ready;          /* event.ready */
    uint64_t pass;              /* how often somebody has begun to tell */
    struct wait_channel waits;  /* for something in ready */
    struct wait_channel unused; /* until an event has no users */

    struct watched watched; /* outside */
    bool news;              /* outside: who watches was told since anybody looked */
};

static struct slab events = SLAB_INIT(events, sizeof(struct event));
static struct slab sets = SLAB_INIT(sets, sizeof(struct event_set));
static struct sleeplock members = SLEEPLOCK_INIT(members, RANK_EVENT_MEMBERS);
static struct spinlock outside = SPINLOCK_INIT(RANK_EVENT_OUTSIDE);

/* ---- changes ---- */

static bool is_ready_locked(const struct event *e) {
    ASSERT_LOCKED(&e->set->lock);
    return !list_empty(&e->ready);
}

static void put_last_locked(struct event *e) {
    ASSERT_LOCKED(&e->set->lock);
    list_remove(&e->ready);
    list_push_back(&e->set->ready, &e->ready);
}

/* The file has changed. False: nothing is wanted of it. */
static bool note(struct event *e) {
    struct event_set *s = e->set;
    spin_lock(&s->lock);
    bool wanted = e->wanted.ready && !e->gone;
    e->changes++;
    if (wanted) {
        if (!is_ready_locked(e))
            put_last_locked(e);
        wakeup_one(&s->waits);
    }
    spin_unlock(&s->lock);
    return wanted;
}

static void tell_outside_locked(struct event_set *s) {
    ASSERT_LOCKED(&outside);
    if (!s->news) {
        s->news = true;
        watched_changed(&s->watched);
    }
}

/* Who begins to watch looks at the ready list afterwards, and the caller has changed it before: one
 * of the two sees the other. */
static void tell_outside(struct event_set *s) {
    if (!__atomic_load_n(&s->watched.first, __ATOMIC_RELAXED))
        return;
    spin_lock(&outside);
    tell_outside_locked(s);
    spin_unlock(&outside);
}

static void file_changed(struct watch *w) {
    struct event *e = CONTAINER_OF(w, struct event, watch);
    if (note(e))
        tell_outside(e->set);
}

/* The file is a set. */
static void set_changed(struct watch *w) {
    struct event *e = CONTAINER_OF(w, struct event, watch);
    if (note(e))
        tell_outside_locked(e->set);
}

/* ---- looking ---- */

#define LOOK_WORK 8 /* in entries of page tables (pieces.h) */

/* From here to end_use_locked the event and its file are there, though the lock is not held. */
static void begin_use_locked(struct event *e) {
    ASSERT_LOCKED(&e->set->lock);
    e->users++;
}

static void end_use_locked(struct event *e) {
    ASSERT_LOCKED(&e->set->lock);
    if (--e->users == 0 && e->gone)
        wakeup(&e->set->unused);
}

/* What the file of an event in use is, of what is wanted. */
static unsigned look(const struct event *e, const struct event_wanted *wanted) {
    piece_done(LOOK_WORK);
    return file_ready(e->file, NULL) & wanted->ready;
}

/* Without waiting for who tells: it takes none out that is ready. */
static bool any_ready(struct event_set *s) {
    unsigned found = 0;
    spin_lock(&s->lock);
    while (!found && !list_empty(&s->ready)) {
        struct event *e = LIST_ENTRY(s->ready.next, struct event, ready);
        struct event_wanted wanted = e->wanted;
        uint64_t changes = e->changes;
        begin_use_locked(e);
        spin_unlock(&s->lock);
        found = look(e, &wanted);
        spin_lock(&s->lock);
        if (!found && e->changes == changes)
            list_remove(&e->ready);
        end_use_locked(e);
    }
    spin_unlock(&s->lock);
    return found;
}

static unsigned set_ready(struct file *f, struct watch *w) {
    struct event_set *s = f->object;
    spin_lock(&outside);
    if (w)
        watch_begin(w, &s->watched, &outside);
    s->news = false;
    spin_unlock(&outside);
    return any_ready(s) ? READY_READABLE : 0;
}

/* ---- waiting ---- */

/* What becomes of an event at which somebody has looked, and of which it was told or not. */
static void looked_locked(struct event *e, const struct event *before, bool told) {
    ASSERT_LOCKED(&e->set->lock);
    if (told && before->wanted.once && e->version == before->version) {
        e->wanted.ready = 0;
        list_remove(&e->ready);
    } else if (e->changes == before->changes && (!told || before->wanted.edge)) {
        list_remove(&e->ready);
    } else if (is_ready_locked(e)) {
        put_last_locked(e);
    }
}

/* Gives the set's lock back meanwhile. */
static int tell_one_locked(struct event *e, event_tell_fn tell, void *ctx, unsigned *told) {
    struct event_set *s = e->set;
    ASSERT_LOCKED(&s->lock);
    const struct event before = *e;
    begin_use_locked(e);
    spin_unlock(&s->lock);
    unsigned found = look(e, &before.wanted);
    int err = found ? tell(ctx, *told, &before.wanted, found) : 0;
    spin_lock(&s->lock);
    if (!err && !e->gone) {
        *told += found != 0;
        looked_locked(e, &before, found != 0);
    }
    end_use_locked(e);
    return err;
}

/* Those that were ready when it began stand before all that this pass has come to. */
static int tell_ready(struct event_set *s, unsigned most, event_tell_fn tell, void *ctx,
                      unsigned *told) {
    int err = 0;
    sleeplock_acquire(&s->scanning);
    spin_lock(&s->lock);
    uint64_t pass = ++s->pass;
    while (!err && *told < most && !list_empty(&s->ready)) {
        struct event *e = LIST_ENTRY(s->ready.next, struct event, ready);
        if (e->pass == pass)
            break;
        e->pass = pass;
        err = tell_one_locked(e, tell, ctx, told);
    }
    spin_unlock(&s->lock);
    sleeplock_release(&s->scanning);
    return *told > 0 ? 0 : err;
}

static int sleep_until_ready(struct event_set *s) {
    int err = 0;
    spin_lock(&s->lock);
    while (list_empty(&s->ready) && !clock_alarm_rang() && !err) {
        if (proc_interrupted())
            err = -K_EINTR;
        else
            sleep_on(&s->waits, &s->lock);
    }
    spin_unlock(&s->lock);
    return err;
}

/* The caller was woken, or might have been, and does not sleep any more. */
static void wake_next(struct event_set *s) {
    spin_lock(&s->lock);
    if (!list_empty(&s->ready))
        wakeup_one(&s->waits);
    spin_unlock(&s->lock);
}

int event_wait(struct event_set *s, uint64_t until, unsigned most, event_tell_fn tell, void *ctx,
               unsigned *told) {
    *told = 0;
    int err = tell_ready(s, most, tell, ctx, told);
    if (!err && !*told && until) {
        clock_set_alarm(until);
        while (!err && !*told && !clock_alarm_rang()) {
            err = sleep_until_ready(s);
            if (!err)
                err = tell_ready(s, most, tell, ctx, told);
        }
        clock_end_alarm();
    }
    wake_next(s);
    return err;
}

/* ---- members: each holds that lock ---- */

/* The event that a file is in a set; *places is how many it is in all. */
static struct event *find_member(const struct event_set *s, const struct file *f, int number,
                                 unsigned *places) {
    struct event *found = NULL;
    ASSERT_SLEEPLOCKED(&members);
    *places = 0;
    for (struct event *e = f->events; e; e = e->in_file) {
        ++*places;
        if (e->set == s && e->number == number)
            found = e;
    }
    return found;
}

/* It is in nothing any more when this returns. */
static void remove_member(struct event *e) {
    struct event_set *s = e->set;
    struct event **at = &e->file->events;
    ASSERT_SLEEPLOCKED(&members);
    spin_lock(&s->lock);
    e->gone = true;
    list_remove(&e->ready);
    while (e->users > 0)
        sleep_on(&s->unused, &s->lock);
    spin_unlock(&s->lock);
    watch_end(&e->watch);
    list_remove(&e->in_set);
    while (*at != e)
        at = &(*at)->in_file;
    *at = e->in_file;
    slab_give(&events, e);
}

/* f has no reference any more. */
static void forget_file(struct file *f) {
    bool more;
    do {
        sleeplock_acquire(&members);
        if (f->events)
            remove_member(f->events);
        more = f->events;
        sleeplock_release(&members);
        piece_done(LOOK_WORK);
    } while (more);
}

/* ---- sets in sets: they make no circle, and are not deep ---- */

static uint64_t checks; /* members: how often somebody has counted */

/* How many sets are in one another, from s inwards. Each is counted once. */
static uint64_t height_inwards(struct event_set *s) {
    ASSERT_SLEEPLOCKED(&members);
    if (s->check == checks)
        return s->height;
    uint64_t height = 0;
    LIST_EACH(link, &s->events) {
        struct event_set *in = event_set_of(LIST_ENTRY(link, struct event, in_set)->file);
        if (in)
            height = MAX(height, height_inwards(in));
    }
    s->check = checks;
    s->height = height + 1;
    return s->height;
}

static uint64_t height_outwards(struct event_set *s) {
    ASSERT_SLEEPLOCKED(&members);
    if (s->check == checks)
        return s->height;
    uint64_t height = 0;
    for (struct event *e = s->file->events; e; e = e->in_file)
        height = MAX(height, height_outwards(e->set));
    s->check = checks;
    s->height = height + 1;
    return s->height;
}

/* Whether the set `in` may be in s. All that s is in has been counted, with s, when `in` is asked
 * for: so it is part of a circle if it has. */
static int nesting(struct event_set *s, struct event_set *in) {
    ASSERT_SLEEPLOCKED(&members);
    checks++;
    uint64_t outwards = height_outwards(s);
    if (in->check == checks)
        return -K_ELOOP;
    checks++;
    return outwards + height_inwards(in) > EVENT_NESTED ? -K_ELOOP : 0;
}

/* ---- the calls ---- */

/* If it is ready now, that is a change. */
static void look_first(struct event *e, unsigned ready) {
    spin_lock(&e->set->lock);
    unsigned wanted = e->wanted.ready;
    spin_unlock(&e->set->lock);
    if ((ready & wanted) && note(e))
        tell_outside(e->set);
}

static int may_add(struct event_set *s, struct file *f, int number) {
    struct event_set *in = event_set_of(f);
    unsigned places;
    ASSERT_SLEEPLOCKED(&members);
    if (find_member(s, f, number, &places))
        return -K_EEXIST;
    /* Who watches signals is told with the process's lock held. */
    if (places >= (in || signal_file_is(f) ? EVENT_PLACES_SET : EVENT_PLACES))
        return -K_ENOSPC;
    return in ? nesting(s, in) : 0;
}

static int add_member(struct event *e) {
    struct file *f = e->file;
    ASSERT_SLEEPLOCKED(&members);
    int err = may_add(e->set, f, e->number);
    if (err)
        return err;
    list_push_back(&e->set->events, &e->in_set);
    e->in_file = f->events;
    f->events = e;
    f->forget = forget_file;
    unsigned ready = file_ready(f, &e->watch);
    if (e->watch.lock) /* else it cannot be watched, and nobody hears of it */
        look_first(e, ready);
    return 0;
}

int event_add(struct event_set *s, struct file *f, int number, const struct event_wanted *wanted) {
    struct event *e = slab_take(&events);
    if (!e)
        return -K_ENOMEM;
    *e = (struct event){.set = s,
                        .file = f,
                        .number = number,
                        .watch = {.changed = event_set_of(f) ? set_changed : file_changed},
                        .wanted = *wanted};
    list_init(&e->ready);
    sleeplock_acquire(&members);
    int err = add_member(e);
    if (err)
        slab_give(&events, e);
    else if (!e->watch.lock)
        err = -K_EPERM;
    if (err == -K_EPERM)
        remove_member(e);
    sleeplock_release(&members);
    return err;
}

int event_change(struct event_set *s, struct file *f, int number,
                 const struct event_wanted *wanted) {
    unsigned places;
    sleeplock_acquire(&members);
    struct event *e = find_member(s, f, number, &places);
    if (e) {
        spin_lock(&s->lock);
        e->wanted = *wanted;
        e->changes++;
        e->version++;
        spin_unlock(&s->lock);
        look_first(e, file_ready(f, NULL));
    }
    sleeplock_release(&members);
    return e ? 0 : -K_ENOENT;
}

int event_remove(struct event_set *s, struct file *f, int number) {
    unsigned places;
    sleeplock_acquire(&members);
    struct event *e = find_member(s, f, number, &places);
    if (e)
        remove_member(e);
    sleeplock_release(&members);
    return e ? 0 : -K_ENOENT;
}

/* ---- the open file ---- */

static void set_close(struct file *f) {
    struct event_set *s = f->object;
    bool more;
    do {
        sleeplock_acquire(&members);
        if (!list_empty(&s->events))
            remove_member(LIST_ENTRY(s->events.next, struct event, in_set));
        more = !list_empty(&s->events);
        sleeplock_release(&members);
        piece_done(LOOK_WORK);
    } while (more);
    slab_give(&sets, s);
}

static const struct file_ops set_ops = {
    .ready = set_ready, .close = set_close, .kind = "anon_inode:[eventpoll]"};

struct event_set *event_set_of(const struct file *f) {
    return f->ops == &set_ops ? f->object : NULL;
}

int event_set_create(struct file **out) {
    int err = file_alloc(out);
    if (err)
        return err;
    struct event_set *s = slab_take(&sets);
    if (!s) {
        file_put(*out);
        return -K_ENOMEM;
    }
    *s = (struct event_set){.file = *out};
    list_init(&s->events);
    list_init(&s->ready);
    sleeplock_init(&s->scanning, RANK_EVENT_SCAN);
    spin_init(&s->lock, RANK_EVENTS);
    wait_channel_init(&s->waits);
    wait_channel_init(&s->unused);
    (*out)->ops = &set_ops;
    (*out)->object = s;
    (*out)->readable = (*out)->writable = true; /* as Linux tells it: neither can be done */
    return 0;
}
