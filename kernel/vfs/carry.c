/* From one file to another: see carry.h. */
#include "vfs/carry.h"
#include "mm/frame.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "vfs/pipe.h"
#include "vfs/poll.h"

/* ---- files and kernel memory ---- */

static int through_window(struct file *f, void *bytes, size_t n, size_t *done,
                          int (*move)(struct file *f, uaddr_t at, size_t n, size_t *done)) {
    const struct uaccess_window w = {(uint64_t)bytes, n};
    thread_self()->window = &w;
    int err = move(f, UA(w.start), n, done);
    thread_self()->window = NULL;
    return err;
}

static int read_it(struct file *f, uaddr_t at, size_t n, size_t *done) {
    return file_read(f, at, n, done);
}
static int write_it(struct file *f, uaddr_t at, size_t n, size_t *done) {
    return file_write(f, at, n, done);
}

static int put_into(void *ctx, void *bytes, size_t n, size_t *done) {
    return through_window(ctx, bytes, n, done, write_it);
}
static int take_from(void *ctx, void *bytes, size_t n, size_t *done) {
    return through_window(ctx, bytes, n, done, read_it);
}

/* ---- by way of a frame ---- */

/* What was read and not written is read again by the next one: the offset goes back. */
static int carry_some(struct file *from, struct file *to, void *room, size_t n, size_t *done) {
    size_t got = 0;
    uint64_t at = from->offset;
    int err = take_from(from, room, n, &got);
    if (err || got == 0)
        return err;
    err = put_into(to, room, got, done);
    from->offset = at + *done;
    return err;
}

int carry(struct file *from, struct file *to, uint64_t n, uint64_t *done) {
    paddr_t frame;
    *done = 0;
    int err = frame_alloc(&frame);
    if (err)
        return err;
    while (*done < n && (*done == 0 || !proc_interrupted())) {
        /* To the end of a page of `from`, where the next one begins with a whole one. */
        size_t most = PAGE_SIZE - from->offset % PAGE_SIZE, moved = 0;
        size_t some = (size_t)MIN(n - *done, (uint64_t)most);
        err = carry_some(from, to, pa_ptr(frame), some, &moved);
        *done += moved;
        if (err || moved < some)
            break;
        piece_done(PIECE_FREED);
    }
    frame_free(frame);
    return *done ? 0 : err;
}

/* ---- pipes ---- */

static int wait_until(struct file *f, unsigned wanted) {
    struct poll_set s;
    unsigned ready;
    poll_begin(&s);
    int err = poll_add(&s, f, wanted | READY_ERROR | READY_HANGUP, 0);
    if (!err)
        err = poll_wait(&s, UINT64_MAX, &ready);
    poll_end(&s);
    return err;
}

int carry_by_pipe(struct file *from, struct file *to, uint64_t n, bool waits, bool keep,
                  uint64_t *done) {
    struct file in = carry_view(from, false), out = carry_view(to, false);
    bool out_of_pipe = pipe_is(from);
    size_t moved = 0, most = (size_t)MIN(n, PIPE_SIZE);
    for (;;) {
        int err = out_of_pipe ? pipe_move_out(from, most, keep, put_into, &out, &moved)
                              : pipe_move_in(to, most, take_from, &in, &moved);
        *done = moved;
        if (!out_of_pipe)
            from->offset = in.offset;
        else if (!pipe_is(to))
            to->offset = out.offset;
        if (err != -K_EAGAIN || !waits)
            return err;
        piece_done(PIECE_FREED); /* a file may say that it is ready, and not be so for this */
        err = proc_interrupted() ? -K_EINTR : wait_until(from, READY_READABLE);
        if (!err)
            err = wait_until(to, READY_WRITABLE);
        if (err)
            return err;
    }
}
