/* Open files and directories of ext2. The inode's lock guards the file's offset too. */
#include "ext2/data.h"
#include "ext2/dir.h"
#include "ext2/map.h"
#include "ext2/node.h"
#include "fs/stops.h"
#include "lib/errno.h"
#include "vfs/file.h"
#include "vfs/listing.h"

static int read_some(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct ext2_inode *ip = f->object;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = ext2_read(ip, f->offset, dst.v, true, n, done);
    f->offset += *done;
    ext2_inode_unlock(ip);
    return err;
}

static int file_read_op(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct stops stops = {0};
    int err = read_some(f, dst, n, done);
    while (err && stops_can_go_on(err, dst.v + *done, &stops, n - *done, true)) {
        size_t moved = 0;
        err = read_some(f, UA(dst.v + *done), n - *done, &moved);
        *done += moved;
    }
    return err;
}

static int write_in(struct log_op *op, struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct ext2_inode *ip = f->object;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = ext2_inode_edit(ip);
    if (!err) {
        if (__atomic_load_n(&f->append, __ATOMIC_RELAXED))
            f->offset = ext2_size(ip);
        size_t most = ext2_write_max * PAGE_SIZE - f->offset % PAGE_SIZE;
        err = ext2_write(op, ip, f->offset, src, MIN(n, most), done);
        f->offset += *done;
        ext2_inode_save(op, ip);
    }
    ext2_inode_unlock(ip);
    return err;
}

/* In one operation, as much as that may be. */
static int write_some(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct log_op op;
    size_t moved = 0;
    uint32_t pages = (uint32_t)MIN((uint64_t)ext2_write_max, n / PAGE_SIZE + 2);
    int err = log_begin_pages(&op, ext2_write_cost(pages), ext2_write_pages(pages));
    if (err)
        return err;
    err = write_in(&op, f, src, n, &moved);
    int end_err = log_end(&op);
    if (end_err) /* it will not be on the disk: not counted */
        return end_err;
    *done += moved;
    return err;
}

static int file_sync_op(struct file *f) { return ext2_inode_sync(f->object); }

/* What is appended stays together, as far as one operation goes: so that the copy does not stop
 * short, with the inode unlocked, its pages are asked for first. */
static int file_write_op(struct file *f, uaddr_t src, size_t n, size_t *done) {
    struct stops stops = {0};
    bool append = __atomic_load_n(&f->append, __ATOMIC_RELAXED);
    int err = append ? uaccess_fault_in(src, MIN(n, ext2_write_max * PAGE_SIZE), false) : 0;
    while (*done < n && !err) {
        err = write_some(f, UA(src.v + *done), n - *done, done);
        if (stops_can_go_on(err, src.v + *done, &stops, n - *done, false))
            err = 0;
    }
    int sync_err = f->sync && *done > 0 ? file_sync_op(f) : 0;
    if (sync_err)
        *done = 0;
    return sync_err ? sync_err : err;
}

static int file_stat_op(struct file *f, struct abi_stat *st) {
    struct ext2_inode *ip = f->object;
    return node_stat(&ip->node, st);
}

static int file_seek_op(struct file *f, int64_t offset, int whence, uint64_t *result) {
    struct ext2_inode *ip = f->object;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = file_seek_in(f, ext2_size(ip), offset, whence, result);
    ext2_inode_unlock(ip);
    return err;
}

static int file_set_size_op(struct file *f, uint64_t size) {
    int err = ext2_set_length(f->object, size);
    return !err && f->sync ? file_sync_op(f) : err;
}

static int file_map_op(struct file *f, uint64_t pages, struct object **o) {
    return ext2_map_create(f->object, pages, o);
}

static bool file_lost_op(const struct file *f) { return ext2_inode_lost(f->object); }

static struct node *file_node_op(const struct file *f) {
    struct ext2_inode *ip = f->object;
    return &ip->node;
}

static void file_close_op(struct file *f) {
    struct ext2_inode *ip = f->object;
    if (f->writable)
        ext2_map_end_writes(ip);
    ext2_inode_put(ip);
    ext2_inode_reap();
}

/* ---- directories ---- */

struct lister {
    list_emit_fn emit;
    void *ctx;
};

static bool emit_one(void *ctx, const struct ext2_dirent *e, uint32_t type) {
    static const uint8_t types[] = {
        [EXT2_TYPE_FILE] = NODE_FILE,   [EXT2_TYPE_DIR] = NODE_DIR,
        [EXT2_TYPE_CHAR] = NODE_DEVICE, [EXT2_TYPE_BLOCK] = NODE_BLOCK,
        [EXT2_TYPE_FIFO] = NODE_FIFO,   [EXT2_TYPE_SOCKET] = NODE_SOCKET,
        [EXT2_TYPE_LINK] = NODE_LINK,
    };
    struct lister *l = ctx;
    struct listed name = {.name = e->name,
                          .length = e->name_length,
                          .ino = e->inode,
                          .type = type < ARRAY_LEN(types) ? types[type] : 0};
    return l->emit(l->ctx, &name);
}

static int list_op(struct file *f, list_emit_fn emit, void *ctx) {
    struct lister l = {emit, ctx};
    int err = ext2_inode_lock(f->object);
    if (err)
        return err;
    err = ext2_dir_list(f->object, &f->offset, emit_one, &l);
    ext2_inode_unlock(f->object);
    return err;
}

static const struct file_ops file_ops = {
    .read = file_read_op,
    .write = file_write_op,
    .stat = file_stat_op,
    .seek = file_seek_op,
    .set_size = file_set_size_op,
    .sync = file_sync_op,
    .map = file_map_op,
    .lost = file_lost_op,
    .node = file_node_op,
    .close = file_close_op,
};

static const struct file_ops directory_ops = {
    .read = listing_read,
    .list = list_op,
    .stat = file_stat_op,
    .seek = file_seek_op,
    .sync = file_sync_op,
    .node = file_node_op,
    .close = file_close_op,
};

/* The type of an inode in use never changes, so it is read without the lock. */
void ext2_file_init(struct file *f, struct ext2_inode *ip) {
    f->ops = ext2_is_dir(ip) ? &directory_ops : &file_ops;
    f->object = ip;
}
