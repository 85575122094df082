/* Pipes: a ring of four frames.
 *
 * The bytes [tail, head) of the ring are full; both numbers only grow, but for
 * starting again at 0 when the ring is empty, so that a pipe that is never full
 * uses one frame. A pipe commits its frames at the start and takes each when the
 * first byte gets there.
 *
 * Bytes are copied without the lock, since the copy may have to wait for memory:
 * one reader at a time owns tail and one writer at a time owns head (busy), and
 * each copies on its own side of the other's number, which it reads under the lock.
 *
 * A writer that found no room is woken when half of the ring is free, or all that
 * it still wants, so that it does not wake for every byte that is read.
 *
 * Who watches an end is told when it becomes ready, and of each write: not when something else
 * happens there, such as a read that leaves bytes, since it would take that for news.
 *
 * Lock: pipe->lock, a spinlock. It and the channels are set
 * up at boot, for all owners of the pipe. Only a process that has it open looks at it: one with a
 * descriptor, or one in close_side until it has given the lock back. */
#include "vfs/pipe.h"
#include "vfs/descriptor.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "proc/sleeplock.h"
#include "vfs/poll.h"

#define PIPE_FRAMES 4
#define PIPE_SIZE (PIPE_FRAMES * PAGE_SIZE)
#define PIPE_ATOMIC 4096UL /* bytes of a write that is done as a whole or not at all */

struct side {
    bool open;
    bool busy;                   /* somebody copies on this side */
    uint32_t waiting;            /* sleepers on changed */
    struct wait_channel changed; /* what this side waits for: bytes or room, or not busy */
    struct watched
        watched; /* as its ready operation says: bytes or room, or the other side's end */
};

struct pipe {
    struct spinlock lock;
    uint64_t head, tail;
    uint64_t wanted; /* bytes that the busy writer has left, when it waits for room */
    bool kept_off;   /* somebody was told that a write would wait, since another writer is busy */
    struct side readers, writers;
    uint8_t *frames[PIPE_FRAMES]; /* NULL: not taken yet */
    struct list link;             /* among the free pipes */
};

static struct {
    struct spinlock lock;
    struct list free;
    uint32_t left, kept;
} table;

int pipe_boot_init(uint32_t n, uint32_t kept) {
    struct pipe *pipes = frame_boot_alloc(n * sizeof(struct pipe), _Alignof(struct pipe));
    if (!pipes)
        return -K_ENOMEM;
    spin_init(&table.lock, RANK_PIPES);
    list_init(&table.free);
    table.left = n;
    table.kept = kept;
    for (uint32_t i = 0; i < n; i++) {
        spin_init(&pipes[i].lock, RANK_PIPE);
        wait_channel_init(&pipes[i].readers.changed);
        wait_channel_init(&pipes[i].writers.changed);
        list_push_back(&table.free, &pipes[i].link);
    }
    return 0;
}

/* ---- waiting ---- */

static int wait_for(struct pipe *p, struct side *s) {
    if (proc_interrupted())
        return -K_EINTR;
    s->waiting++;
    sleep_on(&s->changed, &p->lock);
    s->waiting--;
    return 0;
}

static void wake(struct side *s) {
    if (s->waiting > 0)
        wakeup(&s->changed);
}

static void wake_and_tell(struct side *s) {
    wake(s);
    watched_changed(&s->watched);
}

/* ---- copying ---- */

/* The longest piece at position pos of the ring that lies in one frame. */
static size_t piece(uint64_t pos, size_t n) {
    return MIN(n, (size_t)(PAGE_SIZE - pos % PAGE_SIZE));
}

static uint8_t *place(const struct pipe *p, uint64_t pos) {
    return p->frames[pos % PIPE_SIZE / PAGE_SIZE] + pos % PAGE_SIZE;
}

/* The writer's side: frames from head on are its own. */
static void need_frame(struct pipe *p, uint64_t pos) {
    uint8_t **frame = &p->frames[pos % PIPE_SIZE / PAGE_SIZE];
    if (!*frame)
        *frame = pa_ptr(frame_take());
}

/* Copies n bytes of room from head on; *done before an error. */
static int fill(struct pipe *p, uint64_t head, uaddr_t src, size_t n, size_t *done) {
    int err = 0;
    for (*done = 0; *done < n;) {
        size_t len = piece(head + *done, n - *done);
        need_frame(p, head + *done);
        err = copyin(place(p, head + *done), UA(src.v + *done), len);
        if (err)
            break;
        *done += len;
    }
    return err;
}

static int drain(struct pipe *p, uint64_t tail, uaddr_t dst, size_t n, size_t *done) {
    int err = 0;
    for (*done = 0; *done < n;) {
        size_t len = piece(tail + *done, n - *done);
        err = copyout(UA(dst.v + *done), place(p, tail + *done), len);
        if (err)
            break;
        *done += len;
    }
    return err;
}

static size_t room(const struct pipe *p) { return PIPE_SIZE - (size_t)(p->head - p->tail); }

/* ---- reading ---- */

static int read_some(struct pipe *p, uaddr_t dst, size_t n, bool waits, size_t *done) {
    int err = 0;
    spin_lock(&p->lock);
    while (!err && (p->readers.busy || (p->head == p->tail && p->writers.open)))
        err = waits || p->readers.busy ? wait_for(p, &p->readers) : -K_EAGAIN;
    size_t len = MIN(n, (size_t)(p->head - p->tail));
    uint64_t tail = p->tail;
    if (err || len == 0) {
        spin_unlock(&p->lock);
        return err;
    }
    p->readers.busy = true;
    spin_unlock(&p->lock);

    err = drain(p, tail, dst, len, done);

    spin_lock(&p->lock);
    bool was_short = room(p) < PIPE_ATOMIC;
    p->tail += *done;
    p->readers.busy = false;
    if (p->head == p->tail && !p->writers.busy)
        p->head = p->tail = 0;
    if (room(p) >= MIN(p->wanted, PIPE_SIZE / 2))
        wake(&p->writers);
    if (was_short && room(p) >= PIPE_ATOMIC)
        watched_changed(&p->writers.watched);
    wake(&p->readers);
    spin_unlock(&p->lock);
    return err;
}

static int pipe_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct pipe *p = f->object;
    sleep_enter(&p->readers, RANK_PIPE_END);
    int err = read_some(p, dst, n, file_waits(f), done);
    sleep_leave(&p->readers);
    return err;
}

/* ---- writing ---- */

/* The writer is busy. One round: waits for room, and fills it. */
static int write_some(struct pipe *p, uaddr_t src, size_t n, bool waits, size_t *moved) {
    int err = 0;
    *moved = 0;
    p->wanted = n;
    while (!err && p->readers.open && room(p) == 0)
        err = waits ? wait_for(p, &p->writers) : -K_EAGAIN;
    if (err)
        return err;
    if (!p->readers.open)
        return -K_EPIPE;
    if (proc_killed())
        return -K_EINTR;
    uint64_t head = p->head;
    size_t len = MIN(n, room(p));
    spin_unlock(&p->lock);

    err = fill(p, head, src, len, moved);

    spin_lock(&p->lock);
    p->head += *moved;
    if (*moved > 0)
        wake_and_tell(&p->readers);
    return err;
}

static int pipe_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct pipe *p = f->object;
    bool waits = file_waits(f);
    int err = 0;
    sleep_enter(&p->writers, RANK_PIPE_END);
    spin_lock(&p->lock);
    while (!err && p->writers.busy)
        err = waits ? wait_for(p, &p->writers) : -K_EAGAIN;
    if (!err && !waits && p->readers.open && n <= PIPE_ATOMIC && room(p) < n)
        err = -K_EAGAIN;
    if (!err) {
        p->writers.busy = true;
        while (*done < n && !err) {
            size_t moved;
            err = write_some(p, UA(src.v + *done), n - *done, waits, &moved);
            *done += moved;
        }
        p->writers.busy = false;
        wake(&p->writers);
        if (p->kept_off)
            watched_changed(&p->writers.watched);
        p->kept_off = false;
    }
    spin_unlock(&p->lock);
    sleep_leave(&p->writers);
    return err;
}

/* ---- being ready ---- */

static unsigned reader_ready(struct file *f, struct watch *w) {
    struct pipe *p = f->object;
    spin_lock(&p->lock);
    if (w)
        watch_begin(w, &p->readers.watched, &p->lock);
    unsigned ready = (p->head != p->tail ? READY_READABLE : 0) |
                     (p->writers.open ? 0 : READY_HANGUP);
    spin_unlock(&p->lock);
    return ready;
}

static unsigned writer_ready(struct file *f, struct watch *w) {
    struct pipe *p = f->object;
    spin_lock(&p->lock);
    if (w)
        watch_begin(w, &p->writers.watched, &p->lock);
    bool would_wait = p->writers.busy || room(p) < PIPE_ATOMIC;
    p->kept_off = p->kept_off || p->writers.busy;
    unsigned ready = !p->readers.open ? READY_WRITABLE | READY_ERROR
                     : would_wait     ? 0
                                      : READY_WRITABLE;
    spin_unlock(&p->lock);
    return ready;
}

/* ---- opening and closing ---- */

static void give_back(struct pipe *p) {
    uint64_t unused = 0;
    for (int i = 0; i < PIPE_FRAMES; i++) {
        if (!p->frames[i])
            unused++;
        else
            frame_free(ptr_pa(p->frames[i]));
    }
    frame_uncommit(unused);
    spin_lock(&table.lock);
    list_push_front(&table.free, &p->link);
    table.left++;
    spin_unlock(&table.lock);
}

static void close_side(struct pipe *p, struct side *s) {
    spin_lock(&p->lock);
    s->open = false;
    wake_and_tell(&p->readers);
    wake_and_tell(&p->writers);
    bool last = !p->readers.open && !p->writers.open;
    spin_unlock(&p->lock);
    if (last)
        give_back(p);
}

static void close_reader(struct file *f) {
    struct pipe *p = f->object;
    close_side(p, &p->readers);
}

static void close_writer(struct file *f) {
    struct pipe *p = f->object;
    close_side(p, &p->writers);
}

static const struct file_ops reader_ops = {
    .read = pipe_read, .ready = reader_ready, .close = close_reader, .kind = "pipe"};
static const struct file_ops writer_ops = {
    .write = pipe_write, .ready = writer_ready, .close = close_writer, .kind = "pipe"};

static void open_side(struct side *s) {
    ASSERT(s->waiting == 0);
    ASSERT(list_empty(&s->changed.sleepers));
    ASSERT(!s->watched.first);
    s->open = true;
    s->busy = false;
}

/* The lock and the channels are as boot made them: whoever closed the pipe before, on
 * another hart, may have given the lock back just now. */
static void begin(struct pipe *p) {
    open_side(&p->readers);
    open_side(&p->writers);
    p->head = p->tail = p->wanted = 0;
    p->kept_off = false;
    for (int i = 0; i < PIPE_FRAMES; i++)
        p->frames[i] = NULL;
}

static int pipe_alloc(struct pipe **out) {
    int err = frame_commit(PIPE_FRAMES);
    if (err)
        return err;
    uint32_t kept = fd_in_reserve() ? 0 : table.kept;
    spin_lock(&table.lock);
    struct list *link = table.left > kept ? list_pop_front(&table.free) : NULL;
    if (link)
        table.left--;
    spin_unlock(&table.lock);
    if (!link) {
        frame_uncommit(PIPE_FRAMES);
        return -K_ENFILE;
    }
    *out = LIST_ENTRY(link, struct pipe, link);
    begin(*out);
    return 0;
}

int pipe_create(struct file **reader, struct file **writer) {
    struct pipe *p;
    int err = file_alloc(reader);
    if (err)
        return err;
    err = file_alloc(writer);
    if (err) {
        file_put(*reader);
        return err;
    }
    err = pipe_alloc(&p);
    if (err) {
        file_put(*reader);
        file_put(*writer);
        return err;
    }
    (*reader)->ops = &reader_ops;
    (*reader)->readable = true;
    (*writer)->ops = &writer_ops;
    (*writer)->writable = true;
    (*reader)->object = (*writer)->object = p;
    return 0;
}
