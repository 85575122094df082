/* Calls that change what paths stand for, and where the process is. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "vfs/descriptor.h"
#include "vfs/names.h"
#include "vfs/where.h"

#define AT_REMOVEDIR 0x200

/* Of two calls, whose first arguments are a directory and a path. */
static int make(const uint64_t arg[6], const struct node_kind *kind) {
    struct linux_path p;
    int err = linux_path(&p, arg[0], arg[1]);
    if (err)
        return err;
    err = names_make(p.start, p.text, kind);
    linux_path_end(&p);
    return err;
}

int linux_mkdirat(const uint64_t arg[6], uint64_t *result) {
    return make(arg, &(struct node_kind){.type = NODE_DIR, .mode = linux_new_mode(arg[2] & 01777)});
}

#define TYPE_BITS 0170000
#define TYPE_FILE 0100000
#define TYPE_CHAR 0020000
#define TYPE_BLOCK 0060000
#define TYPE_FIFO 0010000
#define TYPE_SOCKET 0140000

/* A device's number as Linux packs it: linux_device_number is the other way. -K_EINVAL: a minor one
 * that nodes have no room for. */
static int set_device(struct node_kind *kind, uint32_t number) {
    uint32_t minor = (number & 0xff) | (number >> 12 & ~0xffU);
    kind->major = (int16_t)(number >> 8 & 0xfff);
    kind->minor = (int16_t)minor;
    return minor <= INT16_MAX ? 0 : -K_EINVAL;
}

/* Files, pipes, devices, and nodes of sockets that nobody has. */
int linux_mknodat(const uint64_t arg[6], uint64_t *result) {
    struct node_kind kind = {.type = NODE_FILE, .mode = linux_new_mode(arg[2])};
    int err = 0;
    switch (arg[2] & TYPE_BITS) {
    case 0:
    case TYPE_FILE: break;
    case TYPE_CHAR:
    case TYPE_BLOCK:
        kind.type = (arg[2] & TYPE_BITS) == TYPE_CHAR ? NODE_DEVICE : NODE_BLOCK;
        err = set_device(&kind, (uint32_t)arg[3]);
        break;
    case TYPE_FIFO: kind.type = NODE_FIFO; break;
    case TYPE_SOCKET: kind.type = NODE_SOCKET; break;
    default: return -K_EPERM;
    }
    return err ? err : make(arg, &kind);
}

int linux_symlinkat(const uint64_t arg[6], uint64_t *result) {
    char target[LINUX_PATH];
    struct linux_path p;
    int err = copyinstr(target, UA(arg[0]), sizeof(target));
    if (!err)
        err = linux_path(&p, arg[1], arg[2]);
    if (err)
        return err;
    struct node_kind kind = {.type = NODE_LINK, .mode = 0777, .target = target};
    err = names_make(p.start, p.text, &kind);
    linux_path_end(&p);
    return err;
}

/* Whether what has the name may be removed so: rmdir is for directories, and unlink for all others.
 */
static int check_removal(struct node *dir, const struct name *name, bool directory) {
    struct node *n;
    int err = path_step(dir, name, &n);
    if (err)
        return err;
    err = node_must_be_dir(n);
    node_put(n);
    if (directory || (err && err != -K_ENOTDIR))
        return err;
    return err ? 0 : -K_EISDIR;
}

static int remove_name(const struct linux_path *p, bool directory) {
    struct node *dir;
    struct name name;
    int err = path_parent(p->start, p->text, &dir, &name);
    if (err)
        return err == -K_EBUSY && !directory ? -K_EISDIR : err; /* the root */
    err = check_removal(dir, &name, directory);
    if (!err && !directory && name.bytes[name.length] == '/')
        err = -K_ENOTDIR;
    if (!err)
        err = names_remove(dir, &name);
    node_put(dir);
    return err;
}

int linux_unlinkat(const uint64_t arg[6], uint64_t *result) {
    struct linux_path p;
    int err = linux_path(&p, arg[0], arg[1]);
    if (err)
        return err;
    err = remove_name(&p, (arg[2] & AT_REMOVEDIR) != 0);
    linux_path_end(&p);
    return err;
}

/* Two paths, which are a lot for a kernel stack. */
static int with_two(const uint64_t arg[6],
                    int (*fn)(struct node *, const char *, struct node *, const char *)) {
    struct linux_path from, to;
    int err = linux_path(&from, arg[0], arg[1]);
    if (err)
        return err;
    err = linux_path(&to, arg[2], arg[3]);
    if (!err) {
        err = fn(from.start, from.text, to.start, to.text);
        linux_path_end(&to);
    }
    linux_path_end(&from);
    return err;
}

#define AT_SYMLINK_FOLLOW 0x400

int linux_linkat(const uint64_t arg[6], uint64_t *result) {
    uint32_t flags = (uint32_t)arg[4];
    struct linux_path to;
    struct node *old;
    if (flags & ~(AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
        return -K_EINVAL;
    int err = linux_find(arg, flags, (flags & AT_SYMLINK_FOLLOW) != 0, &old);
    if (err)
        return err;
    err = linux_path(&to, arg[2], arg[3]);
    if (!err) {
        err = names_link_node(old, to.start, to.text);
        linux_path_end(&to);
    }
    node_put(old);
    return err;
}

static int rename_over(struct node *from, const char *old, struct node *to, const char *new) {
    return names_rename(from, old, to, new, false);
}

static int rename_fresh(struct node *from, const char *old, struct node *to, const char *new) {
    return names_rename(from, old, to, new, true);
}

#define RENAME_NOREPLACE 1U

int linux_renameat2(const uint64_t arg[6], uint64_t *result) {
    if ((uint32_t)arg[4] & ~RENAME_NOREPLACE)
        return -K_EINVAL;
    return with_two(arg, (uint32_t)arg[4] ? rename_fresh : rename_over);
}

/* ---- the current directory, and the root ---- */

int linux_chdir(const uint64_t arg[6], uint64_t *result) {
    const uint64_t here[6] = {(uint64_t)LINUX_AT_FDCWD, arg[0]};
    struct node *n;
    int err = linux_find(here, 0, true, &n);
    return err ? err : cwd_enter(n);
}

/* Who calls it is where it was, which may be outside of its root then, as on Linux. */
int linux_chroot(const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {(uint64_t)LINUX_AT_FDCWD, arg[0]};
    struct node *n;
    int err = linux_find(there, 0, true, &n);
    return err ? err : root_enter(n);
}

int linux_fchdir(const uint64_t arg[6], uint64_t *result) {
    const uint64_t itself[6] = {arg[0], 0};
    struct node *n;
    int err = linux_find(itself, LINUX_AT_EMPTY_PATH, true, &n);
    return err ? err : cwd_enter(n);
}

int linux_getcwd(const uint64_t arg[6], uint64_t *result) {
    char path[LINUX_PATH];
    size_t bytes;
    int err = cwd_path(path, sizeof(path), &bytes);
    if (!err && bytes > arg[1])
        err = -K_ERANGE;
    if (!err)
        err = copyout(UA(arg[0]), path + sizeof(path) - bytes, bytes);
    *result = bytes;
    return err;
}
