/* A directory in memory as an open file: its names, one after the other. */
#include "lib/errno.h"
#include "mm/pieces.h"
#include "mm/slab.h"
#include "tmpfs/entry.h"
#include "vfs/listing.h"

/* An open directory: how many of the two names that do not stand in its list are passed, and a
 * place in the list, in front of what comes next. */
struct listing {
    unsigned passed;
    struct entry place; /* last: an entry ends in its name, of which a place has none */
};

static struct slab listings = SLAB_INIT(listings, sizeof(struct listing));

/* "." or "..". */
static struct listed special_locked(const struct tmpnode *dir, unsigned i) {
    ASSERT_LOCKED(&tmptree.lock);
    const struct tmpnode *up = dir->dir.parent, *t = i == 0 || !up ? dir : up;
    return (struct listed){.name = "..", .length = i + 1, .ino = t->ino, .type = NODE_DIR};
}

/* The next link: a name, which may be taken, or another's place, which is passed. False: it ends
 * here. */
static bool list_one_locked(struct listing *l, const struct tmpnode *dir, list_emit_fn emit,
                            void *ctx) {
    ASSERT_LOCKED(&tmptree.lock);
    if (l->passed < 2) {
        struct listed special = special_locked(dir, l->passed);
        bool taken = emit(ctx, &special);
        l->passed += taken;
        return taken;
    }
    struct entry *e = LIST_ENTRY(l->place.order.next, struct entry, order);
    if (&e->order == &dir->dir.entries)
        return false;
    if (e->node) {
        struct listed found = {
            .name = e->name, .length = e->length, .ino = e->node->ino, .type = e->node->type};
        if (!emit(ctx, &found))
            return false;
    }
    list_move_behind(&l->place.order, &e->order);
    return true;
}

static bool list_some(struct listing *l, const struct tmpnode *dir, list_emit_fn emit, void *ctx) {
    bool more = true;
    spin_lock(&tmptree.lock);
    for (unsigned i = 0; i < TMPTREE_AT_ONCE && more; i++)
        more = list_one_locked(l, dir, emit, ctx);
    spin_unlock(&tmptree.lock);
    piece_done(TMPTREE_AT_ONCE);
    return more;
}

static struct listing *listing_of(struct file *f) { return f->place; }

static int list(struct file *f, list_emit_fn emit, void *ctx) {
    while (list_some(listing_of(f), f->object, emit, ctx))
        continue;
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
    spin_lock(&tmptree.lock);
    l->passed = 0;
    list_remove(&l->place.order);
    list_push_front(&dir->dir.entries, &l->place.order);
    spin_unlock(&tmptree.lock);
    *result = 0;
    return 0;
}

static int sync(struct file *f) { return 0; }

static void close(struct file *f) {
    struct listing *l = listing_of(f);
    spin_lock(&tmptree.lock);
    list_remove(&l->place.order);
    spin_unlock(&tmptree.lock);
    slab_give(&listings, l);
    tmpnode_put(f->object);
}

static struct node *node(const struct file *f) {
    struct tmpnode *dir = f->object;
    return &dir->node;
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
    spin_lock(&tmptree.lock);
    list_push_front(&t->dir.entries, &l->place.order);
    spin_unlock(&tmptree.lock);
    f->ops = &ops;
    f->object = t;
    f->place = l;
    return 0;
}
