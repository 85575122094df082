/* Pipes with a name: see fifo.h. The pipe is made by the first who opens it, and goes with the last
 * who closes it, with what is in it. */
#include "vfs/fifo.h"
#include "lib/errno.h"
#include "proc/watch.h"
#include "vfs/node.h"

/* Guards which pipe each fifo has, and that who is a part of it is counted there. */
static struct spinlock lock = SPINLOCK_INIT(RANK_FIFO);

/* To the pipe that there is, or to the spare one, which is the fifo's then: *spare is NULL. */
static struct pipe *join_one(struct fifo *fifo, struct pipe **spare, struct pipe_part *part) {
    spin_lock(&lock);
    if (!fifo->pipe) {
        fifo->pipe = *spare;
        *spare = NULL;
    }
    struct pipe *p = fifo->pipe;
    if (p)
        *part = pipe_join(p, part->reads, part->writes);
    spin_unlock(&lock);
    return p;
}

/* One is made without the lock; another may have been made meanwhile. */
static int join(struct fifo *fifo, struct pipe_part *part, struct pipe **out) {
    struct pipe *spare = NULL;
    *out = join_one(fifo, &spare, part);
    if (*out)
        return 0;
    int err = pipe_alloc(&spare);
    if (err)
        return err;
    *out = join_one(fifo, &spare, part);
    if (spare)
        pipe_free(spare);
    return 0;
}

static void leave(struct fifo *fifo, struct pipe *p, bool reads, bool writes) {
    spin_lock(&lock);
    bool last = pipe_leave(p, reads, writes);
    if (last)
        fifo->pipe = NULL;
    spin_unlock(&lock);
    if (last)
        pipe_free(p);
}

/* ---- the file ---- */

static struct node *node(const struct file *f) { return f->fifo; }

static void close(struct file *f) {
    struct node *n = f->fifo;
    leave(n->ops->fifo(n), f->object, f->readable, f->writable);
    node_put(n);
}

static const struct file_ops fifo_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .ready = pipe_ready,
    .waiting = pipe_waiting,
    .node = node,
    .close = close,
};

static bool is_read(struct fifo *fifo) {
    spin_lock(&lock);
    bool is_read = fifo->pipe && pipe_is_read(fifo->pipe);
    spin_unlock(&lock);
    return is_read;
}

int fifo_open(struct fifo *fifo, struct node *n, struct file *f) {
    struct pipe_part part = {.reads = f->readable, .writes = f->writable};
    struct pipe *p;
    bool waits = file_waits(f) && !(part.reads && part.writes);
    /* Before it is a part of the pipe: else who waits for a writer would take it for one. */
    if (!file_waits(f) && !part.reads && !is_read(fifo))
        return -K_ENXIO;
    int err = join(fifo, &part, &p);
    if (err)
        return err;
    err = waits ? pipe_meet(p, &part) : 0;
    if (err) {
        leave(fifo, p, part.reads, part.writes);
        return err;
    }
    f->ops = &fifo_ops;
    f->object = p;
    f->fifo = n;
    return 0;
}
