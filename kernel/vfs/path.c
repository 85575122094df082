/* Paths: walking them. */
#include "vfs/path.h"
#include "lib/errno.h"
#include "vfs/descriptor.h"
#include "vfs/mount.h"

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

static struct node *or_top(struct node *n) { return n ? n : node_get(node_root()); }

struct node *root_get(void) {
    return or_top(place_get(PLACE_ROOT));
}

static struct node *start_of(struct node *root, struct node *start, const char *path) {
    if (*path == '/')
        return node_get(root ? root : node_root());
    return start ? node_get(start) : or_top(place_get(PLACE_CURRENT));
}

/* The way up out of a root that is mounted is that of the directory it is mounted on. */
static seldom int step_out(struct node *dir, const struct name *name, struct node **out) {
    struct node *hidden = mount_leave(dir);
    int err = hidden->ops->step(hidden, name, out);
    node_put(hidden);
    return err;
}

/* root: that of the process; NULL: it is the one of all, from which nothing leads up anyhow. */
static int step_below(struct node *root, struct node *dir, const struct name *name,
                      struct node **out) {
    bool up = name_is_dotdot(name) && (root || __atomic_load_n(&dir->under, __ATOMIC_RELAXED));
    if (up && dir == root) {
        *out = node_get(dir);
        return 0;
    }
    int err = up ? step_out(dir, name, out) : dir->ops->step(dir, name, out);
    if (!err && node_has_mount(*out) && !name_is_dot(name))
        *out = mount_enter(*out);
    return err;
}

int path_step(struct node *dir, const struct name *name, struct node **out) {
    struct node *root = name_is_dotdot(name) ? place_get(PLACE_ROOT) : NULL;
    int err = step_below(root, dir, name, out);
    if (root)
        node_put(root);
    return err;
}

/* ---- symbolic links ---- */

#define NESTED_MAX 8 /* links in what links lead to: each takes some of the kernel's stack */

struct walk {
    struct node *root; /* of the process, with a reference; NULL: that of all */
    unsigned links, nested;
};

static int walk(struct walk *w, struct node *n, const char *path, bool to_parent, bool follow,
                struct node **out, struct name *name);

/* What a link in the directory dir leads to; takes over the reference to it. */
static seldom int follow_link(struct walk *w, struct node *dir, struct node *link,
                              struct node **out) {
    struct name last;
    if (w->links++ == PATH_LINKS || w->nested == NESTED_MAX) {
        node_put(link);
        return -K_ELOOP;
    }
    if (link->ops->leads_to) {
        int err = link->ops->leads_to(link, out);
        node_put(link);
        return err;
    }
    const char *target = link->ops->target(link);
    w->nested++;
    int err = walk(w, start_of(w->root, dir, target), target, false, true, out, &last);
    w->nested--;
    node_put(link);
    return err;
}

/* ---- walking ---- */

/* From n, whose reference it takes over: all names, or all but the last, which then is in *name.
 * follow: also a link that is the last. */
static int walk(struct walk *w, struct node *n, const char *path, bool to_parent, bool follow,
                struct node **out, struct name *name) {
    while (next_name(&path, name)) {
        struct node *next;
        bool last = only_slashes(path);
        if (to_parent && last) {
            *out = n;
            return 0;
        }
        int err = step_below(w->root, n, name, &next);
        if (!err && next->link && (follow || !last || *path == '/'))
            err = follow_link(w, n, next, &next);
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

static int walk_from(struct node *start, const char *path, bool to_parent, bool follow,
                     struct node **out, struct name *name) {
    struct walk w = {.root = place_get(PLACE_ROOT)};
    int err = walk(&w, start_of(w.root, start, path), path, to_parent, follow, out, name);
    if (w.root)
        node_put(w.root);
    return err;
}

int path_lookup_from(struct node *start, const char *path, bool follow, struct node **out) {
    struct name last;
    return walk_from(start, path, false, follow, out, &last);
}

int path_lookup(const char *path, struct node **out) {
    return path_lookup_from(NULL, path, true, out);
}

int path_parent(struct node *start, const char *path, struct node **out, struct name *name) {
    int err = walk_from(start, path, true, true, out, name);
    return err == -K_ENOENT && *path == '/' && only_slashes(path) ? -K_EBUSY : err;
}

static int enter(enum proc_place which, struct node *n) {
    int err = node_must_be_dir(n);
    struct node *unused = err ? n : place_replace(which, n);
    if (unused)
        node_put(unused);
    return err;
}

int cwd_enter(struct node *n) { return enter(PLACE_CURRENT, n); }

int root_enter(struct node *n) {
    int err = enter(PLACE_ROOT, n);
    struct proc *p = proc_self();
    if (err)
        return err;
    spin_lock(&p->lock);
    p->program[0] = '\0';
    spin_unlock(&p->lock);
    return 0;
}
