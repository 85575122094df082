/* Directories as files of xv6's entries. */
#include "vfs/listing.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

#define AT_ONCE 16

struct gathered {
    struct fs_dirent entry[AT_ONCE];
    size_t count, most;
};

static bool gather(void *ctx, const struct listed *name) {
    struct gathered *g = ctx;
    if (g->count == g->most)
        return false;
    struct fs_dirent *d = &g->entry[g->count++];
    memset(d, 0, sizeof(*d));
    d->inum = (uint16_t)name->ino ? (uint16_t)name->ino : 1; /* 0 would be free */
    memcpy(d->name, name->name, MIN(name->length, sizeof(d->name)));
    return true;
}

int listing_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct gathered g;
    int err = 0;
    do {
        g.count = 0;
        g.most = MIN((n - *done) / sizeof(g.entry[0]), (size_t)AT_ONCE);
        err = f->ops->list(f, gather, &g);
        size_t bytes = g.count * sizeof(g.entry[0]);
        if (!err)
            err = copyout(UA(dst.v + *done), g.entry, bytes);
        *done += err ? 0 : bytes;
    } while (!err && g.count > 0 && g.count == g.most);
    return err;
}
