/* Who watches what, and telling them: see notes.h. */
#include "vfs/noteparts.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "vfs/path.h"

struct spinlock notes_lock = SPINLOCK_INIT(RANK_NOTES);
uint32_t notes_watches;

#define BUCKETS 256
static struct note_watch *buckets[BUCKETS];
static uint32_t last_serial, last_cookie;
static struct slab watches = SLAB_INIT(watches, sizeof(struct note_watch));

static struct note_watch **bucket_of(const struct node *n) {
    return &buckets[((uint64_t)n >> 6 ^ (uint64_t)n >> 14) % BUCKETS];
}

/* ---- watches ---- */

static struct note_watch *find_locked(const struct note_queue *q, const struct node *n) {
    ASSERT_LOCKED(&notes_lock);
    struct note_watch *w = *bucket_of(n);
    while (w && (w->node != n || w->queue != q))
        w = w->next;
    return w;
}

void note_watch_leave_locked(struct note_watch *w) {
    ASSERT_LOCKED(&notes_lock);
    struct note_watch **at = bucket_of(w->node);
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    list_remove(&w->by_queue);
    __atomic_fetch_sub(&notes_watches, 1, __ATOMIC_RELAXED);
}

void note_watch_free(struct note_watch *w) {
    node_put(w->node);
    slab_give(&watches, w);
}

static void enter_locked(struct note_queue *q, struct note_watch *w) {
    ASSERT_LOCKED(&notes_lock);
    w->number = ++q->last_number;
    w->serial = ++last_serial;
    w->next = *bucket_of(w->node);
    *bucket_of(w->node) = w;
    list_push_back(&q->watches, &w->by_queue);
    __atomic_fetch_add(&notes_watches, 1, __ATOMIC_RELAXED);
}

/* A watch that is new is used unless there is one; *used says so. */
static int watch_locked(struct note_queue *q, struct note_watch *made, enum notes_how how,
                        int32_t *number, bool *used) {
    ASSERT_LOCKED(&notes_lock);
    struct note_watch *w = find_locked(q, made->node);
    *used = false;
    if (w && how == NOTES_NEW)
        return -K_EEXIST;
    if (!w && notes_watches >= NOTES_WATCHES)
        return -K_ENOSPC;
    if (w) {
        w->wanted = made->wanted | (how == NOTES_ADD ? w->wanted : 0);
    } else {
        enter_locked(q, made);
        *used = true;
        w = made;
    }
    *number = w->number;
    return 0;
}

int notes_watch(struct file *f, struct node *n, uint32_t wanted, enum notes_how how,
                int32_t *number) {
    struct note_queue *q = f->object;
    struct note_watch *w = slab_take(&watches);
    if (!w)
        return -K_ENOMEM;
    *w = (struct note_watch){.queue = q, .node = node_get(n), .wanted = wanted};
    list_init(&w->by_queue);
    bool used;
    spin_lock(&notes_lock);
    int err = watch_locked(q, w, how, number, &used);
    spin_unlock(&notes_lock);
    if (!used)
        note_watch_free(w);
    return err;
}

/* ---- telling ---- */

/* The end of a node is its watches', whether they want to be told of it or not. */
static bool concerns(const struct note_watch *w, uint32_t what) {
    return (w->wanted & what & NOTE_ALL) || (what & NOTE_DELETE_SELF);
}

/* The next watch of the node that this concerns, behind `last`. */
static struct note_watch *next_locked(const struct node *n, uint32_t what, uint32_t last) {
    ASSERT_LOCKED(&notes_lock);
    struct note_watch *found = NULL;
    for (struct note_watch *w = *bucket_of(n); w; w = w->next)
        if (w->node == n && w->serial > last && concerns(w, what) &&
            (!found || w->serial < found->serial))
            found = w;
    return found;
}

static bool is_watched(const struct node *n, uint32_t what) {
    spin_lock(&notes_lock);
    bool watched = next_locked(n, what, 0);
    spin_unlock(&notes_lock);
    return watched;
}

/* e, which may be NULL, says so. What is not used, or NULL. */
static struct note *post_locked(struct note_watch *w, struct note *e, uint32_t what,
                                uint32_t cookie) {
    ASSERT_LOCKED(&notes_lock);
    if (e) {
        e->number = w->number;
        e->what = what;
        e->cookie = cookie;
    }
    return note_post_locked(w->queue, e);
}

/* Each in turn: a note is made without the lock. */
void notes_tell(struct node *n, uint32_t what, uint32_t cookie, const struct name *name) {
    struct note_watch *w = NULL;
    uint32_t last = 0;
    if (!notes_any() || !is_watched(n, what))
        return;
    do {
        struct note_watch *gone = NULL;
        struct note *e = note_new(name), *ignored = note_new(NULL);
        spin_lock(&notes_lock);
        w = next_locked(n, what, last);
        if (w) {
            last = w->serial;
            bool ends = (w->wanted & NOTE_ONCE) || (what & NOTE_DELETE_SELF);
            if (w->wanted & what & NOTE_ALL)
                e = post_locked(w, e, what, cookie);
            if (ends) {
                ignored = post_locked(w, ignored, NOTE_IGNORED, 0);
                note_watch_leave_locked(w);
                gone = w;
            }
        }
        spin_unlock(&notes_lock);
        note_free(e);
        note_free(ignored);
        if (gone)
            note_watch_free(gone);
    } while (w);
}

int notes_unwatch(struct file *f, int32_t number) {
    struct note_queue *q = f->object;
    struct note_watch *found = NULL;
    struct note *ignored = note_new(NULL);
    spin_lock(&notes_lock);
    LIST_EACH(link, &q->watches) {
        struct note_watch *w = LIST_ENTRY(link, struct note_watch, by_queue);
        found = w->number == number ? w : found;
    }
    if (found) {
        note_watch_leave_locked(found);
        ignored = post_locked(found, ignored, NOTE_IGNORED, 0);
    }
    spin_unlock(&notes_lock);
    note_free(ignored);
    if (found)
        note_watch_free(found);
    return found ? 0 : -K_EINVAL;
}

/* ---- names ---- */

void notes_made(struct node *dir, const struct name *name, bool is_dir) {
    notes_tell(dir, NOTE_CREATE | (is_dir ? NOTE_IS_DIR : 0), 0, name);
}

void notes_name_begin(struct notes_name *n, struct node *dir, const struct name *name) {
    struct node_attr a;
    *n = (struct notes_name){.node = NULL};
    if (!notes_any() || path_step(dir, name, &n->node))
        return;
    if (!n->node->ops->attr(n->node, &a) && a.type == NODE_DIR)
        n->is_dir = NOTE_IS_DIR;
}

/* Names are taken away, and files closed, before it is asked for both: so one of two that do it at
 * once finds neither. If both do, the first one ends the watches, and the other one tells nobody.
 */
void notes_if_gone(struct node *n) {
    struct node_attr a;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!n->ops->attr(n, &a) && a.nlink == 0 && !__atomic_load_n(&n->opens, __ATOMIC_SEQ_CST))
        notes_tell(n, NOTE_DELETE_SELF, 0, NULL);
}

/* One that has lost a name. Or another one had the name when it was removed, and this one has as
 * many as before: then it is still there. */
static void tell_itself(const struct notes_name *n) {
    if (!n->is_dir)
        notes_tell(n->node, NOTE_ATTRIB, 0, NULL);
    notes_if_gone(n->node);
}

void notes_name_end(struct notes_name *n, struct node *dir, const struct name *name, bool done,
                    bool replaced) {
    if (!n->node)
        return;
    if (done && !replaced)
        notes_tell(dir, NOTE_DELETE | n->is_dir, 0, name);
    if (done)
        tell_itself(n);
    node_put(n->node);
}

void notes_moved(struct notes_name *n, struct node *from, const struct name *old, struct node *to,
                 const struct name *new, bool done) {
    if (!n->node)
        return;
    if (done) {
        uint32_t cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
        notes_tell(from, NOTE_MOVED_FROM | n->is_dir, cookie, old);
        notes_tell(to, NOTE_MOVED_TO | n->is_dir, cookie, new);
        notes_tell(n->node, NOTE_MOVE_SELF, 0, NULL);
    }
    node_put(n->node);
}
