/* An open file in memory. */
#include "lib/errno.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "tmpfs/contents.h"
#include "vfs/open.h"

static struct tmpfile *open_file(const struct file *f) {
    struct tmpnode *t = f->object;
    return &t->file;
}

static int read_page(struct tmpfile *t, uint64_t offset, uaddr_t dst, size_t n) {
    static const char zeros[PAGE_SIZE];
    paddr_t frame = tmpfile_find(t, offset / PAGE_SIZE);
    const char *from = frame.v ? pa_ptr(frame) : zeros;
    return copyout(dst, from + offset % PAGE_SIZE, n);
}

static int read_at(struct tmpfile *t, uint64_t offset, uaddr_t dst, size_t n, size_t *done) {
    int err = 0;
    n = offset < t->size ? (size_t)MIN((uint64_t)n, t->size - offset) : 0;
    while (!err && *done < n) {
        size_t most = PAGE_SIZE - (offset + *done) % PAGE_SIZE, m = MIN(n - *done, most);
        err = read_page(t, offset + *done, UA(dst.v + *done), m);
        *done += err ? 0 : m;
        piece_done(PIECE_FREED);
    }
    return err;
}

/* The end moves over what was copied, and what was copied behind it is zero again. */
static int write_page(struct tmpfile *t, uint64_t offset, uaddr_t src, size_t n) {
    paddr_t frame;
    int err = tmpfile_find_or_make(t, offset / PAGE_SIZE, &frame);
    if (err)
        return err;
    err = copyin((char *)pa_ptr(frame) + offset % PAGE_SIZE, src, n);
    if (!err && offset + n > t->size)
        tmpfile_set_size(t, offset + n);
    else if (err)
        tmpfile_clean_page(t, offset / PAGE_SIZE);
    return err;
}

static int write_at(struct tmpfile *t, uint64_t offset, uaddr_t src, size_t n, size_t *done) {
    uint64_t end = pagetree_end() * PAGE_SIZE;
    int err = offset >= end ? -K_EFBIG : 0;
    n = err ? 0 : (size_t)MIN((uint64_t)n, end - offset);
    if (!err)
        err = tmpfile_may_write(t, offset, n);
    if (!err && offset > t->size && n > 0)
        tmpfile_clean_end(t);
    while (!err && *done < n) {
        size_t most = PAGE_SIZE - (offset + *done) % PAGE_SIZE, m = MIN(n - *done, most);
        err = write_page(t, offset + *done, UA(src.v + *done), m);
        *done += err ? 0 : m;
        piece_done(PIECE_FREED);
    }
    if (*done > 0)
        tmpnode_modified(CONTAINER_OF(t, struct tmpnode, file));
    return err;
}

static int file_read_op(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct tmpfile *t = open_file(f);
    sleeplock_acquire(&t->lock);
    int err = read_at(t, f->offset, dst, n, done);
    f->offset += *done;
    sleeplock_release(&t->lock);
    return err;
}

static int file_write_op(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct tmpfile *t = open_file(f);
    sleeplock_acquire(&t->lock);
    if (__atomic_load_n(&f->append, __ATOMIC_RELAXED))
        f->offset = t->size;
    int err = write_at(t, f->offset, src, n, done);
    f->offset += *done;
    sleeplock_release(&t->lock);
    return err;
}

static int file_stat_op(struct file *f, struct abi_stat *st) {
    struct tmpnode *t = f->object;
    return node_stat(&t->node, st);
}

static int file_seek_op(struct file *f, int64_t offset, int whence, uint64_t *result) {
    struct tmpfile *t = open_file(f);
    sleeplock_acquire(&t->lock);
    int err = file_seek_in(f, t->size, offset, whence, result);
    sleeplock_release(&t->lock);
    return err;
}

static int file_set_size_op(struct file *f, uint64_t size) {
    struct tmpfile *t = open_file(f);
    if (size > pagetree_end() * PAGE_SIZE)
        return -K_EFBIG;
    sleeplock_acquire(&t->lock);
    int err = tmpfile_may_resize(t, size);
    if (!err)
        tmpfile_resize(t, size);
    sleeplock_release(&t->lock);
    return err;
}

/* Behind the end there are no pages: room there is promised as far as the file grows. */
static int allocate(struct tmpfile *t, unsigned what, uint64_t start, uint64_t end) {
    ASSERT_SLEEPLOCKED(&t->lock);
    bool keep = what & FILE_KEEP_SIZE, hole = (what & ~(unsigned)FILE_KEEP_SIZE) == FILE_HOLE;
    uint64_t size = t->size, to = hole || keep ? MIN(end, size) : end;
    int err = start < to ? tmpfile_may_write(t, start, to - start) : 0;
    if (!err && (what & ~(unsigned)FILE_KEEP_SIZE) == FILE_ROOM && to <= size)
        err = tmpfile_may_resize(t, size);
    if (err || start >= to)
        return err;
    if (to > size)
        tmpfile_resize(t, to);
    if (what & (FILE_HOLE | FILE_ZERO))
        tmpfile_zero(t, start, to);
    err = hole ? 0 : tmpfile_fill_holes(t, start, to);
    if (err && to > size)
        tmpfile_resize(t, size);
    tmpnode_modified(CONTAINER_OF(t, struct tmpnode, file));
    return err;
}

static int file_allocate_op(struct file *f, unsigned what, uint64_t start, uint64_t end) {
    struct tmpfile *t = open_file(f);
    if (end > pagetree_end() * PAGE_SIZE && !(what & FILE_HOLE))
        return -K_EFBIG;
    sleeplock_acquire(&t->lock);
    int err = allocate(t, what, start, end);
    sleeplock_release(&t->lock);
    return err;
}

/* There is no disk that it could be lost on the way to. */
static int file_sync_op(struct file *f) { return 0; }

static int file_map_op(struct file *f, uint64_t pages, struct object **o) {
    *o = &open_file(f)->object;
    object_get(*o);
    return 0;
}

static struct tmpsuper *super_of(struct tmpfile *t) {
    return CONTAINER_OF(t, struct tmpnode, file)->super;
}

/* -K_ETXTBSY: it is run. */
static int begin_writes(struct tmpfile *t) {
    spin_lock(&t->guard);
    int err = t->running > 0 ? -K_ETXTBSY : 0;
    t->writers += !err;
    spin_unlock(&t->guard);
    if (!err)
        __atomic_fetch_add(&super_of(t)->writers, 1, __ATOMIC_SEQ_CST);
    return err;
}

static void end_writes(struct tmpfile *t) {
    spin_lock(&t->guard);
    t->writers--;
    spin_unlock(&t->guard);
    __atomic_fetch_sub(&super_of(t)->writers, 1, __ATOMIC_RELAXED);
}

static void file_close_op(struct file *f) {
    if (f->writable)
        end_writes(open_file(f));
    tmpnode_put(f->object);
}

static struct node *file_node_op(const struct file *f) {
    struct tmpnode *t = f->object;
    return &t->node;
}

static const struct file_ops file_ops = {
    .read = file_read_op,
    .write = file_write_op,
    .stat = file_stat_op,
    .seek = file_seek_op,
    .set_size = file_set_size_op,
    .allocate = file_allocate_op,
    .sync = file_sync_op,
    .map = file_map_op,
    .node = file_node_op,
    .seal = tmpfile_seal,
    .close = file_close_op,
};

static int cut_all(struct tmpfile *t) {
    sleeplock_acquire(&t->lock);
    int err = tmpfile_may_resize(t, 0);
    if (!err)
        tmpfile_resize(t, 0);
    sleeplock_release(&t->lock);
    return err;
}

/* Whoever cuts counts as a writer meanwhile, so that nobody begins to run what is being cut. */
int tmpfile_open(struct tmpnode *t, uint32_t mode, struct file *f) {
    bool writes = open_for_writing(mode), cuts = (mode & ABI_O_TRUNC) != 0;
    int err = writes || cuts ? begin_writes(&t->file) : 0;
    if (err)
        return err;
    if (cuts)
        err = cut_all(&t->file);
    if (cuts && (!writes || err))
        end_writes(&t->file);
    if (err)
        return err;
    f->ops = &file_ops;
    f->object = t;
    return 0;
}
