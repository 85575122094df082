/* Names: from paths to directories, which change themselves. */
#include "vfs/names.h"
#include "lib/errno.h"
#include "vfs/mount.h"
#include "vfs/notes.h"

/* ---- create ---- */

/* A name that is there is told before that there can be no new one. */
static seldom int refuse_new(struct node *dir, const struct name *name) {
    struct node *n;
    int err = path_step(dir, name, &n);
    if (!err)
        node_put(n);
    return err == -K_ENOENT ? -K_EROFS : err ? err : -K_EEXIST;
}

static int make_in(struct node *dir, const struct name *name, const struct node_kind *kind,
                   struct node **out) {
    int err = mount_forbids(dir, MOUNT_READ_ONLY) ? refuse_new(dir, name)
                                                  : dir->ops->make(dir, name, kind, out);
    if (notes_any() && !err)
        notes_made(dir, name, kind->type == NODE_DIR);
    return err;
}

/* Of a name that is to be new. -K_EEXIST: it is the root. */
static int parent_of_new(struct node *start, const char *path, struct node **dir,
                         struct name *name) {
    int err = path_parent(start, path, dir, name);
    return err == -K_EBUSY ? -K_EEXIST : err;
}

/* What is there already, if open(O_CREATE) takes it. */
static int existing(struct node *dir, const struct name *name, struct node **out) {
    struct node_attr a;
    int err = path_step(dir, name, out);
    if (err)
        return err;
    err = (*out)->ops->attr(*out, &a);
    if (!err && a.type == NODE_DIR)
        err = -K_EEXIST;
    if (err)
        node_put(*out);
    return err;
}

/* Somebody else may create or remove the name between the two looks: again. */
static int find_or_make(struct node *dir, const struct name *name, const struct node_kind *kind,
                        struct node **out) {
    int err;
    do {
        err = existing(dir, name, out);
        if (err == -K_ENOENT)
            err = make_in(dir, name, kind, out);
        else
            break;
    } while (err == -K_EEXIST);
    return err;
}

/* A link is there: what it leads to is found or made, in the directory that is in the place of
 * *dir then. Its reference to the link is given back. */
static int find_or_make_behind(struct node **dir, struct node *link, const struct node_kind *kind,
                               struct node **out) {
    struct name name;
    struct node *behind;
    int err = parent_of_new(*dir, link->ops->target(link), &behind, &name);
    if (!err) {
        node_put(*dir);
        *dir = behind;
        err = find_or_make(behind, &name, kind, out);
    }
    node_put(link);
    return err;
}

static int find_or_create(struct node **dir, const struct name *name, const struct node_kind *kind,
                          struct node **out) {
    unsigned links = 0;
    int err = find_or_make(*dir, name, kind, out);
    for (; !err && (*out)->link && links < PATH_LINKS; links++)
        err = find_or_make_behind(dir, *out, kind, out);
    if (!err && (*out)->link) {
        node_put(*out);
        err = -K_ELOOP;
    }
    return err;
}

/* In the directory of the path, which a link as the last name may change. */
static int create(struct node *start, const char *path, const struct node_kind *kind, bool is_new,
                  struct node **out) {
    struct name name;
    struct node *dir;
    int err = parent_of_new(start, path, &dir, &name);
    if (err)
        return err == -K_EEXIST && !is_new ? -K_EISDIR : err;
    err = is_new ? make_in(dir, &name, kind, out) : find_or_create(&dir, &name, kind, out);
    node_put(dir);
    return err;
}

int names_create(struct node *start, const char *path, const struct node_kind *kind,
                 struct node **out) {
    return create(start, path, kind, false, out);
}

int names_create_new(struct node *start, const char *path, const struct node_kind *kind,
                     struct node **out) {
    return create(start, path, kind, true, out);
}

int names_make(struct node *start, const char *path, const struct node_kind *kind) {
    struct node *n;
    int err = names_create_new(start, path, kind, &n);
    if (!err)
        node_put(n);
    return err;
}

/* ---- link, unlink, rename ---- */

int names_link_node(struct node *old, struct node *start, const char *new) {
    struct name name;
    struct node *dir;
    int err = parent_of_new(start, new, &dir, &name);
    if (err)
        return err;
    err = dir->dev != old->dev                  ? -K_EXDEV
          : mount_forbids(dir, MOUNT_READ_ONLY) ? refuse_new(dir, &name)
                                                : dir->ops->link(dir, &name, old);
    if (notes_any() && !err) {
        notes_made(dir, &name, false);
        notes_tell(old, NOTE_ATTRIB, 0, NULL);
    }
    node_put(dir);
    return err;
}

int names_link(struct node *from, const char *old, struct node *to, const char *new) {
    struct node *n;
    int err = path_lookup_from(from, old, false, &n);
    if (err)
        return err;
    err = names_link_node(n, to, new);
    node_put(n);
    return err;
}

int names_remove(struct node *dir, const struct name *name) {
    struct notes_name gone = {.node = NULL};
    if (notes_any())
        notes_name_begin(&gone, dir, name);
    int err = mount_forbids(dir, MOUNT_READ_ONLY) ? -K_EROFS : dir->ops->unlink(dir, name);
    notes_name_end(&gone, dir, name, !err, false);
    return err;
}

int names_unlink(struct node *start, const char *path) {
    struct name name;
    struct node *dir;
    int err = path_parent(start, path, &dir, &name);
    if (err)
        return err;
    err = names_remove(dir, &name);
    node_put(dir);
    return err;
}

/* Both directories are of the same file system. */
static int rename_in(struct node *from, const struct name *old, struct node *to,
                     const struct name *new, bool fresh) {
    struct notes_name moved = {.node = NULL}, replaced = {.node = NULL};
    if (notes_any()) {
        notes_name_begin(&moved, from, old);
        notes_name_begin(&replaced, to, new);
    }
    int err = mount_forbids(from, MOUNT_READ_ONLY) ? -K_EROFS
                                                   : from->ops->rename(from, old, to, new, fresh);
    bool done = !err && moved.node != replaced.node; /* else nothing has happened */
    notes_moved(&moved, from, old, to, new, done);
    notes_name_end(&replaced, to, new, done, true);
    return err;
}

int names_rename(struct node *from_dir, const char *from, struct node *to_dir, const char *to,
                 bool fresh) {
    struct name old, new;
    struct node *old_dir, *new_dir;
    int err = path_parent(from_dir, from, &old_dir, &old);
    if (err)
        return err;
    err = path_parent(to_dir, to, &new_dir, &new);
    if (!err) {
        err = old_dir->dev == new_dir->dev ? rename_in(old_dir, &old, new_dir, &new, fresh)
                                           : -K_EXDEV;
        node_put(new_dir);
    }
    node_put(old_dir);
    return err;
}
