/* Calls that open files, and on descriptors. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "syscall/syscall.h"
#include "vfs/descriptor.h"
#include "vfs/mount.h"
#include "vfs/names.h"
#include "vfs/open.h"
#include "vfs/path.h"
#include "vfs/pipe.h"

#define O_ACCMODE 3
#define O_CREAT 0x40
#define O_EXCL 0x80
#define O_NOCTTY 0x100
#define O_TRUNC 0x200
#define O_APPEND 0x400
#define O_NONBLOCK LINUX_O_NONBLOCK
#define O_DIRECTORY 0x10000
#define O_NOFOLLOW 0x20000
#define O_CLOEXEC LINUX_O_CLOEXEC
#define O_SYNC 0x101000
#define TMPFILE 0x400000 /* O_TMPFILE without O_DIRECTORY, which goes with it */

static uint32_t open_mode(uint64_t flags) {
    return (uint32_t)(flags & O_ACCMODE) | (flags & O_TRUNC ? ABI_O_TRUNC : 0) |
           (flags & O_APPEND ? ABI_O_APPEND : 0) | (flags & O_SYNC ? ABI_O_SYNC : 0) |
           (flags & O_NONBLOCK ? ABI_O_NONBLOCK : 0);
}

/* ---- openat ---- */

static int create(const struct linux_path *p, uint64_t flags, uint64_t mode, struct node **out) {
    const struct node_kind kind = {.type = NODE_FILE, .mode = linux_new_mode(mode)};
    return flags & O_EXCL ? names_create_new(p->start, p->text, &kind, out)
                          : names_create(p->start, p->text, &kind, out);
}

static bool ends_with_slash(const char *path) { return path[strlen(path) - 1] == '/'; }

static int find(const struct linux_path *p, uint64_t flags, uint64_t mode, struct node **out) {
    if ((flags & O_CREAT) && ends_with_slash(p->text))
        return -K_EISDIR; /* a file has no such name */
    if ((flags & O_CREAT) && (flags & O_EXCL))
        return create(p, flags, mode, out);
    int err = path_lookup_from(p->start, p->text, !(flags & O_NOFOLLOW), out);
    if (err == -K_ENOENT && (flags & O_CREAT))
        return create(p, flags, mode, out);
    if (err)
        return err;
    if ((*out)->link)
        err = -K_ELOOP;
    else if (flags & O_DIRECTORY)
        err = node_must_be_dir(*out);
    if (err)
        node_put(*out);
    return err;
}

/* A file without a name, in the file system of a directory. With O_EXCL it never gets one. */
static int open_unnamed(const struct linux_path *p, uint64_t flags, uint64_t mode,
                        struct file **out) {
    struct node *dir, *n;
    if (!(flags & O_DIRECTORY) || !(flags & O_ACCMODE) || (flags & O_CREAT))
        return -K_EINVAL;
    int err = path_lookup_from(p->start, p->text, !(flags & O_NOFOLLOW), &dir);
    if (err)
        return err;
    err = node_must_be_dir(dir);
    if (!err && mount_forbids(dir, MOUNT_READ_ONLY))
        err = -K_EROFS;
    if (!err)
        err = dir->ops->make_unnamed
                  ? dir->ops->make_unnamed(dir, linux_new_mode(mode), !(flags & O_EXCL), &n)
                  : -K_ENOTSUP;
    node_put(dir);
    if (err)
        return err;
    err = file_open_node(n, open_mode(flags), out);
    node_put(n);
    return err;
}

static int open_path(const struct linux_path *p, uint64_t flags, uint64_t mode, struct file **out) {
    struct node *n;
    if (flags & TMPFILE)
        return open_unnamed(p, flags, mode, out);
    int err = find(p, flags, mode, &n);
    if (err == -K_ENXIO && !(flags & (O_NOFOLLOW | O_DIRECTORY)))
        return file_open_again(p->start, p->text, open_mode(flags), out);
    if (err)
        return err;
    err = file_open_node(n, open_mode(flags), out);
    node_put(n);
    if (notes_any() && !err)
        notes_opened(*out, p->start, p->text, (flags & O_TRUNC) != 0);
    return err;
}

int linux_openat(const uint64_t arg[6], uint64_t *result) {
    struct linux_path p;
    struct file *f;
    int fd, err = linux_path(&p, arg[0], arg[1]);
    if (err)
        return err;
    err = fd_reserve(0, &fd);
    if (!err) {
        err = open_path(&p, arg[2], arg[3], &f);
        if (err)
            fd_unreserve(fd);
    }
    if (!err && p.text[0] == '/' && !(arg[2] & TMPFILE))
        file_set_path(f, p.text);
    linux_path_end(&p);
    if (err)
        return err;
    if (!(arg[2] & O_NOCTTY))
        linux_terminal_opened(f);
    fd_open(fd, f, (arg[2] & O_CLOEXEC) != 0);
    *result = (uint64_t)fd;
    return 0;
}

struct open_how {
    uint64_t flags, mode, resolve;
};
#define OPEN_FLAGS 0x7fffc3UL /* those that Linux knows */
#define RESOLVE_ALL 0x3fUL

int linux_nothing_more(uint64_t from, uint64_t to) {
    for (uint64_t at = from; at < to; at++) {
        uint8_t byte;
        int err = copyin(&byte, UA(at), 1);
        if (err || byte)
            return err ? err : -K_E2BIG;
    }
    return 0;
}

/* How a path is resolved cannot be restricted. */
int linux_openat2(const uint64_t arg[6], uint64_t *result) {
    struct open_how how;
    if (arg[3] < sizeof(how))
        return -K_EINVAL;
    int err = arg[3] > PAGE_SIZE ? -K_E2BIG : copyin(&how, UA(arg[2]), sizeof(how));
    if (!err)
        err = linux_nothing_more(arg[2] + sizeof(how), arg[2] + arg[3]);
    if (err)
        return err;
    if ((how.flags & ~OPEN_FLAGS) || (how.resolve & ~RESOLVE_ALL) || (how.mode & ~07777UL) ||
        (how.mode && !(how.flags & (O_CREAT | TMPFILE))))
        return -K_EINVAL;
    const uint64_t ours[6] = {arg[0], arg[1], how.flags, how.mode};
    return how.resolve ? -K_ENOSYS : linux_openat(ours, result);
}

/* ---- what has no path ---- */

int linux_open_made(int (*make)(void *ctx, struct file **out), void *ctx, uint64_t flags,
                    uint64_t *result) {
    struct file *f;
    int fd, err = fd_reserve(0, &fd);
    if (err)
        return err;
    err = make(ctx, &f);
    if (err) {
        fd_unreserve(fd);
        return err;
    }
    file_set_flags(f, open_mode(flags));
    fd_open(fd, f, (flags & O_CLOEXEC) != 0);
    *result = (uint64_t)fd;
    return 0;
}

/* ---- descriptors ---- */

static uint64_t on_exec(uint64_t flags) { return flags & O_CLOEXEC ? ABI_O_CLOEXEC : 0; }

int linux_dup3(const uint64_t arg[6], uint64_t *result) {
    const uint64_t ours[6] = {arg[0], arg[1], on_exec(arg[2])};
    return arg[2] & ~(uint64_t)O_CLOEXEC ? -K_EINVAL : sys_dup3(ours, result);
}

int linux_pipe2(const uint64_t arg[6], uint64_t *result) {
    const uint64_t ours[6] = {arg[0], on_exec(arg[1]) | (arg[1] & O_NONBLOCK ? ABI_O_NONBLOCK : 0)};
    return arg[1] & ~(uint64_t)(O_CLOEXEC | O_NONBLOCK) ? -K_EINVAL : sys_pipe2(ours, result);
}

#define CLOSE_RANGE_UNSHARE 2U /* no two processes have one table, but all threads of one do */
#define CLOSE_RANGE_CLOEXEC 4U

/* Those of the range that are open. */
int linux_close_range(const uint64_t arg[6], uint64_t *result) {
    uint32_t first = (uint32_t)arg[0], last = (uint32_t)arg[1], flags = (uint32_t)arg[2];
    if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -K_EINVAL;
    if ((flags & CLOSE_RANGE_UNSHARE) &&
        __atomic_load_n(&proc_self()->thread_count, __ATOMIC_RELAXED) > 1)
        return -K_ENOMEM; /* a thread cannot have one of its own */
    for (uint64_t fd = first; fd <= MIN(last, ABI_NOFILE - 1U); fd++) {
        const uint64_t one[6] = {fd};
        (void)!(flags & CLOSE_RANGE_CLOEXEC ? fd_set_on_exec(fd, true) : sys_close(one, result));
    }
    *result = 0;
    return 0;
}

#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032

static int size_of_pipe(struct file *f, const uint64_t arg[6], uint64_t *result) {
    if (!pipe_is(f))
        return -K_EBADF;
    int err = arg[1] == F_SETPIPE_SZ ? pipe_set_size(f, (uint32_t)arg[2]) : 0;
    *result = pipe_size(f);
    return err;
}

int linux_fcntl(const uint64_t arg[6], uint64_t *result) {
    const uint64_t set[6] = {arg[0], arg[1],
                             (arg[2] & O_APPEND ? ABI_O_APPEND : 0) |
                                 (arg[2] & O_NONBLOCK ? ABI_O_NONBLOCK : 0)};
    if (linux_is_lock(arg[1]))
        return linux_range_lock(arg, result);
    if (linux_is_seal(arg[1]))
        return linux_seal(arg, result);
    if (arg[1] == F_SETPIPE_SZ || arg[1] == F_GETPIPE_SZ)
        return fd_call(size_of_pipe, arg, result);
    switch ((int32_t)arg[1]) {
    case ABI_F_SETFL: return sys_fcntl(set, result);
    case ABI_F_GETFL: {
        int err = sys_fcntl(arg, result);
        *result = (*result & O_ACCMODE) | (*result & ABI_O_APPEND ? O_APPEND : 0) |
                  (*result & ABI_O_SYNC ? O_SYNC : 0) | (*result & ABI_O_NONBLOCK ? O_NONBLOCK : 0);
        return err;
    }
    default: return sys_fcntl(arg, result);
    }
}
