/* Paths: walking them. */
#include "vfs/path.h"
#include "lib/errno.h"
#include "vfs/descriptor.h"

/* Takes the next name of the path; false when there is none. */
static bool next_name(const char **path, struct name *name) {
    const char *p = *path;
    while (*p == '/')
        p++;
    name->bytes = p;
    while (*p != '/' && *p != '\0')
        p++;
    name->length = (size_t)(p - name->bytes);
    *path = p;
    return name->length != 0;
}

static bool only_slashes(const char *path) {
    while (*path == '/')
        path++;
    return *path == '\0';
}

static struct node *start_of(const char *path) {
    struct node *n = *path == '/' ? NULL : cwd_get();
    return n ? n : node_get(node_root());
}

/* The node that is seen in place of n, whose reference it takes over. */
static seldom struct node *through_mount(struct node *n) {
    while (n->mounted) {
        struct node *root = node_get(n->mounted);
        node_put(n);
        n = root;
    }
    return n;
}

/* The way up out of a root that is mounted is that of the directory it is mounted on. */
static seldom int step_out(struct node *dir, const struct name *name, struct node **out) {
    while (dir->under)
        dir = dir->under;
    return dir->ops->step(dir, name, out);
}

int path_step(struct node *dir, const struct name *name, struct node **out) {
    bool out_of_root = dir->under && name_is_dotdot(name);
    int err = out_of_root ? step_out(dir, name, out) : dir->ops->step(dir, name, out);
    if (!err && (*out)->mounted)
        *out = through_mount(*out);
    return err;
}

/* Walks all names, or all but the last, which then is in *name. */
static int walk(const char *path, bool to_parent, struct node **out, struct name *name) {
    struct node *n = start_of(path);
    while (next_name(&path, name)) {
        struct node *next;
        if (to_parent && only_slashes(path)) {
            *out = n;
            return 0;
        }
        int err = path_step(n, name, &next);
        node_put(n);
        if (err)
            return err;
        n = next;
    }
    if (to_parent) {
        node_put(n);
        return -K_ENOENT;
    }
    *out = n;
    return 0;
}

int path_lookup(const char *path, struct node **out) {
    struct name last;
    return walk(path, false, out, &last);
}

int path_parent(const char *path, struct node **out, struct name *name) {
    return walk(path, true, out, name);
}
