/* Paths of calls: where each begins, and what is there. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "vfs/descriptor.h"
#include "vfs/path.h"

/* The node that a descriptor is open on, with a reference. */
static int node_of(uint64_t fd, struct node **out) {
    struct file *f = fd_begin(fd_arg(fd));
    if (!f)
        return -K_EBADF;
    *out = f->ops->node ? node_get(f->ops->node(f)) : NULL;
    fd_end(f);
    return *out ? 0 : -K_EINVAL;
}

static int start_at(uint64_t directory, struct node **start) {
    *start = NULL;
    if ((int32_t)directory == LINUX_AT_FDCWD)
        return 0;
    int err = node_of(directory, start);
    if (err)
        return err == -K_EINVAL ? -K_ENOTDIR : err;
    err = node_must_be_dir(*start);
    if (err)
        node_put(*start);
    return err;
}

int linux_path(struct linux_path *p, uint64_t directory, uint64_t address) {
    int err = copyinstr(p->text, UA(address), sizeof(p->text));
    if (err)
        return err;
    p->start = NULL;
    if (!p->text[0])
        return -K_ENOENT;
    return p->text[0] == '/' ? 0 : start_at(directory, &p->start);
}

void linux_path_end(struct linux_path *p) {
    if (p->start)
        node_put(p->start);
}

int linux_find(const uint64_t arg[6], uint64_t flags, bool follow, struct node **out) {
    struct linux_path p;
    char first = 0;
    if (flags & LINUX_AT_EMPTY_PATH) {
        int err = arg[1] ? copyin(&first, UA(arg[1]), 1) : 0;
        if (err)
            return err;
        if (!first)
            return node_of(arg[0], out);
    }
    int err = linux_path(&p, arg[0], arg[1]);
    if (err)
        return err;
    err = path_lookup_from(p.start, p.text, follow, out);
    linux_path_end(&p);
    return err;
}

void linux_note(const uint64_t arg[6], struct node *n, uint32_t what) {
    struct linux_path p;
    if (!notes_any())
        return;
    if (linux_path(&p, arg[0], arg[1])) { /* by a descriptor */
        notes_tell(n, what, 0, NULL);
        return;
    }
    notes_of_path(p.start, p.text, n, what);
    linux_path_end(&p);
}
