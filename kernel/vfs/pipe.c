/* Pipes: a ring of frames.
 *
 * The bytes [tail, head) of the ring are full; both numbers only grow, but for
 * starting again at 0 when the ring is empty, so that a pipe that is never full
 * uses one frame. It takes a frame when the first byte gets there, and first one of its own that
 * its reader has left. When it becomes empty it gives back all but a few.
 *
 * Two frames are promised from the start: PIPE_ATOMIC bytes lie in no more of them, wherever they
 * begin. Each further one is promised when it is needed; when that is refused, the pipe is full
 * with what it holds then (limit), until half of that has been read. So there is no error of a
 * write that lacks memory: it waits for the reader, and gets on with the two frames.
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
 * descriptor, or one in pipe_leave until it has given the lock back. */
#include "mm/uaccess.h"
#include "vfs/descriptor.h"
#include "vfs/pipeparts.h"

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

/* ---- copying ---- */

/* A frame of the ring in which none of the bytes [tail, end) are. NULL: there is none. */
static uint8_t *left_frame(struct pipe *p, uint64_t tail, uint64_t end) {
    uint64_t last = ROUND_DOWN(tail, PAGE_SIZE) + PIPE_SIZE;
    for (uint64_t pos = ROUND_UP(end, PAGE_SIZE); pos < last; pos += PAGE_SIZE) {
        uint8_t *frame = *slot(p, pos);
        if (frame) {
            *slot(p, pos) = NULL;
            return frame;
        }
    }
    return NULL;
}

/* NULL: memory is refused. */
static uint8_t *more_frame(struct pipe *p) {
    if (p->held >= PIPE_PROMISED && frame_commit(1))
        return NULL;
    p->held++;
    return pa_ptr(frame_take());
}

size_t pipe_need_some(struct pipe *p, uint64_t tail, uint64_t head, size_t n) {
    for (size_t at = 0; at < n; at += piece(head + at, n - at)) {
        uint8_t **frame = slot(p, head + at);
        if (!*frame)
            *frame = left_frame(p, tail, head + n);
        if (!*frame)
            *frame = more_frame(p);
        if (!*frame)
            return at;
    }
    return n;
}

void pipe_keep_few(struct pipe *p) {
    ASSERT_LOCKED(&p->lock);
    for (unsigned i = 0; i < PIPE_FRAMES && p->held > PIPE_KEPT; i++) {
        uint8_t *frame = p->frames[PIPE_FRAMES - 1 - i];
        if (!frame)
            continue;
        p->frames[PIPE_FRAMES - 1 - i] = NULL;
        p->held--;
        frame_free(ptr_pa(frame));
    }
}

/* Copies n bytes of room from head on; *done before an error. */
static int fill(struct pipe *p, uint64_t head, uaddr_t src, size_t n, size_t *done) {
    int err = 0;
    for (*done = 0; *done < n;) {
        size_t len = piece(head + *done, n - *done);
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

/* ---- reading ---- */

static int read_some(struct pipe *p, uaddr_t dst, size_t n, bool waits, size_t *done) {
    int err = 0;
    spin_lock(&p->lock);
    while (!err && (p->readers.busy || (p->head == p->tail && p->writers.open)))
        err = waits || p->readers.busy ? wait_for(p, &p->readers) : -K_EAGAIN;
    size_t len = MIN(n, full(p));
    uint64_t tail = p->tail;
    if (err || len == 0) {
        spin_unlock(&p->lock);
        return err;
    }
    p->readers.busy = true;
    spin_unlock(&p->lock);

    err = drain(p, tail, dst, len, done);

    spin_lock(&p->lock);
    p->readers.busy = false;
    more_room(p, *done);
    wake(&p->readers);
    spin_unlock(&p->lock);
    return err;
}

int pipe_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct pipe *p = f->object;
    sleep_enter(&p->readers, RANK_PIPE_END);
    int err = read_some(p, dst, n, file_waits(f), done);
    sleep_leave(&p->readers);
    return err;
}

/* ---- writing ---- */

/* The writer is busy. One round: waits for room, and fills it, as far as there is memory. What is
 * to be written as a whole is not begun without memory for all of it. */
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
    uint64_t head = p->head, tail = p->tail;
    size_t len = MIN(n, room(p));
    spin_unlock(&p->lock);

    size_t len_now = need_frames(p, tail, head, len);
    if (len_now < len && n <= PIPE_ATOMIC)
        len_now = 0;
    err = fill(p, head, src, len_now, moved);

    spin_lock(&p->lock);
    p->head += *moved;
    if (len_now < len) {
        p->limit = MAX(full(p), PIPE_ATOMIC);
        if (*moved == 0 && !err && !waits)
            err = -K_EAGAIN;
    }
    if (*moved > 0)
        wake_and_tell(&p->readers);
    return err;
}

int pipe_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
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
            tell_room(p);
        p->kept_off = false;
    }
    spin_unlock(&p->lock);
    sleep_leave(&p->writers);
    return err;
}

/* ---- being ready ---- */

bool pipe_is(const struct file *f) { return f->ops->waiting == pipe_waiting; }

uint64_t pipe_waiting(struct file *f) {
    struct pipe *p = f->object;
    spin_lock(&p->lock);
    uint64_t n = full(p);
    spin_unlock(&p->lock);
    return n;
}

uint64_t pipe_size(const struct file *f) {
    struct pipe *p = f->object;
    spin_lock(&p->lock);
    uint64_t size = p->size;
    spin_unlock(&p->lock);
    return size;
}

int pipe_set_size(const struct file *f, uint64_t n) {
    struct pipe *p = f->object;
    uint64_t size = PIPE_ATOMIC;
    while (size < n && size < PIPE_SIZE)
        size *= 2;
    if (size < n)
        return -K_EPERM;
    spin_lock(&p->lock);
    bool more = size > p->limit;
    /* A busy writer fills what was room when it began. */
    int err = !more && (p->writers.busy || full(p) > size) ? -K_EBUSY : 0;
    if (!err) {
        p->limit = p->size = size;
        if (more)
            tell_room(p);
        wake(&p->writers);
    }
    spin_unlock(&p->lock);
    return err;
}

static unsigned reader_ready(struct file *f, struct watch *w) {
    struct pipe *p = f->object;
    spin_lock(&p->lock);
    if (w)
        watch_begin(w, &p->readers.watched, &p->lock);
    unsigned ready = (full(p) ? READY_READABLE : 0) |
                     (p->writers.open || !p->writers.begun ? 0 : READY_HANGUP);
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

unsigned pipe_ready(struct file *f, struct watch *w) {
    unsigned in = f->readable ? reader_ready(f, w) : 0;
    return in | (f->writable ? writer_ready(f, f->readable ? NULL : w) : 0);
}

/* ---- opening and closing ---- */

void pipe_free(struct pipe *p) {
    for (unsigned i = 0; i < PIPE_FRAMES; i++)
        if (p->frames[i])
            frame_free(ptr_pa(p->frames[i]));
    if (p->held < PIPE_PROMISED)
        frame_uncommit(PIPE_PROMISED - p->held);
    spin_lock(&table.lock);
    list_push_front(&table.free, &p->link);
    table.left++;
    spin_unlock(&table.lock);
}

struct pipe_part pipe_join(struct pipe *p, bool reads, bool writes) {
    spin_lock(&p->lock);
    const struct pipe_part part = {reads, writes, p->writers.begun, p->readers.begun};
    p->readers.open += reads;
    p->readers.begun += reads;
    p->writers.open += writes;
    p->writers.begun += writes;
    p->both += reads && writes;
    wake(&p->readers);
    wake(&p->writers);
    spin_unlock(&p->lock);
    return part;
}

bool pipe_leave(struct pipe *p, bool reads, bool writes) {
    spin_lock(&p->lock);
    p->readers.open -= reads;
    p->writers.open -= writes;
    p->both -= reads && writes;
    wake_and_tell(&p->readers);
    wake_and_tell(&p->writers);
    bool last = !p->readers.open && !p->writers.open;
    spin_unlock(&p->lock);
    return last;
}

int pipe_meet(struct pipe *p, const struct pipe_part *part) {
    int err = 0;
    spin_lock(&p->lock);
    while (!err && part->reads && p->writers.begun == part->writers && !p->writers.open)
        err = wait_for(p, &p->readers);
    while (!err && part->writes && p->readers.begun == part->readers && !p->readers.open)
        err = wait_for(p, &p->writers);
    spin_unlock(&p->lock);
    return err;
}

bool pipe_is_read(struct pipe *p) {
    spin_lock(&p->lock);
    bool is_read = p->readers.open;
    spin_unlock(&p->lock);
    return is_read;
}

static void close_end(struct file *f) {
    if (pipe_leave(f->object, f->readable, f->writable))
        pipe_free(f->object);
}

static const struct file_ops end_ops = {.read = pipe_read,
                                        .write = pipe_write,
                                        .ready = pipe_ready,
                                        .waiting = pipe_waiting,
                                        .close = close_end,
                                        .kind = "pipe"};

static void begin_side(struct side *s) {
    ASSERT(s->waiting == 0);
    ASSERT(list_empty(&s->changed.sleepers));
    ASSERT(!s->watched.first);
    s->open = s->begun = 0;
    s->busy = false;
}

/* The lock and the channels are as boot made them: whoever closed the pipe before, on
 * another hart, may have given the lock back just now. */
static void begin(struct pipe *p) {
    begin_side(&p->readers);
    begin_side(&p->writers);
    p->head = p->tail = p->wanted = 0;
    p->kept_off = false;
    p->both = 0;
    p->limit = p->size = PIPE_SIZE;
    p->held = 0;
    for (unsigned i = 0; i < PIPE_FRAMES; i++)
        p->frames[i] = NULL;
}

int pipe_alloc(struct pipe **out) {
    int err = frame_commit(PIPE_PROMISED);
    if (err)
        return err;
    uint32_t kept = fd_in_reserve() ? 0 : table.kept;
    spin_lock(&table.lock);
    struct list *link = table.left > kept ? list_pop_front(&table.free) : NULL;
    if (link)
        table.left--;
    spin_unlock(&table.lock);
    if (!link) {
        frame_uncommit(PIPE_PROMISED);
        return -K_ENFILE;
    }
    *out = LIST_ENTRY(link, struct pipe, link);
    begin(*out);
    return 0;
}

/* A file that is new joins. */
static void become_end(struct file *f, struct pipe *p, bool reads, bool writes) {
    (void)pipe_join(p, reads, writes);
    f->ops = &end_ops;
    f->readable = reads;
    f->writable = writes;
    f->object = p;
}

int pipe_open_again(const struct file *f, bool reads, bool writes, struct file **out) {
    if (f->ops != &end_ops)
        return -K_ENXIO;
    int err = file_alloc(out);
    if (!err)
        become_end(*out, f->object, reads, writes);
    return err;
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
    become_end(*reader, p, true, false);
    become_end(*writer, p, false, true);
    return 0;
}
