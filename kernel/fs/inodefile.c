/* Open files and directories. The inode's lock guards the file's offset too. One that is open for
 * writing counts as written (filemap.h). */
#include "fs/data.h"
#include "fs/filedata.h"
#include "fs/inodemap.h"
#include "fs/fsnode.h"
#include "fs/stops.h"
#include "lib/errno.h"
#include "vfs/listing.h"

static int read_some(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct inode *ip = f->object;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = data_read_user(ip, f->offset, dst, n, done);
    f->offset += *done;
    inode_unlock(ip);
    return err;
}

static seldom int read_rest(struct file *f, uaddr_t dst, size_t n, size_t *done, int err) {
    struct stops stops = {0};
    while (stops_can_go_on(err, dst.v + *done, &stops, n - *done, true)) {
        size_t moved = 0;
        err = read_some(f, UA(dst.v + *done), n - *done, &moved);
        *done += moved;
    }
    return err;
}

static int inodefile_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    int err = read_some(f, dst, n, done);
    return err ? read_rest(f, dst, n, done, err) : 0;
}

/* Writes n bytes in an operation that has room for them. */
always_inline int write_in(struct log_op *op, struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct inode *ip = f->object;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = inode_edit_again(op, ip);
    if (!err) {
        if (__atomic_load_n(&f->append, __ATOMIC_RELAXED))
            f->offset = ip->d.size;
        err = filedata_write(op, ip, f->offset, src, n, done);
        f->offset += *done;
    }
    inode_unlock(ip);
    return err;
}

/* In one operation, as much as that may be; the bytes touch at most n / 1024 + 2 blocks, wherever
 * the offset is. */
always_inline int write_some(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct log_op op;
    size_t moved = 0;
    n = MIN(n, (size_t)(data_write_max - 1) * FS_BLOCK_SIZE);
    uint32_t blocks = (uint32_t)((n + 2 * FS_BLOCK_SIZE - 2) / FS_BLOCK_SIZE);
    int err = log_begin_pages(&op, data_write_cost(blocks), filedata_pages(n));
    if (err)
        return err;
    err = write_in(&op, f, src, n, &moved);
    int end_err = log_end(&op);
    if (end_err) /* it will not be on the disk: not counted */
        return end_err;
    *done += moved;
    return err;
}

/* As many operations more as it takes. */
static seldom int write_rest(struct file *f, uaddr_t src, size_t n, size_t *done, int err) {
    struct stops stops = {0};
    for (;;) {
        if (stops_can_go_on(err, src.v + *done, &stops, n - *done, false))
            err = 0;
        if (err || *done == n)
            return err;
        err = write_some(f, UA(src.v + *done), n - *done, done);
    }
}

static int write_all(struct file *f, uaddr_t src, size_t n, size_t *done) {
    *done = 0;
    int err = write_some(f, src, n, done);
    return err || *done < n ? write_rest(f, src, n, done, err) : 0;
}

static bool inodefile_lost(const struct file *f) { return inode_lost(f->object); }

static int inodefile_sync(struct file *f) { return inode_sync(f->object); }

/* What is appended stays together, but for a write that takes several operations: so that the copy
 * does not stop short, with the inode unlocked, its pages are asked for first. */
static int ask_for_source(uaddr_t src, size_t n) {
    return uaccess_fault_in(src, MIN(n, (size_t)data_write_max * FS_BLOCK_SIZE), false);
}

static int inodefile_write(struct file *f, uaddr_t src, size_t n, size_t *done) {
    bool append = __atomic_load_n(&f->append, __ATOMIC_RELAXED);
    int err = append && n > 0 ? ask_for_source(src, n) : 0;
    if (!err)
        err = write_all(f, src, n, done);
    int sync_err = f->sync && *done > 0 ? inodefile_sync(f) : 0;
    if (sync_err)
        *done = 0;
    return sync_err ? sync_err : err;
}

static int inodefile_stat(struct file *f, struct abi_stat *st) {
    struct inode *ip = f->object;
    return node_stat(&ip->node, st);
}

static int inodefile_seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    struct inode *ip = f->object;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = file_seek_in(f, ip->d.size, offset, whence, result);
    inode_unlock(ip);
    return err;
}

/* Files alone are ever open for writing. */
static int inodefile_set_size(struct file *f, uint64_t size) {
    int err = data_set_size(f->object, size);
    return !err && f->sync ? inodefile_sync(f) : err;
}

static void inodefile_close(struct file *f) {
    struct inode *ip = f->object;
    if (f->writable)
        inodemap_end_writes(ip);
    inode_put(ip);
    inode_reap();
}

static struct node *inodefile_node(const struct file *f) {
    struct inode *ip = f->object;
    return &ip->node;
}

static int inodefile_map(struct file *f, uint64_t pages, struct object **o) {
    return inodemap_create(f->object, pages, o);
}

/* One entry of the disk's; false: the end, or emit has no room for it. */
static bool list_one(struct inode *ip, uint64_t offset, list_emit_fn emit, void *ctx, int *err) {
    struct fs_dirent d;
    size_t done;
    *err = data_read_kernel(ip, offset, &d, sizeof(d), &done);
    if (*err || done < sizeof(d))
        return false;
    struct listed name = {.name = d.name, .ino = d.inum};
    while (name.length < sizeof(d.name) && d.name[name.length])
        name.length++;
    return d.inum == 0 || emit(ctx, &name);
}

static int inodefile_list(struct file *f, list_emit_fn emit, void *ctx) {
    struct inode *ip = f->object;
    int err = inode_lock(ip);
    if (err)
        return err;
    while (!err && list_one(ip, f->offset, emit, ctx, &err))
        f->offset += sizeof(struct fs_dirent);
    inode_unlock(ip);
    return err;
}

static const struct file_ops inodefile_ops = {
    .read = inodefile_read,
    .write = inodefile_write,
    .stat = inodefile_stat,
    .seek = inodefile_seek,
    .set_size = inodefile_set_size,
    .sync = inodefile_sync,
    .map = inodefile_map,
    .lost = inodefile_lost,
    .node = inodefile_node,
    .close = inodefile_close,
};

/* Nobody has it open to write; xv6's programs read its entries. */
static const struct file_ops directory_ops = {
    .read = inodefile_read,
    .stat = inodefile_stat,
    .seek = inodefile_seek,
    .sync = inodefile_sync,
    .list = inodefile_list,
    .node = inodefile_node,
    .close = inodefile_close,
};

/* The type of an inode in use never changes, so it is read without the lock. */
void inodefile_init(struct file *f, struct inode *ip) {
    f->ops = ip->d.type == ABI_T_DIR ? &directory_ops : &inodefile_ops;
    f->object = ip;
}
