/* Moving what is in a pipe without a program's memory: see pipe.h. Whoever moves owns its side of
 * the pipe meanwhile, like one who copies (pipe.c), and is given the bytes where they are. */
#include "vfs/pipeparts.h"

/* Owns tail from here on, unless there is an error or *n is 0: the end. */
static int begin_reading(struct pipe *p, size_t *n) {
    int err = 0;
    spin_lock(&p->lock);
    while (!err && p->readers.busy)
        err = wait_for(p, &p->readers);
    *n = err ? 0 : MIN(*n, full(p));
    if (!err && *n == 0 && p->writers.open)
        err = -K_EAGAIN;
    p->readers.busy |= *n > 0;
    spin_unlock(&p->lock);
    return err;
}

static void end_reading(struct pipe *p, size_t taken) {
    spin_lock(&p->lock);
    p->readers.busy = false;
    if (taken)
        more_room(p, taken);
    wake(&p->readers);
    spin_unlock(&p->lock);
}

/* Gives the bytes [tail, tail + n), piece by piece; what stops early has taken less. */
static int give_pieces(struct pipe *p, size_t n, pipe_move_fn fn, void *ctx, size_t *done) {
    int err = 0;
    while (!err && *done < n) {
        uint64_t pos = p->tail + *done;
        size_t some = piece(pos, n - *done), moved = 0;
        err = fn(ctx, place(p, pos), some, &moved);
        *done += moved;
        if (moved < some)
            break;
    }
    return err;
}

int pipe_move_out(struct file *f, size_t n, bool keep, pipe_move_fn fn, void *ctx, size_t *done) {
    struct pipe *p = f->object;
    *done = 0;
    sleep_enter(&p->readers, RANK_PIPE_MOVE);
    int err = begin_reading(p, &n);
    if (!err && n > 0) {
        err = give_pieces(p, n, fn, ctx, done);
        end_reading(p, keep ? 0 : *done);
    }
    sleep_leave(&p->readers);
    return *done ? 0 : err;
}

/* Owns head from here on, unless there is an error. */
static int begin_writing(struct pipe *p, size_t *n) {
    spin_lock(&p->lock);
    int err = !p->readers.open ? -K_EPIPE : p->writers.busy || room(p) == 0 ? -K_EAGAIN : 0;
    if (!err) {
        *n = MIN(*n, room(p));
        p->writers.busy = true;
    } else {
        p->kept_off |= p->writers.busy;
    }
    spin_unlock(&p->lock);
    return err;
}

static void end_writing(struct pipe *p, size_t moved, bool refused) {
    spin_lock(&p->lock);
    p->head += moved;
    if (refused)
        p->limit = MAX(full(p), PIPE_ATOMIC);
    if (moved)
        wake_and_tell(&p->readers);
    p->writers.busy = false;
    wake(&p->writers);
    if (p->kept_off)
        tell_room(p);
    p->kept_off = false;
    spin_unlock(&p->lock);
}

int pipe_move_in(struct file *f, size_t n, pipe_move_fn fn, void *ctx, size_t *done) {
    struct pipe *p = f->object;
    *done = 0;
    sleep_enter(&p->writers, RANK_PIPE_MOVE);
    int err = begin_writing(p, &n);
    if (!err) {
        spin_lock(&p->lock);
        uint64_t tail = p->tail, head = p->head;
        spin_unlock(&p->lock);
        bool refused = false;
        while (!err && *done < n) {
            size_t some = piece(head + *done, n - *done), moved = 0;
            refused = need_frames(p, tail, head + *done, some) < some;
            if (refused) {
                err = -K_EAGAIN;
                break;
            }
            err = fn(ctx, place(p, head + *done), some, &moved);
            *done += moved;
            if (moved < some)
                break;
        }
        end_writing(p, *done, refused);
    }
    sleep_leave(&p->writers);
    return *done ? 0 : err;
}
