/* What is known of files, and set. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "socket/socket.h"
#include "vfs/descriptor.h"
#include "vfs/mount.h"
#include "vfs/path.h"

struct linux_stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad;
    int64_t size;
    int32_t block_size, pad2;
    int64_t blocks;
    struct linux_timespec accessed, modified, changed;
    uint32_t unused[2];
};
_Static_assert(sizeof(struct linux_stat) == 128, "struct stat");

static const uint32_t type_bits[] = {
    [NODE_DIR] = 0040000,  [NODE_FILE] = 0100000,   [NODE_DEVICE] = 0020000, [NODE_LINK] = 0120000,
    [NODE_FIFO] = 0010000, [NODE_SOCKET] = 0140000, [NODE_BLOCK] = 0060000};

uint32_t linux_mode(const struct node_attr *a) { return type_bits[a->type] | a->mode; }

static struct linux_timespec time_of(uint64_t nanoseconds) {
    return (struct linux_timespec){(int64_t)(nanoseconds / SECOND),
                                   (int64_t)(nanoseconds % SECOND)};
}

static int tell(const struct node_attr *a, uint64_t address) {
    struct linux_stat st = {
        .dev = a->dev,
        .ino = a->ino,
        .mode = linux_mode(a),
        .nlink = a->nlink,
        .uid = a->uid,
        .gid = a->gid,
        .rdev = node_is_device(a->type) ? linux_device_number(a->major, a->minor) : 0,
        .size = (int64_t)a->size,
        .block_size = PAGE_SIZE,
        .blocks = (int64_t)a->blocks,
        .accessed = time_of(a->accessed),
        .modified = time_of(a->modified),
        .changed = time_of(a->changed),
    };
    return copyout(UA(address), &st, sizeof(st));
}

/* Pipes and sockets have no node. */
static int attr_of_file(struct file *f, struct node_attr *a) {
    struct node *n = f->ops->node ? f->ops->node(f) : NULL;
    bool socket = socket_of(f);
    *a = (struct node_attr){.type = socket ? NODE_SOCKET : NODE_FIFO,
                            .mode = socket ? 0777 : 0600,
                            .ino = socket_number(f),
                            .nlink = 1};
    return n ? n->ops->attr(n, a) : 0;
}

static int attr_of_descriptor(uint64_t fd, struct node_attr *a) {
    struct file *f = fd_begin(fd_arg(fd));
    if (!f)
        return -K_EBADF;
    int err = attr_of_file(f, a);
    fd_end(f);
    return err;
}

int linux_attr(const uint64_t arg[6], uint64_t flags, struct node_attr *a) {
    char first = 1;
    struct node *n;
    if (flags & LINUX_AT_EMPTY_PATH) {
        first = 0;
        int err = arg[1] ? copyin(&first, UA(arg[1]), 1) : 0;
        if (err)
            return err;
    }
    if (!first && (int32_t)arg[0] != LINUX_AT_FDCWD)
        return attr_of_descriptor(arg[0], a);
    int err = linux_find(arg, 0, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), &n);
    if (err)
        return err;
    err = n->ops->attr(n, a);
    node_put(n);
    return err;
}

int linux_fstat(const uint64_t arg[6], uint64_t *result) {
    struct node_attr a;
    int err = attr_of_descriptor(arg[0], &a);
    return err ? err : tell(&a, arg[1]);
}

/* glibc's fstat is this one with an empty path. */
int linux_newfstatat(const uint64_t arg[6], uint64_t *result) {
    struct node_attr a;
    int err = linux_attr(arg, arg[3], &a);
    return err ? err : tell(&a, arg[2]);
}

int linux_readlinkat(const uint64_t arg[6], uint64_t *result) {
    struct node *n;
    if ((int32_t)arg[3] <= 0)
        return -K_EINVAL;
    int err = linux_find(arg, 0, false, &n);
    if (err)
        return err;
    const char *target = n->link ? n->ops->target(n) : NULL;
    *result = target ? MIN(strlen(target), arg[3]) : 0;
    err = target ? copyout(UA(arg[2]), target, *result) : -K_EINVAL;
    node_put(n);
    return err;
}

#define X_OK 1
#define W_OK 2

static int check_access(struct node *n, uint64_t wanted) {
    struct node_attr a;
    int err = n->ops->attr(n, &a);
    if (err)
        return err;
    bool runs = a.type != NODE_FILE || !mount_forbids(n, MOUNT_NO_RUNNING);
    if ((wanted & X_OK) && (!runs || node_attr_forbids_exec(&a)))
        return -K_EACCES;
    bool kept = a.type == NODE_FILE || a.type == NODE_DIR || a.type == NODE_LINK;
    return (wanted & W_OK) && kept && mount_forbids(n, MOUNT_READ_ONLY) ? -K_EROFS : 0;
}

static int may_access(const uint64_t arg[6], uint64_t flags) {
    struct node *n;
    int err = linux_find(arg, flags, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), &n);
    if (err)
        return err;
    err = check_access(n, arg[2]);
    node_put(n);
    return err;
}

int linux_faccessat(const uint64_t arg[6], uint64_t *result) { return may_access(arg, 0); }

int linux_faccessat2(const uint64_t arg[6], uint64_t *result) { return may_access(arg, arg[3]); }

/* ---- setting ---- */

/* Of what the call is about: takes over the reference. A file system without such attributes keeps
 * none: -K_EPERM. */
static int set(const uint64_t arg[6], struct node *n, unsigned which, const struct node_attr *a) {
    int err = mount_forbids(n, MOUNT_READ_ONLY) ? -K_EROFS
              : n->ops->set_attr                ? n->ops->set_attr(n, which, a)
                                                : -K_EPERM;
    if (!err)
        linux_note(arg, n, NOTE_ATTRIB);
    node_put(n);
    return err;
}

/* arg: descriptor and path; and flags. */
static int find_and_set(const uint64_t arg[6], uint64_t flags, unsigned which,
                        const struct node_attr *a) {
    struct node *n;
    int err = linux_find(arg, flags, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), &n);
    return err ? err : set(arg, n, which, a);
}

static int set_of_descriptor(uint64_t fd, unsigned which, const struct node_attr *a) {
    const uint64_t itself[6] = {fd, 0};
    return find_and_set(itself, LINUX_AT_EMPTY_PATH, which, a);
}

int linux_fchmod(const uint64_t arg[6], uint64_t *result) {
    struct node_attr a = {.mode = arg[1] & 07777};
    return set_of_descriptor(arg[0], NODE_SET_MODE, &a);
}

int linux_fchmodat(const uint64_t arg[6], uint64_t *result) {
    struct node_attr a = {.mode = arg[2] & 07777};
    return find_and_set(arg, 0, NODE_SET_MODE, &a);
}

/* A link has no permissions of its own. */
int linux_fchmodat2(const uint64_t arg[6], uint64_t *result) {
    struct node_attr a = {.mode = arg[2] & 07777}, now;
    uint32_t flags = (uint32_t)arg[3];
    struct node *n;
    if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
        return -K_EINVAL;
    int err = linux_find(arg, flags, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), &n);
    if (err)
        return err;
    err = n->ops->attr(n, &now);
    if (!err && now.type == NODE_LINK)
        err = -K_ENOTSUP;
    if (!err)
        return set(arg, n, NODE_SET_MODE, &a);
    node_put(n);
    return err;
}

#define GROUP_EXECUTES 010

/* -1: as it is. The new owner has not permitted that the file runs as that one. */
static int change_owner(const uint64_t arg[6], struct node *n, uint64_t uid, uint64_t gid) {
    struct node_attr a;
    int err = n->ops->attr(n, &a);
    if (err) {
        node_put(n);
        return err;
    }
    a.uid = (uint32_t)uid == UINT32_MAX ? a.uid : (uint32_t)uid;
    a.gid = (uint32_t)gid == UINT32_MAX ? a.gid : (uint32_t)gid;
    uint16_t kept = a.mode & (a.mode & GROUP_EXECUTES ? 01777 : 03777);
    bool loses = a.type == NODE_FILE && kept != a.mode;
    a.mode = kept;
    return set(arg, n, NODE_SET_OWNER | (loses ? NODE_SET_MODE : 0), &a);
}

int linux_fchownat(const uint64_t arg[6], uint64_t *result) {
    struct node *n;
    int err = linux_find(arg, arg[4], !(arg[4] & LINUX_AT_SYMLINK_NOFOLLOW), &n);
    return err ? err : change_owner(arg, n, arg[2], arg[3]);
}

int linux_fchown(const uint64_t arg[6], uint64_t *result) {
    const uint64_t itself[6] = {arg[0], 0};
    struct node *n;
    int err = linux_find(itself, LINUX_AT_EMPTY_PATH, true, &n);
    return err ? err : change_owner(itself, n, arg[1], arg[2]);
}

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

static int time_to_set(const struct linux_timespec *t, uint64_t *out, bool *wanted) {
    *wanted = t->nsec != UTIME_OMIT;
    if (t->nsec == UTIME_NOW)
        *out = clock_date();
    else if (*wanted)
        return linux_nanoseconds(t, out);
    return 0;
}

int linux_utimensat(const uint64_t arg[6], uint64_t *result) {
    struct linux_timespec t[2] = {{.nsec = UTIME_NOW}, {.nsec = UTIME_NOW}};
    struct node_attr a = {0};
    bool accessed, modified;
    int err = arg[2] ? copyin(t, UA(arg[2]), sizeof(t)) : 0;
    if (!err)
        err = time_to_set(&t[0], &a.accessed, &accessed);
    if (!err)
        err = time_to_set(&t[1], &a.modified, &modified);
    if (err)
        return err;
    uint64_t flags = arg[3] | (arg[1] ? 0 : LINUX_AT_EMPTY_PATH);
    return find_and_set(
        arg, flags, (accessed ? NODE_SET_ACCESSED : 0) | (modified ? NODE_SET_MODIFIED : 0), &a);
}
