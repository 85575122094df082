/* Open devices: the inode says which driver, the driver does the rest. */
#include "dev/chardev.h"
#include "fs/inode.h"
#include "fs/open.h"
#include "lib/errno.h"

/* The number of an inode in use never changes, so it is read without the lock. */
static const struct chardev_ops *driver(struct file *f) {
    struct inode *ip = f->object;
    return chardev_find(ip->d.major);
}

static int devfile_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    const struct chardev_ops *ops = driver(f);
    return ops && ops->read ? ops->read(dst, n, done) : -K_ENODEV;
}

static int devfile_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    const struct chardev_ops *ops = driver(f);
    return ops && ops->write ? ops->write(src, n, done) : -K_ENODEV;
}

static int devfile_stat(struct file *f, struct abi_stat *st) { return inode_stat(f->object, st); }

static void devfile_close(struct file *f) {
    inode_put(f->object);
    inode_reap();
}

static const struct file_ops devfile_ops = {
    .read = devfile_read,
    .write = devfile_write,
    .stat = devfile_stat,
    .close = devfile_close,
};

void devfile_init(struct file *f, struct inode *ip) {
    f->ops = &devfile_ops;
    f->object = ip;
}
