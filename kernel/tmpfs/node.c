/* Nodes of the file system in memory. */
#include "dev/devices.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "proc/clock.h"
#include "tmpfs/tmpnode.h"
#include "vfs/open.h"

static struct slab records = SLAB_INIT(records, sizeof(struct tmpnode));
static struct slab supers = SLAB_INIT(supers, sizeof(struct tmpsuper));
static struct slab targets = SLAB_INIT(targets, TMPFS_TARGET);
static uint32_t last_ino;

/* ---- references ---- */

void tmpnode_hold(struct tmpnode *t) { __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED); }

void tmpnode_drop(struct tmpnode *t) {
    if (__atomic_fetch_sub(&t->refs, 1, __ATOMIC_ACQ_REL) > 1)
        return;
    if (t->type == NODE_FILE)
        tmpfile_destroy(t);
    else if (t->type == NODE_DIR)
        tmpdir_destroy(t);
    else if (t->type == NODE_LINK)
        slab_give(&targets, t->target);
    slab_give(&records, t);
}

static void end_super(struct tmpsuper *s) {
    tmpdir_empty(s->root);
    tmpnode_drop(s->root);
    slab_give(&supers, s);
}

void tmpnode_get(struct tmpnode *t) {
    __atomic_fetch_add(&t->super->outside, 1, __ATOMIC_RELAXED);
    tmpnode_hold(t);
}

void tmpnode_put(struct tmpnode *t) {
    struct tmpsuper *s = t->super;
    tmpnode_drop(t);
    if (__atomic_fetch_sub(&s->outside, 1, __ATOMIC_ACQ_REL) == 1 && s->root)
        end_super(s);
}

static void get(struct node *n) { tmpnode_get(tmpnode_of(n)); }
static void put(struct node *n) { tmpnode_put(tmpnode_of(n)); }

/* ---- attributes ---- */

static void note_time(uint64_t *time, uint64_t value) {
    __atomic_store_n(time, value, __ATOMIC_RELAXED);
}
static uint64_t time_of(const uint64_t *time) { return __atomic_load_n(time, __ATOMIC_RELAXED); }

void tmpnode_modified(struct tmpnode *t) {
    uint64_t now = clock_date();
    note_time(&t->modified, now);
    note_time(&t->changed, now);
}

static uint64_t size_of(const struct tmpnode *t) {
    if (t->type == NODE_FILE)
        return __atomic_load_n(&t->file.size, __ATOMIC_RELAXED);
    if (t->type == NODE_DIR)
        return __atomic_load_n(&t->dir.names, __ATOMIC_RELAXED);
    return t->type == NODE_LINK ? strlen(t->target) : 0;
}

static int attr(struct node *n, struct node_attr *a) {
    const struct tmpnode *t = tmpnode_of(n);
    uint64_t pages = t->type == NODE_FILE ? __atomic_load_n(&t->file.held, __ATOMIC_RELAXED) : 0;
    *a = (struct node_attr){
        .dev = n->dev,
        .ino = t->ino,
        .nlink = __atomic_load_n(&t->nlink, __ATOMIC_RELAXED),
        .uid = t->uid,
        .gid = t->gid,
        .type = t->type,
        .major = t->major,
        .minor = t->minor,
        .mode = t->mode,
        .size = size_of(t),
        .blocks = pages * (PAGE_SIZE / 512),
        .accessed = time_of(&t->accessed),
        .modified = time_of(&t->modified),
        .changed = time_of(&t->changed),
    };
    return 0;
}

static int set_attr(struct node *n, unsigned which, const struct node_attr *a) {
    struct tmpnode *t = tmpnode_of(n);
    if (which & NODE_SET_MODE)
        t->mode = a->mode;
    if (which & NODE_SET_OWNER) {
        t->uid = a->uid;
        t->gid = a->gid;
    }
    if (which & NODE_SET_ACCESSED)
        note_time(&t->accessed, a->accessed);
    if (which & NODE_SET_MODIFIED)
        note_time(&t->modified, a->modified);
    note_time(&t->changed, clock_date());
    return 0;
}

#define TMPFS_MAGIC 0x01021994

/* It takes what memory there is. */
static void space(struct node *n, struct node_space *s) {
    struct frame_stats frames;
    frame_stats(&frames);
    *s = (struct node_space){.magic = TMPFS_MAGIC,
                             .block_bytes = PAGE_SIZE,
                             .blocks = frames.total,
                             .blocks_free = frames.free,
                             .name_bytes = 255};
}

static void use(struct node *n, struct node_use *u) {
    const struct tmpsuper *s = tmpnode_of(n)->super;
    u->refs = __atomic_load_n(&s->outside, __ATOMIC_ACQUIRE);
    u->writers = __atomic_load_n(&s->writers, __ATOMIC_SEQ_CST);
}

/* ---- open ---- */

static int open(struct node *n, uint32_t mode, struct file *f) {
    struct tmpnode *t = tmpnode_of(n);
    if (t->type == NODE_FILE)
        return tmpfile_open(t, mode, f);
    if (t->type == NODE_DIR)
        return open_for_writing(mode) || (mode & (ABI_O_CREATE | ABI_O_TRUNC)) ? -K_EISDIR
                                                                               : tmpdir_open(t, f);
    if (t->type == NODE_FIFO)
        return fifo_open(&t->fifo, n, f);
    if (!node_is_device(t->type))
        return -K_ENXIO;
    const struct chardev_ops *device = t->type == NODE_BLOCK ? device_find_block(t->major, t->minor)
                                                             : device_find(t->major, t->minor);
    return device ? devfile_open(f, n, device) : -K_ENXIO;
}

static struct fifo *fifo(struct node *n) { return &tmpnode_of(n)->fifo; }
static const char *target(struct node *n) { return tmpnode_of(n)->target; }

static const struct node_ops tmpnode_ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .set_attr = set_attr,
    .space = space,
    .use = use,
    .open = open,
    .program = &tmpfile_program,
    .fifo = fifo,
    .target = target,
    .step = tmpdir_step,
    .make = tmpdir_make,
    .make_unnamed = tmpdir_make_unnamed,
    .link = tmpdir_link,
    .unlink = tmpdir_unlink,
    .rename = tmpdir_rename,
};

/* ---- new ones ---- */

static bool copy_target(struct tmpnode *t, const char *target) {
    t->target = slab_take(&targets);
    if (t->target)
        str_copy(t->target, target, TMPFS_TARGET);
    return t->target;
}

struct tmpnode *tmpnode_new(struct tmpsuper *super, uint32_t dev, const struct node_kind *kind) {
    struct tmpnode *t = slab_take(&records);
    if (!t)
        return NULL;
    *t = (struct tmpnode){
        .node = {.ops = &tmpnode_ops, .dev = dev, .link = kind->type == NODE_LINK},
        .super = super,
        .refs = 1,
        .ino = __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED),
        .type = kind->type,
        .mode = kind->mode,
        .major = kind->major,
        .minor = kind->minor,
    };
    t->accessed = t->modified = t->changed = clock_date();
    if (t->type == NODE_FILE)
        tmpfile_init(t);
    if (t->type == NODE_DIR)
        list_init(&t->dir.entries);
    if (t->type == NODE_LINK && !copy_target(t, kind->target)) {
        slab_give(&records, t);
        return NULL;
    }
    __atomic_fetch_add(&super->outside, 1, __ATOMIC_RELAXED);
    return t;
}

int tmpfs_create(uint32_t dev, uint16_t mode, struct node **root) {
    const struct node_kind kind = {.type = NODE_DIR, .mode = mode};
    struct tmpsuper *s = slab_take(&supers);
    if (!s)
        return -K_ENOMEM;
    *s = (struct tmpsuper){.root = NULL};
    struct tmpnode *t = tmpnode_new(s, dev, &kind);
    if (!t) {
        slab_give(&supers, s);
        return -K_ENOMEM;
    }
    tmpnode_hold(t);
    s->root = t;
    t->nlink = 2;
    t->dir.parent = t;
    *root = &t->node;
    return 0;
}

int tmpfs_boot_init(uint64_t ram_bytes) { return tmpdir_boot_init(ram_bytes); }
