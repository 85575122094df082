/* Pipes: bytes, up to 64 KiB of them, on their way from writers to readers. */
#pragma once
#include "vfs/file.h"

#define PIPE_SIZE 65536UL  /* bytes that one holds, if there is memory for them */
#define PIPE_ATOMIC 4096UL /* bytes that one holds in any case, and are written as a whole */

/* Boot: room for n pipes, the last kept of which are for the session and its commands
 * (fd_in_reserve). -K_ENOMEM. */
int pipe_boot_init(uint32_t n, uint32_t kept) must_check;

/* Two files, one for each end, with one reference each. -K_ENFILE: the table of
 * files or of pipes is full; -K_ENOMEM. On error nothing changed.
 *
 * Reading waits until there is a byte, and returns what is there, up to n bytes;
 * none when nobody can write any more. Writing waits for room until all n bytes
 * are written, and no other writer's bytes come between them; -K_EPIPE: nobody can
 * read. Both: -K_EFAULT for a bad address, -K_ENOMEM for a lazy page (mm/uaccess.h), -K_EINTR
 * for a signal; what was moved before is counted.
 *
 * With nonblock (file.h), what would wait for the other side is -K_EAGAIN. A write of up to
 * PIPE_ATOMIC bytes is then done as a whole or not at all; of a longer one what there is room for.
 *
 * Where memory is refused a pipe is full earlier. */
int pipe_create(struct file **reader, struct file **writer) must_check;

/* One more file for the pipe without a name that f is an end of: one that reads it, writes it or
 * both, whichever f does. -K_ENXIO: f is none such; -K_ENFILE, -K_ENOMEM. */
int pipe_open_again(const struct file *f, bool reads, bool writes, struct file **out) must_check;

/* ---- for fifo.c, whose files are ends of a pipe, too ---- */

struct pipe;

/* One of which nobody is a part yet. -K_ENFILE, -K_ENOMEM. */
int pipe_alloc(struct pipe **out) must_check;
void pipe_free(struct pipe *p); /* nobody is any more */

/* Somebody is a part of it, who reads, writes or both: how many had been before. */
struct pipe_part {
    bool reads, writes;
    uint32_t writers, readers;
};
struct pipe_part pipe_join(struct pipe *p, bool reads, bool writes);
/* Until there is another part for each thing that this one does, or has been since. -K_EINTR. */
int pipe_meet(struct pipe *p, const struct pipe_part *part) must_check;
bool pipe_is_read(struct pipe *p) must_check;
/* It is no longer. True: nobody is. */
bool pipe_leave(struct pipe *p, bool reads, bool writes) must_check;

int pipe_read(struct file *f, uaddr_t dst, size_t n, size_t *done);
int pipe_write(struct file *f, uaddr_t src, size_t n, size_t *done);
/* For what f is open for. A watch is for one side: who has both is told of room at the reader's,
 * too. */
unsigned pipe_ready(struct file *f, struct watch *w);
uint64_t pipe_waiting(struct file *f);

/* Moves up to n bytes out of the pipe that f reads, or into the one that f writes, without waiting
 * for the other side: fn is called with pieces where they lie, and says how many bytes it has taken
 * or put there; one that stops short or fails ends the move. It may sleep, and keeps this side
 * of the pipe from others meanwhile, so it waits for nobody else. keep: what was taken stays in
 * the pipe. *done bytes are moved; 0 without an error: the end of the pipe, or fn's.
 * -K_EAGAIN: there is nothing to take, or no room; -K_EPIPE: nobody reads it; -K_EINTR; and what fn
 * returns. After an error nothing was moved. */
typedef int (*pipe_move_fn)(void *ctx, void *bytes, size_t n, size_t *done);
int pipe_move_out(struct file *f, size_t n, bool keep, pipe_move_fn fn, void *ctx,
                  size_t *done) must_check;
int pipe_move_in(struct file *f, size_t n, pipe_move_fn fn, void *ctx, size_t *done) must_check;
/* Whether both are ends of one pipe. */
static inline bool pipe_same(const struct file *one, const struct file *other) {
    return one->object == other->object;
}
/* How many bytes the pipe holds that f is an end of, if there is memory for them. */
uint64_t pipe_size(const struct file *f);
/* Makes that the least power of two of at least PIPE_ATOMIC in which n bytes have room.
 * -K_EPERM: more than PIPE_SIZE; -K_EBUSY: more is in it, or somebody writes, and it would become
 * less. */
int pipe_set_size(const struct file *f, uint64_t n) must_check;

/* Whether f is an end of a pipe. */
bool pipe_is(const struct file *f) must_check;
