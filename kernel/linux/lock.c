/* Locks on files: of ranges by fcntl, of all of a file by flock. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "vfs/descriptor.h"
#include "vfs/filelock.h"
#include "vfs/node.h"

#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38

/* The order is that of enum lock_sort. */
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
_Static_assert(LOCK_SHARED == F_RDLCK && LOCK_ALONE == F_WRLCK && LOCK_NONE == F_UNLCK, "as told");

struct flock {
    int16_t type, whence;
    int32_t pad;
    int64_t start, length; /* length 0: without end; below 0: before start */
    int32_t pid, pad2;
};
_Static_assert(sizeof(struct flock) == 32, "struct flock");

static bool of_process(uint64_t command) { return command <= F_SETLKW; }

/* What a range begins from. */
static int base_of(struct file *f, int16_t whence, int64_t *base) {
    struct node *n = f->ops->node ? f->ops->node(f) : NULL;
    struct node_attr a;
    *base = whence == 1 ? (int64_t)f->offset : 0;
    if (whence < 0 || whence > 2)
        return -K_EINVAL;
    if (whence != 2)
        return 0;
    int err = n ? n->ops->attr(n, &a) : -K_EINVAL;
    if (!err)
        *base = (int64_t)a.size;
    return err;
}

static int range_of(struct file *f, const struct flock *l, struct lock_request *r) {
    int64_t base, start, last;
    int err = base_of(f, l->whence, &base);
    if (err)
        return err;
    if (__builtin_add_overflow(base, l->start, &start) ||
        __builtin_add_overflow(start, l->length - (l->length > 0), &last))
        return -K_EOVERFLOW;
    if (l->length < 0) { /* [start + length, start) */
        int64_t first = last;
        last = start - 1;
        start = first;
    }
    if (start < 0)
        return -K_EINVAL;
    r->start = (uint64_t)start;
    r->end = l->length == 0 ? UINT64_MAX : (uint64_t)last;
    return 0;
}

static int request_of(struct file *f, const uint64_t arg[6], struct lock_request *r) {
    struct flock l;
    int err = copyin(&l, UA(arg[2]), sizeof(l));
    if (err)
        return err;
    if (l.type < F_RDLCK || l.type > F_UNLCK || (!of_process(arg[1]) && l.pid != 0))
        return -K_EINVAL;
    *r = (struct lock_request){.family = LOCK_RANGES,
                               .sort = (enum lock_sort)l.type,
                               .of_process = of_process(arg[1]),
                               .waits = arg[1] == F_SETLKW || arg[1] == F_OFD_SETLKW};
    return range_of(f, &l, r);
}

static int tell_found(struct file *f, const struct lock_request *r, uint64_t at) {
    struct lock_found found;
    struct flock l;
    if (r->sort == LOCK_NONE)
        return -K_EINVAL;
    int err = copyin(&l, UA(at), sizeof(l));
    if (err)
        return err;
    filelock_find(f, r, &found);
    l.type = (int16_t)found.sort;
    if (found.sort != LOCK_NONE) {
        l.whence = 0;
        l.start = (int64_t)found.start;
        l.length = found.end == UINT64_MAX ? 0 : (int64_t)(found.end - found.start + 1);
        l.pid = found.pid;
    }
    return copyout(UA(at), &l, sizeof(l));
}

static int range_lock(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct lock_request r;
    int err = request_of(f, arg, &r);
    if (err)
        return err;
    if (arg[1] == F_GETLK || arg[1] == F_OFD_GETLK)
        return tell_found(f, &r, arg[2]);
    if ((r.sort == LOCK_SHARED && !f->readable) || (r.sort == LOCK_ALONE && !f->writable))
        return -K_EBADF;
    err = filelock_set(f, &r);
    if (!err && r.of_process && r.sort != LOCK_NONE && !fd_is(fd_arg(arg[0]), f)) {
        filelock_closed(f); /* another thread has closed it meanwhile, and saw no lock */
        return -K_EBADF;
    }
    return err;
}

bool linux_is_lock(uint64_t command) {
    return (command >= F_GETLK && command <= F_SETLKW) ||
           (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);
}

int linux_range_lock(const uint64_t arg[6], uint64_t *result) {
    return fd_call(range_lock, arg, result);
}

/* ---- flock ---- */

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
#define LOCK_MAND 32

static int whole_lock(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct lock_request r = {.family = LOCK_WHOLE, .end = UINT64_MAX, .waits = !(arg[1] & LOCK_NB)};
    switch ((uint32_t)arg[1] & ~(uint32_t)LOCK_NB) {
    case LOCK_SH: r.sort = LOCK_SHARED; break;
    case LOCK_EX: r.sort = LOCK_ALONE; break;
    case LOCK_UN: r.sort = LOCK_NONE; break;
    default: return -K_EINVAL;
    }
    return filelock_set(f, &r);
}

/* Of what all have to heed Linux has no more than this: it is done, whatever the descriptor. */
int linux_flock(const uint64_t arg[6], uint64_t *result) {
    return arg[1] & LOCK_MAND ? 0 : fd_call(whole_lock, arg, result);
}
