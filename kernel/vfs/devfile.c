/* Open devices: the node says which driver, the driver does the rest. */
#include "dev/chardev.h"
#include "lib/errno.h"
#include "vfs/node.h"
#include "vfs/open.h"

static int devfile_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    const struct chardev_ops *ops = f->device;
    return ops && ops->read ? ops->read(dst, n, done) : -K_ENODEV;
}

static int devfile_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    const struct chardev_ops *ops = f->device;
    return ops && ops->write ? ops->write(src, n, done) : -K_ENODEV;
}

/* There is one place, wherever somebody seeks to. */
static int devfile_seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    *result = 0;
    return f->device && f->device->places ? 0 : -K_ESPIPE;
}

static int devfile_stat(struct file *f, struct abi_stat *st) { return node_stat(f->object, st); }

static int devfile_map(struct file *f, uint64_t pages, struct object **o) {
    return f->device && f->device->map ? f->device->map(pages, o) : -K_ENODEV;
}

static struct node *devfile_node(const struct file *f) { return f->object; }

static void devfile_close(struct file *f) { node_put(f->object); }

static const struct file_ops devfile_ops = {
    .read = devfile_read,
    .write = devfile_write,
    .seek = devfile_seek,
    .stat = devfile_stat,
    .map = devfile_map,
    .node = devfile_node,
    .close = devfile_close,
};

int devfile_open(struct file *f, struct node *n, const struct chardev_ops *device) {
    if (device && device->open)
        return device->open(f, n);
    f->ops = &devfile_ops;
    f->object = n;
    f->device = device;
    return 0;
}
