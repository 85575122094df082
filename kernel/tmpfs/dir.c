/* Directories in memory. All their entries stand in one table, by directory and name, and each
 * directory has its own in a list. One spinlock guards both, and every change is a few links: so a
 * path is walked without waiting for anybody. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "tmpfs/tmpnode.h"
#include "vfs/listing.h"

#define NAME_LONGEST 255
#define MIX 0x9e3779b97f4a7c15ULL /* 2^64 / the golden ratio: spreads what it multiplies */
#define NAME_PER_RAM KIB(64)

/* A name, or the place of somebody who lists the directory: then node is NULL. */
struct entry {
    struct list order;
    struct entry *hash_next;
    struct tmpnode *dir;
    struct tmpnode *node; /* with a reference */
    uint64_t number;      /* grows along the list */
    uint8_t length;
    char name[];
};

static struct {
    struct spinlock
        lock; /* all entries, the counts of names, and parents; each has the references */
    struct entry **buckets;
    uint64_t mask;
    uint64_t last_number;
} tree = {.lock = SPINLOCK_INIT(RANK_TMP_TREE)};

static struct sleeplock moving = SLEEPLOCK_INIT(moving, RANK_TMP_RENAME);

int tmpdir_boot_init(uint64_t ram_bytes) {
    uint64_t n = 1024;
    while (n < ram_bytes / NAME_PER_RAM)
        n *= 2;
    tree.buckets = frame_boot_alloc(n * sizeof(*tree.buckets), sizeof(*tree.buckets));
    if (!tree.buckets)
        return -K_ENOMEM;
    memset(tree.buckets, 0, n * sizeof(*tree.buckets));
    tree.mask = n - 1;
    return 0;
}

/* ---- records of entries, by the length of the name ---- */

static struct slab sizes[] = {
    SLAB_INIT(sizes[0], sizeof(struct entry) + 24),
    SLAB_INIT(sizes[1], sizeof(struct entry) + 80),
    SLAB_INIT(sizes[2], sizeof(struct entry) + 256),
};

static struct slab *slab_for(size_t length) {
    struct slab *s = sizes;
    while (s->size - sizeof(struct entry) < length)
        s++;
    return s;
}

/* NULL: no memory. */
static struct entry *new_entry(const char *name, size_t length) {
    struct entry *e = slab_take(slab_for(length));
    if (!e)
        return NULL;
    *e = (struct entry){.length = (uint8_t)length};
    memcpy(e->name, name, length);
    return e;
}

static void free_entry(struct entry *e) { slab_give(slab_for(e->length), e); }

/* ---- the table ---- */

static struct entry **bucket_of(const struct tmpnode *dir, const char *name, size_t length) {
    uint64_t h = (uint64_t)dir;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (uint8_t)name[i]) * MIX;
    return &tree.buckets[h >> 32 & tree.mask];
}

/* The link in the table that leads to the name's entry, or to NULL. */
static struct entry **find_locked(const struct tmpnode *dir, const struct name *name) {
    ASSERT_LOCKED(&tree.lock);
    struct entry **link = bucket_of(dir, name->bytes, name->length);
    for (; *link; link = &(*link)->hash_next)
        if ((*link)->dir == dir && (*link)->length == name->length &&
            !memcmp((*link)->name, name->bytes, name->length))
            break;
    return link;
}

/* The name is free. */
static void insert_locked(struct tmpnode *dir, struct entry *e, struct tmpnode *node) {
    ASSERT_LOCKED(&tree.lock);
    struct entry **bucket = bucket_of(dir, e->name, e->length);
    e->dir = dir;
    e->node = node;
    e->number = ++tree.last_number;
    e->hash_next = *bucket;
    *bucket = e;
    list_push_back(&dir->dir.entries, &e->order);
    dir->dir.names++;
}

/* Takes out the entry that the link leads to. */
static struct entry *remove_locked(struct entry **link) {
    ASSERT_LOCKED(&tree.lock);
    struct entry *e = *link;
    *link = e->hash_next;
    list_remove(&e->order);
    e->dir->dir.names--;
    return e;
}

/* ---- names ---- */

static bool is_dot(const struct name *name) { return name->length == 1 && name->bytes[0] == '.'; }

static bool is_special(const struct name *name) { return is_dot(name) || name_is_dotdot(name); }

/* Whether a name may be looked for in what is a directory, as it should be. */
static int check(const struct tmpnode *dir, const struct name *name) {
    if (dir->type != NODE_DIR)
        return -K_ENOTDIR;
    return name->length > NAME_LONGEST ? -K_ENAMETOOLONG : 0;
}

/* With a reference; NULL: there is no such name. */
static struct tmpnode *look_locked(struct tmpnode *dir, const struct name *name) {
    ASSERT_LOCKED(&tree.lock);
    struct tmpnode *found = NULL;
    if (is_dot(name))
        found = dir;
    else if (name_is_dotdot(name))
        found = dir->dir.parent;
    else {
        struct entry *e = *find_locked(dir, name);
        found = e ? e->node : NULL;
    }
    if (found)
        tmpnode_get(found);
    return found;
}

int tmpdir_step(struct node *n, const struct name *name, struct node **out) {
    struct tmpnode *dir = tmpnode_of(n);
    int err = check(dir, name);
    if (err)
        return err;
    spin_lock(&tree.lock);
    struct tmpnode *found = look_locked(dir, name);
    spin_unlock(&tree.lock);
    if (!found)
        return -K_ENOENT;
    *out = &found->node;
    return 0;
}

/* ---- a name comes ---- */

static void count_names(struct tmpnode *node, int more) {
    ASSERT_LOCKED(&tree.lock);
    node->nlink += (uint32_t)more;
}

/* Gives node the name, in a directory that is there, and takes over a reference to node. */
static int enter_locked(struct tmpnode *dir, const struct name *name, struct entry *e,
                        struct tmpnode *node) {
    ASSERT_LOCKED(&tree.lock);
    if (!dir->dir.parent)
        return -K_ENOENT;
    if (*find_locked(dir, name))
        return -K_EEXIST;
    insert_locked(dir, e, node);
    count_names(node, 1);
    return 0;
}

static int enter(struct tmpnode *dir, const struct name *name, struct tmpnode *node) {
    int err = is_special(name) ? -K_EEXIST : check(dir, name);
    struct entry *e = err ? NULL : new_entry(name->bytes, name->length);
    if (err || !e)
        return err ? err : -K_ENOSPC;
    spin_lock(&tree.lock);
    err = enter_locked(dir, name, e, node);
    if (!err && node->type == NODE_DIR) {
        count_names(node, 1); /* its own "." */
        count_names(dir, 1);  /* and its ".." */
        node->dir.parent = dir;
        tmpnode_get(dir);
    }
    spin_unlock(&tree.lock);
    if (err)
        free_entry(e);
    else
        tmpnode_modified(dir);
    return err;
}

int tmpdir_make(struct node *n, const struct name *name, const struct node_kind *kind,
                struct node **out) {
    struct tmpnode *t = tmpnode_new(n->dev, kind);
    if (!t)
        return -K_ENOSPC;
    tmpnode_get(t); /* the name's */
    int err = enter(tmpnode_of(n), name, t);
    if (err) {
        tmpnode_put(t);
        tmpnode_put(t);
    } else {
        *out = &t->node;
    }
    return err;
}

int tmpdir_link(struct node *n, const struct name *name, struct node *old) {
    struct tmpnode *t = tmpnode_of(old);
    if (t->type == NODE_DIR)
        return -K_EPERM;
    tmpnode_get(t);
    int err = enter(tmpnode_of(n), name, t);
    if (err)
        tmpnode_put(t);
    return err;
}

/* ---- a name goes ---- */

/* Whether what the entry names may lose the name. */
static int may_go_locked(const struct entry *e) {
    ASSERT_LOCKED(&tree.lock);
    if (e->node->node.mounted)
        return -K_EBUSY;
    return e->node->type == NODE_DIR && e->node->dir.names > 0 ? -K_ENOTEMPTY : 0;
}

/* What an entry that was taken out leaves to be put. */
struct leaving {
    struct entry *entry;
    struct tmpnode *parent; /* of a directory that has lost its name */
};

static struct leaving leave_locked(struct entry **link) {
    ASSERT_LOCKED(&tree.lock);
    struct leaving l = {.entry = remove_locked(link)};
    struct tmpnode *t = l.entry->node;
    count_names(t, -1);
    if (t->type == NODE_DIR) {
        l.parent = t->dir.parent;
        t->dir.parent = NULL;
        count_names(t, -1);
        count_names(l.parent, -1);
    }
    return l;
}

static void finish_leaving(struct leaving *l) {
    if (!l->entry)
        return;
    tmpnode_put(l->entry->node);
    if (l->parent)
        tmpnode_put(l->parent);
    free_entry(l->entry);
}

int tmpdir_unlink(struct node *n, const struct name *name) {
    struct tmpnode *dir = tmpnode_of(n);
    struct leaving l = {0};
    int err = is_special(name) ? -K_EINVAL : check(dir, name);
    if (err)
        return err;
    spin_lock(&tree.lock);
    struct entry **link = find_locked(dir, name);
    err = *link ? may_go_locked(*link) : -K_ENOENT;
    if (!err)
        l = leave_locked(link);
    spin_unlock(&tree.lock);
    finish_leaving(&l);
    if (!err)
        tmpnode_modified(dir);
    return err;
}

/* ---- a name changes ---- */

/* Whether dir is t or below it. Parents stay while `moving` is held. */
static bool is_within(struct tmpnode *dir, const struct tmpnode *t) {
    for (;; dir = dir->dir.parent) {
        if (dir == t)
            return true;
        if (!dir->dir.parent || dir->dir.parent == dir)
            return false;
    }
}

/* Whether what `from` names may have the name of what `to` names, or a free one. */
static int may_move_locked(const struct entry *from, const struct entry *to,
                           struct tmpnode *to_dir) {
    ASSERT_LOCKED(&tree.lock);
    if (!to_dir->dir.parent)
        return -K_ENOENT;
    if (from->node->node.mounted)
        return -K_EBUSY;
    if (from->node->type == NODE_DIR && is_within(to_dir, from->node))
        return -K_EINVAL;
    if (to && to->node->type == NODE_DIR)
        return -K_EISDIR;
    if (to && from->node->type == NODE_DIR)
        return -K_ENOTDIR;
    return 0;
}

static void move_locked(struct entry **from, struct tmpnode *to_dir, struct entry *e,
                        struct leaving *old) {
    ASSERT_LOCKED(&tree.lock);
    old->entry = remove_locked(from);
    struct tmpnode *t = old->entry->node;
    tmpnode_get(t); /* the new name's */
    insert_locked(to_dir, e, t);
    if (t->type == NODE_DIR && t->dir.parent != to_dir) {
        old->parent = t->dir.parent;
        count_names(old->parent, -1);
        count_names(to_dir, 1);
        tmpnode_get(to_dir);
        t->dir.parent = to_dir;
    }
}

static int rename_locked(struct tmpnode *from, const struct name *old, struct tmpnode *to,
                         const struct name *new, struct entry **e, struct leaving gone[2]) {
    ASSERT_LOCKED(&tree.lock);
    struct entry **source = find_locked(from, old), **target = find_locked(to, new);
    if (!*source)
        return -K_ENOENT;
    if (*target && (*target)->node == (*source)->node)
        return 0;
    int err = may_move_locked(*source, *target, to);
    if (err)
        return err;
    if (*target)
        gone[0] = leave_locked(target);
    move_locked(find_locked(from, old), to, *e, &gone[1]);
    *e = NULL;
    return 0;
}

int tmpdir_rename(struct node *from_node, const struct name *old, struct node *to_node,
                  const struct name *new) {
    struct tmpnode *from = tmpnode_of(from_node), *to = tmpnode_of(to_node);
    struct leaving gone[2] = {0};
    int err = is_special(old) || is_special(new) ? -K_EINVAL : check(from, old);
    if (!err)
        err = check(to, new);
    struct entry *e = err ? NULL : new_entry(new->bytes, new->length);
    if (err || !e)
        return err ? err : -K_ENOSPC;
    sleeplock_acquire(&moving);
    spin_lock(&tree.lock);
    err = rename_locked(from, old, to, new, &e, gone);
    spin_unlock(&tree.lock);
    sleeplock_release(&moving);
    if (e)
        free_entry(e);
    finish_leaving(&gone[0]);
    finish_leaving(&gone[1]);
    if (!err) {
        tmpnode_modified(from);
        tmpnode_modified(to);
    }
    return err;
}

void tmpdir_destroy(struct tmpnode *t) {
    ASSERT(t->dir.names == 0);
    ASSERT(list_empty(&t->dir.entries));
}

/* ---- listing ---- */

/* An open directory: a place in its list, in front of what comes next, and how many of the two
 * names that do not stand in the list are passed. */
struct listing {
    struct entry place;
    unsigned passed;
};

static struct slab listings = SLAB_INIT(listings, sizeof(struct listing));

/* "." or "..". */
static struct listed special_locked(const struct tmpnode *dir, unsigned i) {
    ASSERT_LOCKED(&tree.lock);
    const struct tmpnode *up = dir->dir.parent, *t = i == 0 || !up ? dir : up;
    return (struct listed){.name = "..", .length = i + 1, .ino = t->ino, .type = NODE_DIR};
}

/* The entry that comes next, or NULL. */
static struct entry *next_locked(const struct listing *l, const struct tmpnode *dir) {
    ASSERT_LOCKED(&tree.lock);
    for (struct list *at = l->place.order.next; at != &dir->dir.entries; at = at->next) {
        struct entry *e = LIST_ENTRY(at, struct entry, order);
        if (e->node) /* no other's place */
            return e;
    }
    return NULL;
}

static bool list_one_locked(struct listing *l, const struct tmpnode *dir, list_emit_fn emit,
                            void *ctx) {
    ASSERT_LOCKED(&tree.lock);
    if (l->passed < 2) {
        struct listed special = special_locked(dir, l->passed);
        bool taken = emit(ctx, &special);
        l->passed += taken;
        return taken;
    }
    struct entry *e = next_locked(l, dir);
    if (!e)
        return false;
    struct listed found = {
        .name = e->name, .length = e->length, .ino = e->node->ino, .type = e->node->type};
    bool taken = emit(ctx, &found);
    if (taken)
        list_move_behind(&l->place.order, &e->order);
    return taken;
}

static struct listing *listing_of(struct file *f) { return f->place; }

static int list(struct file *f, list_emit_fn emit, void *ctx) {
    struct tmpnode *dir = f->object;
    spin_lock(&tree.lock);
    while (list_one_locked(listing_of(f), dir, emit, ctx))
        continue;
    spin_unlock(&tree.lock);
    return 0;
}

static int stat(struct file *f, struct abi_stat *st) {
    struct tmpnode *dir = f->object;
    return node_stat(&dir->node, st);
}

/* To the beginning, and nowhere else. */
static int seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    struct tmpnode *dir = f->object;
    struct listing *l = listing_of(f);
    if (offset || whence)
        return -K_EINVAL;
    spin_lock(&tree.lock);
    l->passed = 0;
    list_remove(&l->place.order);
    list_push_front(&dir->dir.entries, &l->place.order);
    spin_unlock(&tree.lock);
    *result = 0;
    return 0;
}

static int sync(struct file *f) { return 0; }

static struct node *node(const struct file *f) {
    struct tmpnode *dir = f->object;
    return &dir->node;
}

static void close(struct file *f) {
    struct listing *l = listing_of(f);
    spin_lock(&tree.lock);
    list_remove(&l->place.order);
    spin_unlock(&tree.lock);
    slab_give(&listings, l);
    tmpnode_put(f->object);
}

static const struct file_ops ops = {.read = listing_read,
                                    .list = list,
                                    .stat = stat,
                                    .seek = seek,
                                    .sync = sync,
                                    .node = node,
                                    .close = close};

int tmpdir_open(struct tmpnode *t, struct file *f) {
    struct listing *l = slab_take(&listings);
    if (!l)
        return -K_ENOMEM;
    *l = (struct listing){.passed = 0};
    spin_lock(&tree.lock);
    list_push_front(&t->dir.entries, &l->place.order);
    spin_unlock(&tree.lock);
    f->ops = &ops;
    f->object = t;
    f->place = l;
    return 0;
}
