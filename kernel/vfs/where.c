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

/* To the buffer's start, the path of what is called so in dir; takes over the reference to that. */
static int path_below(struct node *dir, const struct name *last, char *buffer, size_t size) {
    size_t bytes;
    int err = node_path(dir, buffer, size, &bytes);
    if (err)
        return err;
    memmove(buffer, buffer + size - bytes, bytes);
    if (buffer[0] != '/')
        return -K_ENOENT;
    size_t length = bytes == sizeof("/") ? 0 : bytes - 1;
    if (length + 1 + last->length >= size)
        return -K_ERANGE;
    buffer[length] = '/';
    memcpy(buffer + length + 1, last->bytes, last->length);
    buffer[length + 1 + last->length] = '\0';
    return 0;
}

static int copy_path(const char *path, char *buffer, size_t size) {
    if (path[0] != '/')
        return -K_ENOENT;
    return str_copy(buffer, path, size) < size ? 0 : -K_ERANGE;
}

/* What a path leads to, link by link. */
struct chain {
    const char *path;
    struct node *start; /* it begins there; NULL: where the process is */
    struct node *link;  /* whose target the path is; NULL: nobody's */
};

static void chain_end(struct chain *c) {
    if (c->link) {
        node_put(c->start);
        node_put(c->link);
    }
}

/* n is what is called so in dir, the end of the chain. */
static int path_of_end(const struct chain *c, struct node *dir, const struct name *last,
                       struct node *n, char *buffer, size_t size) {
    if (n->link)
        return copy_path(n->ops->target(n), buffer, size);
    if (!c->link && c->path[0] == '/')
        return copy_path(c->path, buffer, size);
    return path_below(node_get(dir), last, buffer, size);
}

int path_from_root(const char *path, char *buffer, size_t size) {
    struct chain c = {.path = path};
    int err = -K_ELOOP;
    for (unsigned links = 0; links <= PATH_LINKS; links++) {
        struct node *dir, *n;
        struct name last;
        err = path_parent(c.start, c.path, &dir, &last);
        if (err)
            break;
        err = path_step(dir, &last, &n);
        if (err) {
            node_put(dir);
            break;
        }
        if (!n->link || n->ops->leads_to) {
            err = path_of_end(&c, dir, &last, n, buffer, size);
            node_put(n);
            node_put(dir);
            break;
        }
        chain_end(&c);
        c = (struct chain){.path = n->ops->target(n), .start = dir, .link = n};
        err = -K_ELOOP;
    }
    chain_end(&c);
    return err;
}
