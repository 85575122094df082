/* Watching files and names: inotify. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "vfs/descriptor.h"
#include "vfs/notes.h"

#define IN_ONLYDIR 0x01000000U
#define IN_DONT_FOLLOW 0x02000000U
#define IN_EXCL_UNLINK \
    0x04000000U /* what has no name any more is told to nobody but its own watch */
#define IN_MASK_CREATE 0x10000000U
#define IN_MASK_ADD 0x20000000U
#define IN_UNMOUNT 0x2000U /* may be asked for, and never comes */
#define IN_FLAGS (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD)
#define IN_EVENTS \
    ((uint32_t)NOTE_ALL | IN_UNMOUNT | NOTE_OVERFLOW | NOTE_IGNORED | NOTE_IS_DIR | NOTE_ONCE)

#define FILE_FLAGS (LINUX_O_CLOEXEC | LINUX_O_NONBLOCK)

static int make(void *ctx, struct file **out) { return notes_create(out); }

int linux_inotify_init1(const uint64_t arg[6], uint64_t *result) {
    if ((uint32_t)arg[0] & ~FILE_FLAGS)
        return -K_EINVAL;
    return linux_open_made(make, NULL, (uint32_t)arg[0], result);
}

static int watch_node(struct file *f, struct node *n, uint32_t mask, uint64_t *result) {
    enum notes_how how = mask & IN_MASK_CREATE ? NOTES_NEW
                         : mask & IN_MASK_ADD  ? NOTES_ADD
                                               : NOTES_REPLACE;
    int32_t number = 0;
    int err = mask & IN_ONLYDIR ? node_must_be_dir(n) : 0;
    if (!err)
        err = notes_watch(f, n, mask & ((uint32_t)NOTE_ALL | NOTE_ONCE), how, &number);
    *result = (uint64_t)number;
    return err;
}

static int add_watch(struct file *f, const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {(uint64_t)LINUX_AT_FDCWD, arg[1]};
    uint32_t mask = (uint32_t)arg[2];
    bool both = (mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE);
    struct node *n;
    if (!(mask & NOTE_ALL) || (mask & ~(IN_FLAGS | IN_EVENTS)) || both || !notes_is(f))
        return -K_EINVAL;
    int err = linux_find(there, 0, !(mask & IN_DONT_FOLLOW), &n);
    if (err)
        return err;
    err = watch_node(f, n, mask, result);
    node_put(n);
    return err;
}

int linux_inotify_add_watch(const uint64_t arg[6], uint64_t *result) {
    return fd_call(add_watch, arg, result);
}

static int remove_watch(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return notes_is(f) ? notes_unwatch(f, (int32_t)arg[1]) : -K_EINVAL;
}

int linux_inotify_rm_watch(const uint64_t arg[6], uint64_t *result) {
    return fd_call(remove_watch, arg, result);
}
