/* Counters: see counterfile.h. */
#include "vfs/counterfile.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "vfs/poll.h"

struct counter {
    struct spinlock lock;
    uint64_t count;
    bool by_one;                 /* constant */
    struct wait_channel changed; /* count */
    struct watched watched;      /* the same, where it makes one ready */
};

static struct slab counters = SLAB_INIT(counters, sizeof(struct counter));

static int wait_locked(struct counter *c, const struct file *f) {
    ASSERT_LOCKED(&c->lock);
    if (!file_waits(f))
        return -K_EAGAIN;
    if (proc_interrupted())
        return -K_EINTR;
    sleep_on(&c->changed, &c->lock);
    return 0;
}

static void add_locked(struct counter *c, uint64_t n) {
    ASSERT_LOCKED(&c->lock);
    c->count += n;
    wakeup(&c->changed);
    watched_changed(&c->watched);
}

static uint64_t take_locked(struct counter *c) {
    ASSERT_LOCKED(&c->lock);
    bool was_full = c->count == COUNTER_MOST;
    uint64_t taken = c->by_one ? 1 : c->count;
    c->count -= taken;
    wakeup(&c->changed);
    if (was_full)
        watched_changed(&c->watched);
    return taken;
}

/* What others have added meanwhile may leave room for less. */
static void put_back(struct counter *c, uint64_t n) {
    spin_lock(&c->lock);
    add_locked(c, MIN(n, COUNTER_MOST - c->count));
    spin_unlock(&c->lock);
}

static int counter_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct counter *c = f->object;
    uint64_t taken = 0;
    int err = 0;
    if (n < sizeof(taken))
        return -K_EINVAL;
    spin_lock(&c->lock);
    while (!err && c->count == 0)
        err = wait_locked(c, f);
    if (!err)
        taken = take_locked(c);
    spin_unlock(&c->lock);
    if (err)
        return err;
    err = copyout(dst, &taken, sizeof(taken));
    if (err)
        put_back(c, taken);
    *done = err ? 0 : sizeof(taken);
    return err;
}

static int counter_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct counter *c = f->object;
    uint64_t added;
    if (n < sizeof(added))
        return -K_EINVAL;
    int err = copyin(&added, src, sizeof(added));
    if (err)
        return err;
    if (added > COUNTER_MOST)
        return -K_EINVAL;
    spin_lock(&c->lock);
    while (!err && added > COUNTER_MOST - c->count)
        err = wait_locked(c, f);
    if (!err && added)
        add_locked(c, added);
    spin_unlock(&c->lock);
    *done = err ? 0 : sizeof(added);
    return err;
}

static unsigned counter_ready(struct file *f, struct watch *w) {
    struct counter *c = f->object;
    spin_lock(&c->lock);
    if (w)
        watch_begin(w, &c->watched, &c->lock);
    unsigned ready = (c->count > 0 ? READY_READABLE : 0) |
                     (c->count < COUNTER_MOST ? READY_WRITABLE : 0);
    spin_unlock(&c->lock);
    return ready;
}

static void counter_close(struct file *f) { slab_give(&counters, f->object); }

static const struct file_ops counter_ops = {.read = counter_read,
                                            .write = counter_write,
                                            .ready = counter_ready,
                                            .close = counter_close,
                                            .kind = "anon_inode:[eventfd]"};

int counter_create(uint64_t count, bool by_one, struct file **out) {
    int err = file_alloc(out);
    if (err)
        return err;
    struct counter *c = slab_take(&counters);
    if (!c) {
        file_put(*out);
        return -K_ENOMEM;
    }
    *c = (struct counter){.count = count, .by_one = by_one};
    spin_init(&c->lock, RANK_COUNTER);
    wait_channel_init(&c->changed);
    (*out)->ops = &counter_ops;
    (*out)->object = c;
    (*out)->readable = (*out)->writable = true;
    return 0;
}
