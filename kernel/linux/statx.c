/* What is known of files, in the newer structure; and of file systems. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "vfs/mount.h"
#include "vfs/descriptor.h"
#include "vfs/node.h"
#include "vfs/open.h"

struct statx_time {
    int64_t sec;
    uint32_t nsec, pad;
};

struct linux_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time accessed, born, changed, modified;
    uint32_t major, minor, dev_major, dev_minor;
    uint64_t unused[14];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

#define BASIC_STATS 0x7ff /* all but when it was born */

static struct statx_time time_of(uint64_t nanoseconds) {
    return (struct statx_time){(int64_t)(nanoseconds / SECOND), (uint32_t)(nanoseconds % SECOND),
                               0};
}

int linux_statx(const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {arg[0], arg[1]};
    struct node_attr a;
    int err = linux_attr(there, arg[2], &a);
    if (err)
        return err;
    bool device = node_is_device(a.type);
    struct linux_statx st = {
        .mask = BASIC_STATS,
        .block_size = PAGE_SIZE,
        .nlink = a.nlink,
        .uid = a.uid,
        .gid = a.gid,
        .mode = (uint16_t)linux_mode(&a),
        .ino = a.ino,
        .size = a.size,
        .blocks = a.blocks,
        .accessed = time_of(a.accessed),
        .changed = time_of(a.changed),
        .modified = time_of(a.modified),
        .major = device ? (uint16_t)a.major : 0,
        .minor = device ? (uint16_t)a.minor : 0,
        .dev_minor = a.dev,
    };
    return copyout(UA(arg[4]), &st, sizeof(st));
}

/* ---- file systems ---- */

struct linux_statfs {
    uint64_t type, block_size, blocks, free, available, files, free_files;
    int32_t id[2];
    uint64_t name_bytes, fragment, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

#define STATFS_HAS_FLAGS 0x20

/* The reference to the node is taken over. */
static int tell_space(struct node *n, uint64_t address) {
    struct node_space s = {.block_bytes = PAGE_SIZE, .name_bytes = 255};
    if (n->ops->space)
        n->ops->space(n, &s);
    struct linux_statfs st = {
        .type = s.magic,
        .block_size = s.block_bytes,
        .blocks = s.blocks,
        .free = s.blocks_free,
        .available = s.blocks_free,
        .files = s.nodes,
        .free_files = s.nodes_free,
        .id = {(int32_t)n->dev, 0},
        .name_bytes = s.name_bytes,
        .fragment = s.block_bytes,
        .flags = STATFS_HAS_FLAGS | mount_forbidden(n),
    };
    node_put(n);
    return copyout(UA(address), &st, sizeof(st));
}

int linux_statfs(const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {(uint64_t)LINUX_AT_FDCWD, arg[0]};
    struct node *n;
    int err = linux_find(there, 0, true, &n);
    return err ? err : tell_space(n, arg[1]);
}

int linux_fstatfs(const uint64_t arg[6], uint64_t *result) {
    const uint64_t itself[6] = {arg[0], 0};
    struct node *n;
    int err = linux_find(itself, LINUX_AT_EMPTY_PATH, true, &n);
    return err ? err : tell_space(n, arg[1]);
}

/* ---- by path what ftruncate does by descriptor ---- */

int linux_truncate(const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {(uint64_t)LINUX_AT_FDCWD, arg[0]};
    struct node *n;
    struct file *f;
    if ((int64_t)arg[1] < 0)
        return -K_EINVAL;
    int err = linux_find(there, 0, true, &n);
    if (err)
        return err;
    err = file_open_node(n, ABI_O_WRONLY, &f);
    node_put(n);
    if (err)
        return err;
    err = file_set_size(f, arg[1]);
    file_put(f);
    return err;
}
