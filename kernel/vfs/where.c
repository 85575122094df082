/* Paths: see where.h. */
#include "vfs/where.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vfs/descriptor.h"
#include "vfs/listing.h"
#include "vfs/mount.h"
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

static int prepend(struct growing *g, const char *text, size_t bytes) {
    if (bytes > g->at)
        return -K_ERANGE;
    g->at -= bytes;
    memcpy(g->buffer + g->at, text, bytes);
    return 0;
}

static bool prepend_if_it(void *ctx, const struct listed *name) {
    struct growing *g = ctx;
    bool special = name->name[0] == '.' &&
                   (name->length == 1 || (name->length == 2 && name->name[1] == '.'));
    if (name->ino != g->ino || special)
        return true;
    g->found = true;
    g->too_long = prepend(g, name->name, name->length) || prepend(g, "/", 1);
    return false;
}

/* The name of the directory n in the one above it, `up`. */
static int prepend_name(struct growing *g, struct node *n, struct node *up) {
    struct node_attr a;
    struct file *f;
    struct node *hidden = mount_leave(n); /* it is what the directory above has in its list */
    int err = hidden->ops->attr(hidden, &a);
    node_put(hidden);
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

/* From n, whose reference is taken over, up to the root or, where that is not above it, to the one
 * of all or of what is mounted nowhere any more: then *reached is false. */
static int climb(struct growing *g, struct node *n, const struct node *root, bool *reached) {
    static const struct name dotdot = {"..", 2};
    int err = 0;
    while (!err && n != root && n != node_root()) {
        struct node *up;
        err = path_step(n, &dotdot, &up);
        if (err)
            break;
        if (up == n) {
            node_put(up);
            break;
        }
        err = prepend_name(g, n, up);
        node_put(n);
        n = up;
    }
    *reached = n == root;
    node_put(n);
    return err;
}

int node_path(struct node *n, char *buffer, size_t size, size_t *bytes) {
    static const char unreachable[] = "(unreachable)";
    struct growing g = {.buffer = buffer, .at = size - 1};
    struct node *root = root_get();
    bool reached;
    buffer[g.at] = '\0';
    int err = climb(&g, n, root, &reached);
    node_put(root);
    if (!err && g.at == size - 1)
        err = prepend(&g, "/", 1);
    if (!err && !reached)
        err = prepend(&g, unreachable, sizeof(unreachable) - 1);
    *bytes = size - g.at;
    return err;
}

int cwd_path(char *buffer, size_t size, size_t *bytes) {
    struct node *n = place_get(PLACE_CURRENT);
    return node_path(n ? n : node_get(node_root()), buffer, size, bytes);
}

int path_from_root(const char *path, char *buffer, size_t size) {
    struct node *dir;
    struct name last;
    size_t bytes;
    if (path[0] == '/')
        return str_copy(buffer, path, size) < size ? 0 : -K_ERANGE;
    int err = path_parent(NULL, path, &dir, &last);
    if (err)
        return err;
    err = node_path(dir, buffer, size, &bytes);
    if (err)
        return err;
    memmove(buffer, buffer + size - bytes, bytes);
    if (buffer[0] != '/')
        return -K_ENOENT;
    size_t length = bytes == sizeof("/") ? 0 : bytes - 1;
    if (length + 1 + last.length >= size)
        return -K_ERANGE;
    buffer[length] = '/';
    memcpy(buffer + length + 1, last.bytes, last.length);
    buffer[length + 1 + last.length] = '\0';
    return 0;
}
