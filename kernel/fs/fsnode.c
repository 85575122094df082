/* Inodes as nodes. */
#include "fs/fsnode.h"
#include "dev/chardev.h"
#include "fs/data.h"
#include "fs/entries.h"
#include "fs/inodemap.h"
#include "fs/fs.h"
#include "fs/step.h"
#include "fs/super.h"
#include "lib/errno.h"
#include "vfs/file.h"
#include "vfs/open.h"

static struct dir_name cut(const struct name *name) { return dir_name(name->bytes, name->length); }

static int node_of(int err, struct inode *ip, struct node **out) {
    if (!err)
        *out = &ip->node;
    return err;
}

static void get(struct node *n) { inode_dup(fsnode_inode(n)); }

static void put(struct node *n) {
    inode_put(fsnode_inode(n));
    inode_reap();
}

/* The disk knows of no owner, permission or time: anybody may do all, and it has always been so. */
static int attr(struct node *n, struct node_attr *a) {
    struct inode *ip = fsnode_inode(n);
    int err = inode_lock(ip);
    if (err)
        return err;
    *a = (struct node_attr){
        .dev = n->dev,
        .ino = ip->inum,
        .nlink = (uint32_t)ip->d.nlink,
        .type = (enum node_type)ip->d.type,
        .major = ip->d.major,
        .minor = ip->d.minor,
        .mode = 0777,
        .size = ip->d.size,
        .blocks = ROUND_UP((uint64_t)ip->d.size, FS_BLOCK_SIZE) / 512,
    };
    inode_unlock(ip);
    return 0;
}

static void space(struct node *n, struct node_space *s) {
    struct fs_stats stats;
    fs_stats(&stats);
    *s = (struct node_space){.magic = FS_MAGIC,
                             .block_bytes = FS_BLOCK_SIZE,
                             .blocks = super.size - super.data_start,
                             .blocks_free = stats.blocks_free,
                             .nodes = super.inode_end - 1,
                             .nodes_free = stats.inodes_free,
                             .name_bytes = ABI_DIRSIZ};
}

static void use(struct node *n, struct node_use *u) {
    *u = (struct node_use){.refs = inode_refs(), .writers = inodemap_writers()};
}

/* ---- open ---- */

/* Whether what is there can be opened so; *type is what it is. */
static int check(struct inode *ip, uint32_t mode, int16_t *type) {
    int err = inode_lock(ip);
    if (err)
        return err;
    *type = ip->d.type;
    if (*type == ABI_T_DIR && mode != ABI_O_RDONLY)
        err = -K_EISDIR;
    if (*type == ABI_T_DEVICE && (ip->d.major < 0 || ip->d.major >= NMAJOR))
        err = -K_ENODEV;
    inode_unlock(ip);
    return err;
}

/* What has to be done to a file before it is open. Then it stays counted as written if it may be.
 */
static int begin_writes(struct inode *ip, uint32_t mode) {
    if (!open_for_writing(mode) && !(mode & ABI_O_TRUNC))
        return 0;
    int err = inodemap_begin_writes(ip);
    if (err)
        return err;
    if (mode & ABI_O_TRUNC)
        err = data_set_size(ip, 0);
    if (err || !open_for_writing(mode))
        inodemap_end_writes(ip);
    return err;
}

static int open(struct node *n, uint32_t mode, struct file *f) {
    struct inode *ip = fsnode_inode(n);
    int16_t type;
    int err = check(ip, mode, &type);
    if (!err && type == ABI_T_FILE)
        err = begin_writes(ip, mode);
    if (err)
        return err;
    if (type == ABI_T_DEVICE)
        return devfile_open(f, n, chardev_find(ip->d.major));
    inodefile_init(f, ip);
    return 0;
}

/* ---- programs ---- */

static int program_begin(struct node *n, uint64_t *size) {
    struct inode *ip = fsnode_inode(n);
    int err = inode_lock(ip);
    if (err)
        return err;
    *size = ip->d.size;
    if (ip->d.type != ABI_T_FILE) {
        inode_unlock(ip);
        return -K_ENOEXEC;
    }
    return 0;
}

static int program_read(struct node *n, uint64_t offset, void *dst, size_t bytes, size_t *done) {
    return data_read_kernel(fsnode_inode(n), offset, dst, bytes, done);
}

static int program_map(struct node *n, uint64_t pages, struct object **out) {
    return inodemap_create_program(fsnode_inode(n), pages, out);
}

static void program_end(struct node *n) { inode_unlock(fsnode_inode(n)); }

static const struct program_ops program = {
    .begin = program_begin,
    .read = program_read,
    .map = program_map,
    .end = program_end,
};

/* ---- directories ---- */

static int step(struct node *dir, const struct name *name, struct node **out) {
    struct dir_name n = cut(name);
    struct inode *ip;
    int err = inode_step(fsnode_inode(dir), &n, &ip);
    return node_of(err, ip, out);
}

static int make(struct node *dir, const struct name *name, const struct node_kind *kind,
                struct node **out) {
    struct dir_name n = cut(name);
    struct inode *ip;
    if (kind->type > NODE_DEVICE)
        return -K_EPERM; /* the disk has no such thing */
    int err = entry_make(fsnode_inode(dir), &n, kind, &ip);
    return node_of(err, ip, out);
}

static int link(struct node *dir, const struct name *name, struct node *old) {
    struct dir_name n = cut(name);
    return entry_link(fsnode_inode(dir), &n, fsnode_inode(old));
}

static int unlink(struct node *dir, const struct name *name) {
    struct dir_name n = cut(name);
    return entry_unlink(fsnode_inode(dir), &n);
}

static int rename(struct node *from, const struct name *old, struct node *to,
                  const struct name *new, bool fresh) {
    struct dir_name o = cut(old), n = cut(new);
    return entry_rename(fsnode_inode(from), &o, fsnode_inode(to), &n, fresh);
}

const struct node_ops fsnode_ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .space = space,
    .use = use,
    .open = open,
    .program = &program,
    .step = step,
    .make = make,
    .link = link,
    .unlink = unlink,
    .rename = rename,
};
