/* Open terminals: see ttyfile.h. */
#include "vfs/ttyfile.h"
#include "dev/chardev.h"
#include "dev/console.h"
#include "dev/devices.h"
#include "vfs/node.h"
#include "vfs/poll.h"

static int ttyfile_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    return tty_read(f->tty, dst, n, file_waits(f), done);
}

static int ttyfile_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    return tty_write(f->tty, src, n, file_waits(f), done);
}

static int ttyfile_stat(struct file *f, struct abi_stat *st) { return node_stat(f->object, st); }
static unsigned ttyfile_ready(struct file *f, struct watch *w) { return tty_ready(f->tty, w); }
static uint64_t ttyfile_waiting(struct file *f) { return tty_bytes_ready(f->tty); }
static struct node *ttyfile_node(const struct file *f) { return f->object; }

static void ttyfile_close(struct file *f) {
    struct tty *t = f->tty;
    if (t->ops->closed)
        t->ops->closed(t);
    tty_put(t);
    node_put(f->object);
}

static const struct file_ops ttyfile_ops = {
    .read = ttyfile_read,
    .write = ttyfile_write,
    .stat = ttyfile_stat,
    .ready = ttyfile_ready,
    .waiting = ttyfile_waiting,
    .node = ttyfile_node,
    .close = ttyfile_close,
};

void ttyfile_init(struct file *f, struct node *n, struct tty *t) {
    f->ops = &ttyfile_ops;
    f->object = n;
    f->tty = t;
    if (t->ops->opened)
        t->ops->opened(t);
}

struct tty *ttyfile_tty(const struct file *f) {
    return f->ops == &ttyfile_ops ? f->tty : NULL;
}

static int open_console(struct file *f, struct node *n) {
    ttyfile_init(f, n, console_tty());
    return 0;
}

static int open_own(struct file *f, struct node *n) {
    struct tty *t = tty_own();
    if (!t)
        return -K_ENXIO;
    ttyfile_init(f, n, t);
    return 0;
}

void ttyfile_boot_init(void) {
    static const struct chardev_ops console_ops = {.open = open_console}, own = {.open = open_own};
    chardev_register(MAJOR_CONSOLE, &console_ops);
    device_set("tty", &own);
}
