/* The master of a pair as an open file. */
#include "arch/layout.h"
#include "dev/chardev.h"
#include "dev/devices.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/uaccess.h"
#include "pty/pair.h"
#include "vfs/poll.h"

#define CHUNK 128 /* bytes copied at once; on the stack */
#define KEYS 4UL  /* typed at once, with interrupts off: each may show a long line again */

/* What it waits for comes by one of its channels. -K_EIO: nobody is at the slave any more. */
static int wait_locked(struct pty *p, struct wait_channel *wc, bool waits) {
    ASSERT_LOCKED(&p->tty.lock);
    if (pty_is_left(p))
        return -K_EIO;
    if (!waits)
        return -K_EAGAIN;
    if (proc_interrupted())
        return -K_EINTR;
    sleep_on(wc, &p->tty.lock);
    return 0;
}

static int master_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct pty *p = f->pty;
    char chunk[CHUNK];
    int err = 0;
    for (size_t taken = sizeof(chunk); *done < n && taken == sizeof(chunk) && !err;) {
        spin_lock(&p->tty.lock);
        while (!err && *done == 0 && pty_queued(p) == 0)
            err = wait_locked(p, &p->output, file_waits(f));
        taken = pty_take_locked(p, chunk, MIN(n - *done, sizeof(chunk)));
        spin_unlock(&p->tty.lock);
        if (!err)
            err = copyout(UA(dst.v + *done), chunk, taken);
        *done += err ? 0 : taken;
    }
    return err;
}

static int type(struct pty *p, const char *text, size_t n, bool waits, size_t *done) {
    int err = 0;
    *done = 0;
    while (!err && *done < n) {
        spin_lock(&p->tty.lock);
        while (!err && p->tty.held)
            err = wait_locked(p, &p->unheld, waits);
        spin_unlock(&p->tty.lock);
        if (!err)
            *done += tty_input(&p->tty, text + *done, MIN(n - *done, KEYS));
    }
    return err;
}

static int master_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    char chunk[CHUNK];
    int err = 0;
    while (*done < n && !err) {
        /* No chunk crosses a page, so all before a bad one gets out. */
        uint64_t from = src.v + *done;
        size_t length = MIN(MIN(n - *done, sizeof(chunk)), PAGE_SIZE - from % PAGE_SIZE), typed = 0;
        err = copyin(chunk, UA(from), length);
        if (!err)
            err = type(f->pty, chunk, length, file_waits(f), &typed);
        *done += typed;
    }
    return err;
}

static unsigned master_ready(struct file *f, struct watch *w) {
    struct pty *p = f->pty;
    spin_lock(&p->tty.lock);
    if (w)
        watch_begin(w, &p->watched, &p->tty.lock);
    unsigned ready = (pty_queued(p) > 0 ? READY_READABLE : 0) | (p->tty.held ? 0 : READY_WRITABLE) |
                     (pty_is_left(p) ? READY_HANGUP : 0);
    spin_unlock(&p->tty.lock);
    return ready;
}

static uint64_t master_waiting(struct file *f) {
    struct pty *p = f->pty;
    spin_lock(&p->tty.lock);
    uint64_t n = pty_queued(p);
    spin_unlock(&p->tty.lock);
    return n;
}

static int master_stat(struct file *f, struct abi_stat *st) { return node_stat(f->object, st); }
static struct node *master_node(const struct file *f) { return f->object; }

static void master_close(struct file *f) {
    pty_end(f->pty);
    node_put(f->object);
}

static const struct file_ops master_ops = {
    .read = master_read,
    .write = master_write,
    .stat = master_stat,
    .ready = master_ready,
    .waiting = master_waiting,
    .node = master_node,
    .close = master_close,
};

struct pty *pty_of_master(const struct file *f) {
    return f->ops == &master_ops ? f->pty : NULL;
}

static int open_new(struct file *f, struct node *n) {
    struct pty *p;
    int err = pty_create(&p);
    if (err)
        return err;
    f->ops = &master_ops;
    f->object = n;
    f->pty = p;
    return 0;
}

void pty_boot_init(void) {
    static const struct chardev_ops ptmx_ops = {.open = open_new};
    device_set("ptmx", &ptmx_ops);
}
