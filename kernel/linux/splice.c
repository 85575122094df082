/* Moving bytes between files without the program's memory, and making room in one. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "socket/socket.h"
#include "syscall/syscall.h"
#include "vfs/carry.h"
#include "vfs/descriptor.h"
#include "vfs/pipe.h"

#define MOST 0x7ffff000UL /* bytes of one call */

#define SPLICE_F_MOVE 1U /* a wish, as are the last two */
#define SPLICE_F_NONBLOCK 2U
#define SPLICE_F_MORE 4U
#define SPLICE_F_GIFT 8U
#define SPLICE_ALL (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* A call that moves from one file to another: both, and where in them. */
struct way {
    struct file *from, *to;
    uint64_t from_at, to_at; /* addresses of offsets; 0: each file's own */
    struct file in, out;     /* views of these, at the offsets */
    uint64_t done;
};

typedef int (*way_fn)(struct way *w, uint64_t n, uint64_t flags);

/* A view of a file at the offset that the program has there. -K_ESPIPE: it has none. */
static int view_at(const struct file *f, uint64_t offset_at, struct file *view) {
    int64_t offset;
    *view = carry_view(f, true);
    if (!offset_at)
        return 0;
    if (!f->ops->seek)
        return -K_ESPIPE;
    int err = copyin(&offset, UA(offset_at), sizeof(offset));
    view->offset = (uint64_t)offset;
    return !err && offset < 0 ? -K_EINVAL : err;
}

/* Tells how far it has come: the program, or the file. */
static int tell_offset(struct file *f, uint64_t offset_at, uint64_t offset) {
    uint64_t result;
    if (offset_at)
        return copyout(UA(offset_at), &offset, sizeof(offset));
    return f->ops->seek ? file_seek(f, (int64_t)offset, 0, &result) : 0;
}

/* *result: what was moved, also if an offset could not be told. */
static int go(struct way *w, way_fn fn, uint64_t n, uint64_t flags, uint64_t *result) {
    int err = w->from->readable && w->to->writable ? 0 : -K_EBADF;
    if (!err)
        err = view_at(w->from, w->from_at, &w->in);
    if (!err)
        err = view_at(w->to, w->to_at, &w->out);
    if (!err)
        err = fn(w, MIN(n, MOST), flags);
    if (!err)
        err = tell_offset(w->from, w->from_at, w->in.offset);
    if (!err)
        err = tell_offset(w->to, w->to_at, w->out.offset);
    *result = w->done;
    return err;
}

static int between(struct way *w, uint64_t from, uint64_t to, way_fn fn, uint64_t n, uint64_t flags,
                   uint64_t *result) {
    int err = -K_EBADF;
    w->from = fd_begin(fd_arg(from));
    w->to = fd_begin(fd_arg(to));
    if (w->from && w->to)
        err = go(w, fn, n, flags, result);
    if (w->from)
        fd_end(w->from);
    if (w->to)
        fd_end(w->to);
    return err;
}

static bool appends(const struct file *f) { return __atomic_load_n(&f->append, __ATOMIC_RELAXED); }

/* ---- sendfile ---- */

static bool waits_for_pipe(const struct file *pipe, uint64_t flags) {
    return !(flags & SPLICE_F_NONBLOCK) && file_waits(pipe);
}

/* Only what has an offset: of all else, what could not be written would be lost. */
static int send_some(struct way *w, uint64_t n, uint64_t flags) {
    if (!w->from->ops->seek || w->from->ops->list || appends(w->to))
        return -K_EINVAL;
    if (n == 0)
        return 0;
    return carry(&w->in, &w->out, n, &w->done);
}

int linux_sendfile(const uint64_t arg[6], uint64_t *result) {
    struct way w = {.from_at = arg[2]};
    return syscall_tell_pipe(between(&w, arg[1], arg[0], send_some, arg[3], 0, result));
}

/* ---- copy_file_range ---- */

static int check_plain(struct file *f, uint64_t *size) {
    struct abi_stat st;
    int err = file_stat(f, &st);
    if (err)
        return err;
    *size = st.size;
    return st.type == ABI_T_DIR ? -K_EISDIR : st.type == ABI_T_FILE && f->ops->seek ? 0 : -K_EINVAL;
}

static int copy_range(struct way *w, uint64_t n, uint64_t flags) {
    uint64_t size, unused;
    int err = check_plain(w->from, &size);
    if (!err)
        err = check_plain(w->to, &unused);
    if (err)
        return err;
    if (appends(w->to))
        return -K_EBADF;
    n = w->in.offset < size ? MIN(n, size - w->in.offset) : 0;
    bool overlap = w->from->object == w->to->object && w->in.offset < w->out.offset + n &&
                   w->out.offset < w->in.offset + n;
    if (overlap)
        return -K_EINVAL;
    return n ? carry(&w->in, &w->out, n, &w->done) : 0;
}

int linux_copy_file_range(const uint64_t arg[6], uint64_t *result) {
    struct way w = {.from_at = arg[1], .to_at = arg[3]};
    if ((uint32_t)arg[5])
        return -K_EINVAL;
    return between(&w, arg[0], arg[2], copy_range, arg[4], 0, result);
}

/* ---- fallocate ---- */

#define FALLOC_FL_KEEP_SIZE 1U
#define FALLOC_FL_PUNCH_HOLE 2U
#define FALLOC_FL_ZERO_RANGE 16U

static int allocate(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint32_t mode = (uint32_t)arg[1], what = mode & ~FALLOC_FL_KEEP_SIZE;
    bool keep = mode & FALLOC_FL_KEEP_SIZE;
    if ((int64_t)arg[2] < 0 || (int64_t)arg[3] <= 0)
        return -K_EINVAL;
    if ((what && what != FALLOC_FL_PUNCH_HOLE && what != FALLOC_FL_ZERO_RANGE) ||
        (what == FALLOC_FL_PUNCH_HOLE && !keep))
        return -K_ENOTSUP;
    if (arg[2] + arg[3] > INT64_MAX)
        return f->writable ? -K_EFBIG : -K_EBADF;
    unsigned ours = what == FALLOC_FL_PUNCH_HOLE   ? FILE_HOLE
                    : what == FALLOC_FL_ZERO_RANGE ? FILE_ZERO
                                                   : FILE_ROOM;
    return file_allocate(f, ours | (keep ? FILE_KEEP_SIZE : 0), arg[2], arg[2] + arg[3]);
}

int linux_fallocate(const uint64_t arg[6], uint64_t *result) {
    return fd_call(allocate, arg, result);
}

/* ---- splice and tee ---- */

/* One of these that is read in part is gone. */
static bool has_messages(const struct file *f) {
    const struct socket *s = socket_of(f);
    return s && socket_type(s) != SOCKET_STREAM;
}

/* What is no node: it may be writable, and not for this number. */
static bool takes_numbers(const struct file *f) { return f->ops->kind && !socket_of(f); }

static int splice_some(struct way *w, uint64_t n, uint64_t flags) {
    bool from_pipe = pipe_is(w->from), to_pipe = pipe_is(w->to);
    if ((!from_pipe && !to_pipe) || (from_pipe && to_pipe && pipe_same(w->from, w->to)))
        return -K_EINVAL;
    if (w->from->ops->list || (!to_pipe && appends(w->to)) || has_messages(w->from) ||
        (!to_pipe && takes_numbers(w->to)))
        return -K_EINVAL;
    bool waits = (!from_pipe || waits_for_pipe(w->from, flags)) &&
                 (!to_pipe || waits_for_pipe(w->to, flags));
    struct file *other = from_pipe ? w->to : w->from;
    waits = waits && (pipe_is(other) || file_waits(other));
    return n ? carry_by_pipe(from_pipe ? w->from : &w->in, to_pipe ? w->to : &w->out, n, waits,
                             false, &w->done)
             : 0;
}

int linux_splice(const uint64_t arg[6], uint64_t *result) {
    struct way w = {.from_at = arg[1], .to_at = arg[3]};
    if ((uint32_t)arg[5] & ~SPLICE_ALL)
        return -K_EINVAL;
    return syscall_tell_pipe(
        between(&w, arg[0], arg[2], splice_some, arg[4], (uint32_t)arg[5], result));
}

static int tee_some(struct way *w, uint64_t n, uint64_t flags) {
    if (!pipe_is(w->from) || !pipe_is(w->to) || pipe_same(w->from, w->to))
        return -K_EINVAL;
    bool waits = waits_for_pipe(w->from, flags) && waits_for_pipe(w->to, flags);
    return n ? carry_by_pipe(w->from, w->to, n, waits, true, &w->done) : 0;
}

int linux_tee(const uint64_t arg[6], uint64_t *result) {
    struct way w = {0};
    if ((uint32_t)arg[3] & ~SPLICE_ALL)
        return -K_EINVAL;
    return syscall_tell_pipe(
        between(&w, arg[0], arg[1], tee_some, arg[2], (uint32_t)arg[3], result));
}

/* ---- vmsplice ---- */

/* Pages are copied, so it is readv or writev, which may be told not to wait. */
static int splice_memory(struct file *f, const uint64_t arg[6], uint64_t *result) {
    if (!pipe_is(f))
        return -K_EBADF;
    struct file view = carry_view(f, !((uint32_t)arg[3] & SPLICE_F_NONBLOCK));
    return linux_move_vectors(&view, f->writable, arg, result);
}

int linux_vmsplice(const uint64_t arg[6], uint64_t *result) {
    if ((uint32_t)arg[3] & ~SPLICE_ALL)
        return -K_EINVAL;
    return syscall_tell_pipe(fd_call(splice_memory, arg, result));
}
