/* The path of the current directory: see where.h. */
#include "vfs/where.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vfs/descriptor.h"
#include "vfs/listing.h"
#include "vfs/open.h"
#include "vfs/path.h"

/* A path that grows to the front. */
struct growing {
    char *buffer;
    size_t at;    /* it begins there */
    uint32_t ino; /* whose name is looked for */
    bool found;
    bool too_long;
};

static bool prepend_if_it(void *ctx, const struct listed *name) {
    struct growing *g = ctx;
    bool special = name->name[0] == '.' &&
                   (name->length == 1 || (name->length == 2 && name->name[1] == '.'));
    if (name->ino != g->ino || special)
        return true;
    g->found = true;
    g->too_long = name->length + 1 > g->at;
    if (!g->too_long) {
        g->at -= name->length;
        memcpy(g->buffer + g->at, name->name, name->length);
        g->buffer[--g->at] = '/';
    }
    return false;
}

/* The name of the directory n in the one above it, `up`. */
static int prepend_name(struct growing *g, struct node *n, struct node *up) {
    struct node_attr a;
    struct file *f;
    while (n->under)
        n = n->under; /* it is what the directory above has in its list */
    int err = n->ops->attr(n, &a);
    if (!err)
        err = file_open_node(up, ABI_O_RDONLY, &f);
    if (err)
        return err;
    g->ino = a.ino;
    g->found = false;
    err = f->ops->list(f, prepend_if_it, g);
    file_put(f);
    if (err)
        return err;
    return !g->found ? -K_ENOENT : g->too_long ? -K_ERANGE : 0;
}

/* From n up; the reference to it is taken over. */
static int climb(struct growing *g, struct node *n) {
    static const struct name dotdot = {"..", 2};
    int err = 0;
    while (!err && n != node_root()) {
        struct node *up;
        err = path_step(n, &dotdot, &up);
        if (err)
            break;
        err = prepend_name(g, n, up);
        node_put(n);
        n = up;
    }
    node_put(n);
    return err;
}

int cwd_path(char *buffer, size_t size, size_t *bytes) {
    struct growing g = {.buffer = buffer, .at = size - 1};
    struct node *n = cwd_get();
    buffer[g.at] = '\0';
    int err = n ? climb(&g, n) : 0;
    if (err)
        return err;
    if (g.at == size - 1)
        buffer[--g.at] = '/';
    *bytes = size - g.at;
    return 0;
}
