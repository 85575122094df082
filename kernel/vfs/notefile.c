/* Queues of notes as open files, and what open files say of themselves: see notes.h. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "vfs/noteparts.h"
#include "vfs/path.h"

/* As a program reads it; the name follows, with zeros up to a multiple of this. */
struct told {
    int32_t number;
    uint32_t what, cookie, bytes;
};

#define NAME_MOST 255

static struct slab queues = SLAB_INIT(queues, sizeof(struct note_queue));
static struct slab small_notes = SLAB_INIT(small_notes, sizeof(struct note) + 32);
static struct slab large_notes = SLAB_INIT(large_notes, sizeof(struct note) + NAME_MOST + 1);

/* ---- notes ---- */

static struct slab *slab_for(uint64_t length) { return length <= 32 ? &small_notes : &large_notes; }

struct note *note_new(const struct name *name) {
    uint64_t length = name ? MIN(name->length, (size_t)NAME_MOST) : 0;
    struct note *e = slab_take(slab_for(length));
    if (!e)
        return NULL;
    *e = (struct note){.length = (uint16_t)length};
    list_init(&e->link);
    if (length)
        memcpy(e->name, name->bytes, length);
    return e;
}

void note_free(struct note *e) {
    if (e)
        slab_give(slab_for(e->length), e);
}

static uint32_t name_bytes(const struct note *e) {
    return e->length ? ROUND_UP(e->length + 1U, (uint32_t)sizeof(struct told)) : 0;
}

static bool is_same(const struct note *a, const struct note *b) {
    return a->number == b->number && a->what == b->what && a->cookie == b->cookie &&
           a->length == b->length && !memcmp(a->name, b->name, a->length);
}

static void enter_locked(struct note_queue *q, struct note *e) {
    ASSERT_LOCKED(&notes_lock);
    list_push_back(&q->notes, &e->link);
    q->count++;
    q->bytes += sizeof(struct told) + name_bytes(e);
    wakeup(&q->changed);
    watched_changed(&q->watched);
}

/* The same once more, with nothing in between, is not told twice. Without memory it is as with a
 * queue that is full. */
struct note *note_post_locked(struct note_queue *q, struct note *e) {
    ASSERT_LOCKED(&notes_lock);
    struct note *last = list_empty(&q->notes) ? NULL : LIST_ENTRY(q->notes.prev, struct note, link);
    if (e && last && is_same(e, last))
        return e;
    bool full = !e || q->count >= NOTES_QUEUED;
    struct note *entered = full ? q->overflow : e;
    if (full)
        q->overflow = NULL;
    if (entered)
        enter_locked(q, entered);
    return full ? e : NULL;
}

/* The first one, if it fits; a place is kept for that of the queue that is full. */
static int take_locked(struct note_queue *q, uint64_t room, struct note **out) {
    ASSERT_LOCKED(&notes_lock);
    struct note *e = LIST_ENTRY(q->notes.next, struct note, link);
    uint64_t bytes = sizeof(struct told) + name_bytes(e);
    if (bytes > room)
        return -K_EINVAL;
    list_remove(&e->link);
    q->count--;
    q->bytes -= bytes;
    *out = e;
    return 0;
}

static void put_back(struct note_queue *q, struct note *e) {
    spin_lock(&notes_lock);
    list_push_front(&q->notes, &e->link);
    q->count++;
    q->bytes += sizeof(struct told) + name_bytes(e);
    wakeup(&q->changed);
    watched_changed(&q->watched);
    spin_unlock(&notes_lock);
}

static void done_with(struct note_queue *q, struct note *e) {
    if (!(e->what & NOTE_OVERFLOW)) {
        note_free(e);
        return;
    }
    spin_lock(&notes_lock);
    q->overflow = e;
    spin_unlock(&notes_lock);
}

/* ---- reading ---- */

static int tell(const struct note *e, uaddr_t dst) {
    struct {
        struct told head;
        char name[NAME_MOST + 1 + sizeof(struct told)];
    } t = {.head = {e->number, e->what, e->cookie, name_bytes(e)}};
    memcpy(t.name, e->name, e->length);
    return copyout(dst, &t, sizeof(t.head) + t.head.bytes);
}

static int wait_locked(struct note_queue *q, bool waits) {
    ASSERT_LOCKED(&notes_lock);
    if (!waits)
        return -K_EAGAIN;
    if (proc_interrupted())
        return -K_EINTR;
    sleep_on(&q->changed, &notes_lock);
    return 0;
}

static int take_first(struct note_queue *q, bool waits, uint64_t room, struct note **out) {
    int err = 0;
    spin_lock(&notes_lock);
    while (!err && list_empty(&q->notes))
        err = wait_locked(q, waits);
    if (!err)
        err = take_locked(q, room, out);
    spin_unlock(&notes_lock);
    return err;
}

/* As many as fit; it waits for the first alone, also when another reader takes what was there. */
static int queue_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct note_queue *q = f->object;
    struct note *e = NULL;
    int err = 0;
    while (!err) {
        err = take_first(q, *done == 0 && file_waits(f), n - *done, &e);
        if (err)
            break;
        err = tell(e, UA(dst.v + *done));
        if (err) {
            put_back(q, e);
        } else {
            *done += sizeof(struct told) + name_bytes(e);
            done_with(q, e);
        }
    }
    return err;
}

static unsigned queue_ready(struct file *f, struct watch *w) {
    struct note_queue *q = f->object;
    spin_lock(&notes_lock);
    if (w)
        watch_begin(w, &q->watched, &notes_lock);
    unsigned ready = list_empty(&q->notes) ? 0 : READY_READABLE;
    spin_unlock(&notes_lock);
    return ready;
}

static uint64_t queue_waiting(struct file *f) {
    const struct note_queue *q = f->object;
    return __atomic_load_n(&q->bytes, __ATOMIC_RELAXED);
}

/* Nobody can post any more when the last watch has left. */
static void queue_close(struct file *f) {
    struct note_queue *q = f->object;
    struct note_watch *w;
    do {
        spin_lock(&notes_lock);
        w = list_empty(&q->watches) ? NULL
                                    : LIST_ENTRY(q->watches.next, struct note_watch, by_queue);
        if (w)
            note_watch_leave_locked(w);
        spin_unlock(&notes_lock);
        if (w)
            note_watch_free(w);
    } while (w);
    struct list *link;
    while ((link = list_pop_front(&q->notes)))
        note_free(LIST_ENTRY(link, struct note, link));
    note_free(q->overflow);
    slab_give(&queues, q);
}

static const struct file_ops queue_ops = {.read = queue_read,
                                          .ready = queue_ready,
                                          .waiting = queue_waiting,
                                          .close = queue_close,
                                          .kind = "anon_inode:inotify"};

bool notes_is(const struct file *f) { return f->ops == &queue_ops; }

int notes_create(struct file **out) {
    int err = file_alloc(out);
    if (err)
        return err;
    struct note_queue *q = slab_take(&queues);
    struct note *overflow = q ? note_new(NULL) : NULL;
    if (!overflow) {
        if (q)
            slab_give(&queues, q);
        file_put(*out);
        return -K_ENOMEM;
    }
    overflow->number = -1;
    overflow->what = NOTE_OVERFLOW;
    *q = (struct note_queue){.overflow = overflow};
    list_init(&q->notes);
    list_init(&q->watches);
    wait_channel_init(&q->changed);
    (*out)->ops = &queue_ops;
    (*out)->object = q;
    (*out)->readable = true;
    return 0;
}

/* ---- what open files say ---- */

/* Where one was opened. */
struct note_place {
    struct node *dir; /* with a reference */
    uint8_t length;
    char name[NAME_MOST];
};
static struct slab places = SLAB_INIT(places, sizeof(struct note_place));

static uint32_t dir_bit(struct node *n) {
    struct node_attr a;
    return !n->ops->attr(n, &a) && a.type == NODE_DIR ? NOTE_IS_DIR : 0;
}

void notes_of_file(struct file *f, uint32_t what) {
    struct node *n = f->ops && f->ops->node ? f->ops->node(f) : NULL;
    if (!n)
        return;
    what |= f->ops->list ? NOTE_IS_DIR : 0;
    if (f->place_noted) {
        const struct name name = {f->place_noted->name, f->place_noted->length};
        notes_tell(f->place_noted->dir, what, 0, &name);
    }
    notes_tell(n, what, 0, NULL);
}

void notes_opened(struct file *f, struct node *start, const char *path, bool cut) {
    struct name name;
    struct node *dir;
    if (!path_parent(start, path, &dir, &name)) {
        struct note_place *p = name.length <= NAME_MOST ? slab_take(&places) : NULL;
        if (p) {
            p->dir = dir;
            p->length = (uint8_t)name.length;
            memcpy(p->name, name.bytes, name.length);
            f->place_noted = p;
        } else {
            node_put(dir);
        }
    }
    if (cut)
        notes_of_file(f, NOTE_MODIFY);
    notes_of_file(f, NOTE_OPEN);
}

void notes_forget_place(struct file *f) {
    node_put(f->place_noted->dir);
    slab_give(&places, f->place_noted);
}

void notes_of_path(struct node *start, const char *path, struct node *n, uint32_t what) {
    struct name name;
    struct node *dir;
    what |= dir_bit(n);
    if (!path_parent(start, path, &dir, &name)) {
        notes_tell(dir, what, 0, &name);
        node_put(dir);
    }
    notes_tell(n, what, 0, NULL);
}
