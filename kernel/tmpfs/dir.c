/* Directories in memory. All their entries stand in one table, by directory and name, and each
 * directory has its own in a list. One spinlock guards both, and every change is a few links: so a
 * path is walked without waiting for anybody. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/pieces.h"
#include "mm/slab.h"
#include "tmpfs/entry.h"

#define NAME_LONGEST 255
#define MIX 0x9e3779b97f4a7c15ULL /* 2^64 / the golden ratio: spreads what it multiplies */
#define NAME_PER_RAM KIB(16)
#define BUCKETS_MOST 65536UL /* clearing more of them takes longer than a boot may */

struct tmptree tmptree = {.lock = SPINLOCK_INIT(RANK_TMP_TREE)};

/* Who gives a directory another parent. One that has lost its name has none, with or without. */
static struct sleeplock moving = SLEEPLOCK_INIT(moving, RANK_TMP_RENAME);

int tmpdir_boot_init(uint64_t ram_bytes) {
    uint64_t n = 1024;
    while (n < MIN(ram_bytes / NAME_PER_RAM, BUCKETS_MOST))
        n *= 2;
    size_t bytes = n * sizeof(struct entry *);
    tmptree.buckets = frame_boot_alloc(bytes, sizeof(struct entry *));
    if (!tmptree.buckets)
        return -K_ENOMEM;
    memset(tmptree.buckets, 0, bytes);
    tmptree.mask = n - 1;
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
    return &tmptree.buckets[h >> 32 & tmptree.mask];
}

/* The link in the table that leads to the name's entry, or to NULL. */
static struct entry **find_locked(const struct tmpnode *dir, const struct name *name) {
    ASSERT_LOCKED(&tmptree.lock);
    struct entry **link = bucket_of(dir, name->bytes, name->length);
    for (; *link; link = &(*link)->hash_next)
        if ((*link)->dir == dir && (*link)->length == name->length &&
            !memcmp((*link)->name, name->bytes, name->length))
            break;
    return link;
}

/* The name is free. */
static void insert_locked(struct tmpnode *dir, struct entry *e, struct tmpnode *node) {
    ASSERT_LOCKED(&tmptree.lock);
    struct entry **bucket = bucket_of(dir, e->name, e->length);
    e->dir = dir;
    e->node = node;
    e->hash_next = *bucket;
    *bucket = e;
    list_push_back(&dir->dir.entries, &e->order);
    dir->dir.names++;
}

/* Takes out the entry that the link leads to. */
static struct entry *remove_locked(struct entry **link) {
    ASSERT_LOCKED(&tmptree.lock);
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
    ASSERT_LOCKED(&tmptree.lock);
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
    spin_lock(&tmptree.lock);
    struct tmpnode *found = look_locked(dir, name);
    spin_unlock(&tmptree.lock);
    if (!found)
        return -K_ENOENT;
    *out = &found->node;
    return 0;
}

/* ---- a name comes ---- */

static void count_names(struct tmpnode *node, int more) {
    ASSERT_LOCKED(&tmptree.lock);
    node->nlink += (uint32_t)more;
}

/* Gives node the name, in a directory that is there, and takes over a reference to node. */
static int enter_locked(struct tmpnode *dir, const struct name *name, struct entry *e,
                        struct tmpnode *node, bool has_other) {
    ASSERT_LOCKED(&tmptree.lock);
    if (!dir->dir.parent || (has_other && node->nlink == 0 && !node->linkable))
        return -K_ENOENT;
    if (is_special(name) || *find_locked(dir, name))
        return -K_EEXIST;
    insert_locked(dir, e, node);
    count_names(node, 1);
    node->linkable = false; /* once that has gone, it is removed as any other */
    return 0;
}

/* has_other: node should have a name, and may have lost it since it was found. */
static int enter(struct tmpnode *dir, const struct name *name, struct tmpnode *node,
                 bool has_other) {
    int err = check(dir, name);
    struct entry *e = err ? NULL : new_entry(name->bytes, name->length);
    if (err || !e)
        return err ? err : -K_ENOSPC;
    spin_lock(&tmptree.lock);
    err = enter_locked(dir, name, e, node, has_other);
    if (!err && node->type == NODE_DIR) {
        count_names(node, 1); /* its own "." */
        count_names(dir, 1);  /* and its ".." */
        node->dir.parent = dir;
        tmpnode_hold(dir);
    }
    spin_unlock(&tmptree.lock);
    if (err)
        free_entry(e);
    else
        tmpnode_modified(dir);
    return err;
}

int tmpdir_make(struct node *n, const struct name *name, const struct node_kind *kind,
                struct node **out) {
    struct tmpnode *t = tmpnode_new(tmpnode_of(n)->super, n->dev, kind);
    if (!t)
        return -K_ENOSPC;
    tmpnode_hold(t); /* the name's */
    int err = enter(tmpnode_of(n), name, t, false);
    if (err) {
        tmpnode_drop(t);
        tmpnode_put(t);
    } else {
        *out = &t->node;
    }
    return err;
}

int tmpdir_make_unnamed(struct node *dir, uint16_t mode, bool linkable, struct node **out) {
    const struct node_kind kind = {.type = NODE_FILE, .mode = mode};
    struct tmpnode *t = tmpnode_new(tmpnode_of(dir)->super, dir->dev, &kind);
    if (!t)
        return -K_ENOSPC;
    t->linkable = linkable;
    *out = &t->node;
    return 0;
}

int tmpdir_link(struct node *n, const struct name *name, struct node *old) {
    struct tmpnode *t = tmpnode_of(old);
    if (t->type == NODE_DIR)
        return -K_EPERM;
    tmpnode_hold(t);
    int err = enter(tmpnode_of(n), name, t, true);
    if (err)
        tmpnode_drop(t);
    return err;
}

/* ---- a name goes ---- */

/* Whether what the entry names may lose the name. */
static int may_go_locked(const struct entry *e) {
    ASSERT_LOCKED(&tmptree.lock);
    if (node_has_mount(&e->node->node))
        return -K_EBUSY;
    return e->node->type == NODE_DIR && e->node->dir.names > 0 ? -K_ENOTEMPTY : 0;
}

/* What an entry that was taken out leaves to be put. */
struct leaving {
    struct entry *entry;
    struct tmpnode *parent; /* of a directory that has lost its name */
};

static struct leaving leave_locked(struct entry **link) {
    ASSERT_LOCKED(&tmptree.lock);
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
    tmpnode_drop(l->entry->node);
    if (l->parent)
        tmpnode_drop(l->parent);
    free_entry(l->entry);
}

int tmpdir_unlink(struct node *n, const struct name *name) {
    struct tmpnode *dir = tmpnode_of(n);
    struct leaving l = {0};
    int err = is_special(name) ? -K_EINVAL : check(dir, name);
    if (err)
        return err;
    spin_lock(&tmptree.lock);
    struct entry **link = find_locked(dir, name);
    err = *link ? may_go_locked(*link) : -K_ENOENT;
    if (!err)
        l = leave_locked(link);
    spin_unlock(&tmptree.lock);
    finish_leaving(&l);
    if (!err)
        tmpnode_modified(dir);
    return err;
}

/* ---- a name changes ---- */

/* From a directory, whose reference it takes over, up to t, or as far as the lock may be held: with
 * a reference. NULL: there is nothing above. */
static struct tmpnode *climb(struct tmpnode *dir, const struct tmpnode *t) {
    struct tmpnode *at = dir;
    spin_lock(&tmptree.lock);
    for (unsigned i = 0; i < TMPTREE_AT_ONCE && at && at != t; i++)
        at = at->dir.parent == at ? NULL : at->dir.parent;
    if (at)
        tmpnode_get(at);
    spin_unlock(&tmptree.lock);
    tmpnode_put(dir);
    return at;
}

/* Whether dir is t or below it. Parents stay while `moving` is held, but for those of directories
 * that are removed meanwhile: they were empty, so dir has been removed before. */
static bool is_within(struct tmpnode *dir, const struct tmpnode *t) {
    ASSERT_SLEEPLOCKED(&moving);
    tmpnode_get(dir);
    while (dir && dir != t) {
        dir = climb(dir, t);
        piece_done(TMPTREE_AT_ONCE);
    }
    if (dir)
        tmpnode_put(dir);
    return dir;
}

/* Whether what `from` names may have the name of what `to` names, or a free one. checked: the
 * directory that is known not to be above to_dir; -K_EAGAIN: it is another one now. */
static int may_move_locked(const struct entry *from, const struct entry *to, struct tmpnode *to_dir,
                           const struct tmpnode *checked) {
    ASSERT_LOCKED(&tmptree.lock);
    if (!to_dir->dir.parent)
        return -K_ENOENT;
    if (node_has_mount(&from->node->node))
        return -K_EBUSY;
    if (from->node->type == NODE_DIR && from->dir != to_dir && from->node != checked)
        return -K_EAGAIN;
    if (!to)
        return 0;
    bool is_dir = to->node->type == NODE_DIR;
    if (is_dir != (from->node->type == NODE_DIR))
        return is_dir ? -K_EISDIR : -K_ENOTDIR;
    return may_go_locked(to);
}

static void move_locked(struct entry **from, struct tmpnode *to_dir, struct entry *e,
                        struct leaving *old) {
    ASSERT_LOCKED(&tmptree.lock);
    old->entry = remove_locked(from);
    struct tmpnode *t = old->entry->node;
    tmpnode_hold(t); /* the new name's */
    insert_locked(to_dir, e, t);
    if (t->type == NODE_DIR && t->dir.parent != to_dir) {
        old->parent = t->dir.parent;
        count_names(old->parent, -1);
        count_names(to_dir, 1);
        tmpnode_hold(to_dir);
        t->dir.parent = to_dir;
    }
}

/* One name for another. */
struct renaming {
    struct tmpnode *from, *to;
    const struct name *old, *new;
    bool fresh;             /* the new name is to be free */
    struct entry *entry;    /* the new one's, until it is used */
    struct leaving gone[2]; /* what it replaces, and the old name */
};

static int rename_locked(struct renaming *r, const struct tmpnode *checked) {
    ASSERT_LOCKED(&tmptree.lock);
    struct entry **source = find_locked(r->from, r->old), **target = find_locked(r->to, r->new);
    if (!*source)
        return -K_ENOENT;
    if (*target && r->fresh)
        return -K_EEXIST;
    if (*target && (*target)->node == (*source)->node)
        return 0;
    int err = may_move_locked(*source, *target, r->to, checked);
    if (err)
        return err;
    if (*target)
        r->gone[0] = leave_locked(target);
    move_locked(find_locked(r->from, r->old), r->to, r->entry, &r->gone[1]);
    r->entry = NULL;
    return 0;
}

/* The directory that gets another parent, with a reference. NULL: none does. */
static struct tmpnode *moving_directory(const struct renaming *r) {
    if (r->from == r->to)
        return NULL;
    spin_lock(&tmptree.lock);
    struct entry *e = *find_locked(r->from, r->old);
    struct tmpnode *dir = e && e->node->type == NODE_DIR ? e->node : NULL;
    if (dir)
        tmpnode_get(dir);
    spin_unlock(&tmptree.lock);
    return dir;
}

static int try_rename(struct renaming *r) {
    struct tmpnode *dir = moving_directory(r);
    int err = dir && is_within(r->to, dir) ? -K_EINVAL : 0;
    if (!err) {
        spin_lock(&tmptree.lock);
        err = rename_locked(r, dir);
        spin_unlock(&tmptree.lock);
    }
    if (dir)
        tmpnode_put(dir);
    return err;
}

int tmpdir_rename(struct node *from_node, const struct name *old, struct node *to_node,
                  const struct name *new, bool fresh) {
    struct renaming r = {tmpnode_of(from_node), tmpnode_of(to_node), old, new, .fresh = fresh};
    int err = is_special(old) || is_special(new) ? -K_EINVAL : check(r.from, old);
    if (!err)
        err = check(r.to, new);
    r.entry = err ? NULL : new_entry(new->bytes, new->length);
    if (err || !r.entry)
        return err ? err : -K_ENOSPC;
    sleeplock_acquire(&moving);
    do
        err = try_rename(&r);
    while (err == -K_EAGAIN);
    sleeplock_release(&moving);
    if (r.entry) {
        free_entry(r.entry);
        return err;
    }
    finish_leaving(&r.gone[0]);
    finish_leaving(&r.gone[1]);
    tmpnode_modified(r.from);
    tmpnode_modified(r.to);
    return 0;
}

void tmpdir_destroy(struct tmpnode *t) {
    ASSERT(t->dir.names == 0);
    ASSERT(list_empty(&t->dir.entries));
}

/* ---- the end of all names ---- */

/* The next step of tmpdir_empty in dir: down into a folder, up from an empty one, or a name goes.
 * NULL: the root is empty. Nobody lists anything here, so all entries are names. */
static struct tmpnode *empty_some(struct tmpnode *dir, const struct tmpnode *root,
                                  struct leaving *l) {
    spin_lock(&tmptree.lock);
    struct tmpnode *next = dir == root ? NULL : dir->dir.parent;
    if (!list_empty(&dir->dir.entries)) {
        const struct entry *e = LIST_ENTRY(dir->dir.entries.next, struct entry, order);
        const struct name name = {e->name, e->length};
        bool folder = e->node->type == NODE_DIR && e->node->dir.names > 0;
        next = folder ? e->node : dir;
        if (!folder)
            *l = leave_locked(find_locked(dir, &name));
    }
    spin_unlock(&tmptree.lock);
    return next;
}

void tmpdir_empty(struct tmpnode *root) {
    for (struct tmpnode *dir = root; dir;) {
        struct leaving l = {0};
        dir = empty_some(dir, root, &l);
        finish_leaving(&l);
        piece_done(1);
    }
}
