/* Opening: which node a path names, or is to name. What an open file does is the file system's. */
#include "vfs/open.h"
#include "vfs/names.h"

static int find(const char *path, uint32_t mode, struct node **out) {
    static const struct node_kind file = {.type = NODE_FILE};
    return mode & ABI_O_CREATE ? names_create(path, &file, out) : path_lookup(path, out);
}

int file_open(const char *path, uint32_t mode, struct file **out) {
    struct node *n;
    struct file *f;
    int err = file_alloc(&f);
    if (err)
        return err;
    err = find(path, mode, &n);
    if (err) {
        file_put(f);
        return err;
    }
    f->readable = (mode & ABI_O_WRONLY) == 0;
    f->writable = open_for_writing(mode);
    f->append = (mode & ABI_O_APPEND) != 0;
    f->sync = (mode & ABI_O_SYNC) != 0;
    err = n->ops->open(n, mode, f);
    if (err) {
        node_put(n);
        file_put(f);
        return err;
    }
    *out = f;
    return 0;
}
