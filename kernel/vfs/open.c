/* Opening: which node a path names, or is to name. What an open file does is the file system's. */
#include "vfs/open.h"
#include "vfs/mount.h"
#include "vfs/names.h"

static int find(const char *path, uint32_t mode, struct node **out) {
    static const struct node_kind file = {.type = NODE_FILE, .mode = 0777};
    return mode & ABI_O_CREATE ? names_create(NULL, path, &file, out) : path_lookup(path, out);
}

/* Of what keeps its node, as most do. */
static void count(struct file *f, const struct node *n) {
    f->counted = f->ops->node && f->ops->node(f) == n;
    if (f->counted)
        __atomic_add_fetch(&f->ops->node(f)->opens, 1, __ATOMIC_RELAXED);
}

/* Whether the mount that n is in forbids to open it so. */
static seldom int check_mount(struct node *n, uint32_t mode) {
    struct node_attr a;
    int err = n->ops->attr(n, &a);
    if (err)
        return err;
    if (node_is_device(a.type))
        return mount_forbids(n, MOUNT_NO_DEVICES) ? -K_EACCES : 0;
    bool changes = open_for_writing(mode) || (mode & ABI_O_TRUNC);
    return a.type == NODE_FILE && changes && mount_forbids(n, MOUNT_READ_ONLY) ? -K_EROFS : 0;
}

/* A file that is to be written is counted, so the mount is looked at once more: mount_change. */
static int open_node(struct file *f, struct node *n, uint32_t mode) {
    int err = mount_forbids(n, MOUNT_FORBIDS) ? check_mount(n, mode) : 0;
    if (!err)
        err = n->ops->open(n, mode & ~(uint32_t)ABI_O_NONBLOCK, f);
    return err;
}

/* f, which is new, becomes n as it is opened; both references are taken over. */
static int open_as(struct file *f, struct node *n, uint32_t mode) {
    f->readable = (mode & ABI_O_WRONLY) == 0;
    f->writable = open_for_writing(mode);
    f->append = (mode & ABI_O_APPEND) != 0;
    f->sync = (mode & ABI_O_SYNC) != 0;
    f->nonblock = (mode & ABI_O_NONBLOCK) != 0;
    int err = open_node(f, n, mode);
    if (err) {
        node_put(n);
        file_put(f);
        return err;
    }
    count(f, n);
    err = f->writable && mount_forbids(n, MOUNT_READ_ONLY) ? check_mount(n, mode) : 0;
    if (err)
        file_put(f);
    return err;
}

int file_open(const char *path, uint32_t mode, struct file **out) {
    struct node *n;
    int err = file_alloc(out);
    if (err)
        return err;
    err = find(path, mode, &n);
    if (err) {
        file_put(*out);
        return err;
    }
    err = open_as(*out, n, mode);
    if (notes_any() && !err)
        notes_opened(*out, NULL, path, (mode & ABI_O_TRUNC) != 0);
    return err;
}

int file_open_node(struct node *n, uint32_t mode, struct file **out) {
    int err = file_alloc(out);
    return err ? err : open_as(*out, node_get(n), mode);
}

/* What the last name of the path is, not followed, and the directory that it is in. The reference
 * to start is taken over. */
static int last_name(struct node *start, const char *path, struct node **dir, struct node **out) {
    struct name name;
    int err = path_parent(start, path, dir, &name);
    if (start)
        node_put(start);
    if (err)
        return err;
    err = path_step(*dir, &name, out);
    if (err)
        node_put(*dir);
    return err;
}

/* The link that leads there, behind others, each of which is read where it stands. */
static int last_link(struct node *start, const char *path, struct node **out) {
    struct node *dir;
    int err = last_name(start ? node_get(start) : NULL, path, &dir, out);
    for (unsigned hops = 0; !err && (*out)->link && !(*out)->ops->open_again; hops++) {
        struct node *link = *out;
        if (hops < PATH_LINKS) {
            err = last_name(dir, link->ops->target(link), &dir, out);
        } else {
            node_put(dir);
            err = -K_ELOOP;
        }
        node_put(link);
    }
    if (!err)
        node_put(dir);
    return err;
}

int file_open_again(struct node *start, const char *path, uint32_t mode, struct file **out) {
    struct node *n;
    int err = last_link(start, path, &n);
    if (err)
        return err;
    err = n->link && n->ops->open_again ? n->ops->open_again(n, mode, out) : -K_ENXIO;
    node_put(n);
    return err;
}
