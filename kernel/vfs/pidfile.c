/* Processes that are open files: see pidfile.h. */
#include "vfs/pidfile.h"
#include "lib/panic.h"
#include "mm/slab.h"
#include "proc/ended.h"
#include "vfs/poll.h"

struct pidfile {
    struct proc *proc; /* its slot; NULL: none */
    int32_t pid;       /* constant once there is one; held */
};

static struct slab pidfiles = SLAB_INIT(pidfiles, sizeof(struct pidfile));

static unsigned pidfile_ready(struct file *f, struct watch *w) {
    const struct pidfile *p = f->object;
    return !p->proc || ended_look(p->proc, p->pid, w) ? READY_READABLE : 0;
}

static uint32_t count; /* atomic */

static void uncount(void) { __atomic_fetch_sub(&count, 1, __ATOMIC_RELAXED); }

static void pidfile_close(struct file *f) {
    struct pidfile *p = f->object;
    if (p->proc)
        ended_drop(p->pid);
    slab_give(&pidfiles, p);
    uncount();
}

static const struct file_ops pidfile_ops = {
    .ready = pidfile_ready, .close = pidfile_close, .kind = "anon_inode:[pidfd]"};

int pidfile_create(struct file **out) {
    bool fits = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED) < ENDED_MOST;
    int err = fits ? file_alloc(out) : -K_ENFILE;
    if (err) {
        uncount();
        return err;
    }
    struct pidfile *p = slab_take(&pidfiles);
    if (!p) {
        file_put(*out);
        uncount();
        return -K_ENOMEM;
    }
    *p = (struct pidfile){0};
    (*out)->ops = &pidfile_ops;
    (*out)->object = p;
    (*out)->readable = (*out)->writable = true;
    return 0;
}

int pidfile_set(struct file *f, int32_t pid) {
    struct pidfile *p = f->object;
    ASSERT(f->ops == &pidfile_ops && !p->proc);
    p->pid = pid;
    return ended_hold(pid, &p->proc);
}

int pidfile_number(const struct file *f, uint64_t *pid) {
    if (f->ops != &pidfile_ops)
        return -K_EBADF;
    const struct pidfile *p = f->object;
    *pid = (uint64_t)p->pid;
    return p->proc ? 0 : -K_ESRCH;
}
