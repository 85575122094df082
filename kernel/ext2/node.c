/* Inodes of ext2 as nodes: see node.h. */
#include "ext2/node.h"
#include "dev/devices.h"
#include "ext2/alloc.h"
#include "ext2/data.h"
#include "ext2/map.h"
#include "ext2/names.h"
#include "lib/errno.h"
#include "vfs/file.h"
#include "vfs/open.h"

static void get(struct node *n) { ext2_inode_dup(ext2_inode_of(n)); }

static void put(struct node *n) {
    ext2_inode_put(ext2_inode_of(n));
    ext2_inode_reap();
}

/* ---- attributes ---- */

static enum node_type type_of(const struct ext2_inode *ip) {
    switch (ext2_mode_type(ip)) {
    case EXT2_MODE_DIR: return NODE_DIR;
    case EXT2_MODE_FILE: return NODE_FILE;
    case EXT2_MODE_LINK: return NODE_LINK;
    case EXT2_MODE_FIFO: return NODE_FIFO;
    case EXT2_MODE_SOCKET: return NODE_SOCKET;
    case EXT2_MODE_BLOCK: return NODE_BLOCK;
    default: return NODE_DEVICE;
    }
}

/* See make.c, set_device. */
static void device_of(const struct ext2_inode *ip, int16_t *major, int16_t *minor) {
    uint32_t old = ip->d.block[0], new = ip->d.block[1];
    *major = (int16_t)(old ? old >> 8 & 0xff : new >> 8 & 0xfff);
    *minor = (int16_t)(old ? old & 0xff : (new & 0xff) | (new >> 12 & 0xfff00));
}

static uint64_t date(const struct ext2_inode *ip, uint32_t seconds, uint32_t extra) {
    bool has_extra = ip->d.extra_bytes >= EXT2_TIMES_EXTRA;
    int64_t all = (int32_t)seconds + (has_extra ? (int64_t)(extra & 3) << 32 : 0);
    return all < 0 ? 0 : (uint64_t)all * 1000000000 + (has_extra ? extra >> 2 : 0);
}

static int attr(struct node *n, struct node_attr *a) {
    struct ext2_inode *ip = ext2_inode_of(n);
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    const struct ext2_dinode *d = &ip->d;
    *a = (struct node_attr){
        .dev = n->dev,
        .ino = ip->inum,
        .nlink = d->links,
        .uid = d->uid | (uint32_t)d->uid_high << 16,
        .gid = d->gid | (uint32_t)d->gid_high << 16,
        .type = type_of(ip),
        .mode = d->mode & 07777,
        .size = ext2_size(ip),
        .blocks = d->sectors,
        .accessed = date(ip, d->atime, d->atime_extra),
        .modified = date(ip, d->mtime, d->mtime_extra),
        .changed = date(ip, d->ctime, d->ctime_extra),
    };
    if (node_is_device(a->type))
        device_of(ip, &a->major, &a->minor);
    ext2_inode_unlock(ip);
    return 0;
}

static void set_time(struct ext2_inode *ip, uint64_t time, uint32_t *seconds, uint32_t *extra) {
    struct ext2_time t = ext2_time(time);
    *seconds = t.seconds;
    if (ip->d.extra_bytes >= EXT2_TIMES_EXTRA)
        *extra = t.extra;
}

static void change_attr(struct ext2_inode *ip, unsigned which, const struct node_attr *a) {
    struct ext2_dinode *d = &ip->d;
    if (which & NODE_SET_MODE)
        d->mode = (uint16_t)((d->mode & EXT2_MODE_TYPE) | (a->mode & 07777));
    if (which & NODE_SET_OWNER) {
        d->uid = (uint16_t)a->uid;
        d->uid_high = (uint16_t)(a->uid >> 16);
        d->gid = (uint16_t)a->gid;
        d->gid_high = (uint16_t)(a->gid >> 16);
    }
    if (which & NODE_SET_ACCESSED)
        set_time(ip, a->accessed, &d->atime, &d->atime_extra);
    if (which & NODE_SET_MODIFIED)
        set_time(ip, a->modified, &d->mtime, &d->mtime_extra);
    ext2_touch(ip, false);
}

static int set_attr(struct node *n, unsigned which, const struct node_attr *a) {
    struct ext2_inode *ip = ext2_inode_of(n);
    struct log_op op;
    int err = log_begin(&op, 1);
    if (err)
        return err;
    err = ext2_inode_lock(ip);
    if (!err) {
        err = ext2_inode_edit(ip);
        if (!err) {
            change_attr(ip, which, a);
            ext2_inode_save(&op, ip);
        }
        ext2_inode_unlock(ip);
    }
    int end_err = log_end(&op);
    return err ? err : end_err;
}

static void space(struct node *n, struct node_space *s) {
    *s = (struct node_space){.magic = EXT2_MAGIC,
                             .block_bytes = ext2.block_bytes,
                             .blocks = ext2.blocks - ext2.first_block,
                             .nodes = ext2.inodes,
                             .name_bytes = EXT2_NAME_MAX,
                             .read_only = ext2.read_only};
    ext2_free_counts(&s->blocks_free, &s->nodes_free);
}

/* Read when the node was found, and kept as long as the inode is in memory. */
static const char *target(struct node *n) { return ext2_inode_of(n)->target; }

static void use(struct node *n, struct node_use *u) {
    *u = (struct node_use){.refs = ext2_inode_refs(), .writers = ext2_map_writers()};
}

/* ---- open ---- */

/* What has to be done to a file before it is open. Then it stays counted as written if it may be.
 */
static int begin_writes(struct ext2_inode *ip, uint32_t mode) {
    if (!open_for_writing(mode) && !(mode & ABI_O_TRUNC))
        return 0;
    if (ext2.read_only)
        return -K_EROFS;
    int err = ext2_map_begin_writes(ip);
    if (err)
        return err;
    if (mode & ABI_O_TRUNC)
        err = ext2_set_length(ip, 0);
    if (err || !open_for_writing(mode))
        ext2_map_end_writes(ip);
    return err;
}

static int open_device(struct node *n, const struct node_attr *a, struct file *f) {
    const struct chardev_ops *device = a->type == NODE_DEVICE ? device_find(a->major, a->minor)
                                       : a->type == NODE_BLOCK
                                           ? device_find_block(a->major, a->minor)
                                           : NULL;
    return device ? devfile_open(f, n, device) : -K_ENXIO;
}

static int open(struct node *n, uint32_t mode, struct file *f) {
    struct ext2_inode *ip = ext2_inode_of(n);
    struct node_attr a;
    int err = attr(n, &a);
    if (err)
        return err;
    if (a.type == NODE_DIR && (open_for_writing(mode) || (mode & (ABI_O_CREATE | ABI_O_TRUNC))))
        return -K_EISDIR;
    if (a.type != NODE_DIR && a.type != NODE_FILE)
        return open_device(n, &a, f);
    err = a.type == NODE_FILE ? begin_writes(ip, mode) : 0;
    if (!err)
        ext2_file_init(f, ip);
    return err;
}

/* ---- programs ---- */

static int program_begin(struct node *n, uint64_t *size) {
    struct ext2_inode *ip = ext2_inode_of(n);
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    *size = ext2_size(ip);
    if (!ext2_is_file(ip)) {
        ext2_inode_unlock(ip);
        return -K_ENOEXEC;
    }
    return 0;
}

static int program_read(struct node *n, uint64_t offset, void *dst, size_t bytes, size_t *done) {
    return ext2_read(ext2_inode_of(n), offset, (uint64_t)dst, false, bytes, done);
}

static int program_map(struct node *n, uint64_t pages, struct object **out) {
    return ext2_map_create_program(ext2_inode_of(n), pages, out);
}

static void program_end(struct node *n) { ext2_inode_unlock(ext2_inode_of(n)); }

static const struct program_ops program = {
    .begin = program_begin, .read = program_read, .map = program_map, .end = program_end};

/* ---- directories ---- */

static int node_of(int err, struct ext2_inode *ip, struct node **out) {
    if (!err)
        *out = &ip->node;
    return err;
}

static int step(struct node *dir, const struct name *name, struct node **out) {
    struct ext2_inode *ip;
    int err = ext2_step(ext2_inode_of(dir), name, &ip);
    return node_of(err, ip, out);
}

static int make(struct node *dir, const struct name *name, const struct node_kind *kind,
                struct node **out) {
    struct ext2_inode *ip;
    int err = ext2_make(ext2_inode_of(dir), name, kind, &ip);
    return node_of(err, ip, out);
}

static int link(struct node *dir, const struct name *name, struct node *old) {
    return ext2_link(ext2_inode_of(dir), name, ext2_inode_of(old));
}

static int unlink(struct node *dir, const struct name *name) {
    return ext2_unlink(ext2_inode_of(dir), name);
}

static int rename(struct node *from, const struct name *old, struct node *to,
                  const struct name *new, bool fresh) {
    return ext2_rename(ext2_inode_of(from), old, ext2_inode_of(to), new, fresh);
}

const struct node_ops ext2_node_ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .set_attr = set_attr,
    .space = space,
    .use = use,
    .open = open,
    .program = &program,
    .target = target,
    .step = step,
    .make = make,
    .link = link,
    .unlink = unlink,
    .rename = rename,
};
