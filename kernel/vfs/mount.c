/* The mount table: see mount.h. */
#include "vfs/mount.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/sleeplock.h"
#include "sync/spinlock.h"
#include "vfs/path.h"

struct mount {
    struct node *root; /* with a reference; NULL: the place is free */
    struct node *dir;  /* the same; NULL: it is the root of all */
    unsigned forbids;
    const char *type;
    char source[MOUNT_SOURCE];
};

static struct {
    struct spinlock lock;
    struct mount mount[MOUNTS_MAX];
} table = {.lock = SPINLOCK_INIT(RANK_MOUNTS)};

uint32_t mounts_that_forbid;

/* ---- types ---- */

static struct mount_type *types;

void mount_type_add(struct mount_type *type) {
    struct mount_type **link = &types;
    while (*link && *link != type)
        link = &(*link)->next;
    *link = type;
}

const struct mount_type *mount_type_next(const struct mount_type *type) {
    return type ? type->next : types;
}

static const struct mount_type *type_named(const char *name) {
    const struct mount_type *type = types;
    while (type && strcmp(type->name, name))
        type = type->next;
    return type;
}

#define DEV_FIRST 16 /* below it are those that are there from boot */

uint32_t mount_new_dev(void) {
    static uint32_t last = DEV_FIRST;
    return __atomic_fetch_add(&last, 1, __ATOMIC_RELAXED);
}

/* ---- the table ---- */

/* NULL: there is none; root NULL: a free place. */
static struct mount *find_locked(const struct node *root) {
    ASSERT_LOCKED(&table.lock);
    for (unsigned i = 0; i < MOUNTS_MAX; i++)
        if (table.mount[i].root == root)
            return &table.mount[i];
    return NULL;
}

static struct mount *of_dev_locked(uint32_t dev) {
    ASSERT_LOCKED(&table.lock);
    for (unsigned i = 0; i < MOUNTS_MAX; i++)
        if (table.mount[i].root && table.mount[i].root->dev == dev)
            return &table.mount[i];
    return NULL;
}

static void set_forbids_locked(struct mount *m, unsigned forbids) {
    ASSERT_LOCKED(&table.lock);
    uint32_t n = mounts_that_forbid + (forbids != 0) - (m->forbids != 0);
    m->forbids = forbids;
    __atomic_store_n(&mounts_that_forbid, n, __ATOMIC_SEQ_CST);
}

seldom unsigned mount_forbidden(const struct node *n) {
    spin_lock(&table.lock);
    const struct mount *m = of_dev_locked(n->dev);
    unsigned forbids = m ? m->forbids : 0;
    spin_unlock(&table.lock);
    return forbids;
}

bool mount_is_root(const struct node *n) {
    spin_lock(&table.lock);
    bool is_root = find_locked(n);
    spin_unlock(&table.lock);
    return is_root;
}

/* ---- adding ---- */

static int add_locked(struct node *dir, struct node *root, const char *type, const char *source,
                      unsigned forbids) {
    ASSERT_LOCKED(&table.lock);
    if (find_locked(root) || (dir && (dir->mounted || dir == node_root())))
        return -K_EBUSY;
    /* What is in no mount is not in the tree: nobody could find what is mounted there. */
    if (dir && dir->dev != node_root()->dev && !of_dev_locked(dir->dev))
        return -K_EINVAL;
    if (dir && dir->ops->passing && !dir->under)
        return -K_EINVAL;
    struct mount *m = find_locked(NULL);
    if (!m)
        return -K_ENOSPC;
    *m = (struct mount){.root = root, .dir = dir ? node_get(dir) : NULL, .type = type};
    memcpy(m->source, source, strnlen(source, sizeof(m->source) - 1)); /* the rest is zero */
    set_forbids_locked(m, forbids);
    if (dir) {
        __atomic_store_n(&root->under, dir, __ATOMIC_RELAXED);
        __atomic_store_n(&dir->mounted, root, __ATOMIC_SEQ_CST);
    }
    return 0;
}

/* Whether the directory has been removed: then nothing is above it. Who removes one looks whether
 * something is mounted there, and we look after it is: one of the two sees the other. */
static int must_have_name(struct node *dir) {
    static const struct name dotdot = {"..", 2};
    struct node *up;
    int err = dir->ops->step(dir, &dotdot, &up);
    if (!err)
        node_put(up);
    return err;
}

/* Its place is free from here on; what it had references to is the caller's to put. */
static struct mount take_out_locked(struct mount *m) {
    ASSERT_LOCKED(&table.lock);
    struct mount was = *m;
    set_forbids_locked(m, 0);
    __atomic_store_n(&was.root->under, NULL, __ATOMIC_RELAXED);
    __atomic_store_n(&was.dir->mounted, NULL, __ATOMIC_RELAXED);
    m->root = NULL;
    return was;
}

/* Takes a mount away that should not have been. False: who was in the directory has done that. */
static bool give_up(struct node *root) {
    struct node *dir = NULL;
    spin_lock(&table.lock);
    struct mount *m = find_locked(root);
    if (m)
        dir = take_out_locked(m).dir;
    spin_unlock(&table.lock);
    if (dir)
        node_put(dir);
    return dir;
}

int mount_add(struct node *dir, struct node *root, const char *type, const char *source,
              unsigned forbids) {
    int err = dir ? node_must_be_dir(dir) : 0;
    if (err)
        return err;
    node_get(root); /* nobody else's node has its address meanwhile: give_up */
    spin_lock(&table.lock);
    err = add_locked(dir, root, type, source, forbids);
    spin_unlock(&table.lock);
    if (!err && !dir)
        node_set_root(root);
    if (!err && dir) {
        err = must_have_name(dir);
        if (err && !give_up(root))
            err = 0;
    }
    node_put(root);
    return err;
}

/* ---- making one ---- */

static int find_device(const char *path, struct node **out) {
    struct node_attr a;
    int err = path_lookup(path, out);
    if (err)
        return err;
    err = (*out)->ops->attr(*out, &a);
    if (!err && a.type != NODE_BLOCK)
        err = -K_ENOTBLK;
    if (!err && mount_forbids(*out, MOUNT_NO_DEVICES))
        err = -K_EACCES;
    if (err)
        node_put(*out);
    return err;
}

int mount_new(const char *name, const char *source, struct node *dir, unsigned forbids,
              const char *options) {
    const struct mount_type *type = type_named(name);
    struct node *device = NULL, *root;
    if (!type)
        return -K_ENODEV;
    if (type->on_disk && !*source)
        return -K_EINVAL;
    int err = type->on_disk ? find_device(source, &device) : 0;
    if (err)
        return err;
    err = type->make(device, options, &forbids, &root);
    if (device)
        node_put(device);
    if (err)
        return err;
    err = mount_add(dir, root, type->name, source, forbids);
    if (err)
        node_put(root);
    return err;
}

/* ---- taking away ---- */

/* The mount's reference and the caller's are no use. */
static bool is_used_locked(struct node *root) {
    ASSERT_LOCKED(&table.lock);
    struct node_use use = {.refs = UINT32_MAX};
    if (root->ops->use)
        root->ops->use(root, &use);
    return use.refs > 2;
}

static void put_all(const struct mount *gone, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        node_put(gone[i].root);
        node_put(gone[i].dir);
    }
}

/* The mount, and all that are on directories of those that are gone. */
static unsigned take_out_tree_locked(struct mount *m, struct mount gone[MOUNTS_MAX]) {
    ASSERT_LOCKED(&table.lock);
    unsigned n = 0;
    gone[n++] = take_out_locked(m);
    for (unsigned done = 0; done < n; done++)
        for (unsigned i = 0; i < MOUNTS_MAX; i++) {
            struct mount *in = &table.mount[i];
            if (in->root && in->dir && in->dir->dev == gone[done].root->dev)
                gone[n++] = take_out_locked(in);
        }
    return n;
}

int mount_remove(struct node *root, bool detach) {
    static struct mount gone[MOUNTS_MAX]; /* too many for a stack; under `removing` */
    static struct sleeplock removing = SLEEPLOCK_INIT(removing, RANK_UNMOUNT);
    unsigned n = 0;
    int err = 0;
    sleeplock_acquire(&removing);
    spin_lock(&table.lock);
    struct mount *m = find_locked(root);
    if (!m)
        err = -K_EINVAL;
    else if (!m->dir || (!detach && is_used_locked(root)))
        err = -K_EBUSY;
    else
        n = take_out_tree_locked(m, gone);
    spin_unlock(&table.lock);
    put_all(gone, n);
    sleeplock_release(&removing);
    return err;
}

/* ---- changing ---- */

/* Who opens a file counts it as written and looks here again, and we forbid and look at the count:
 * one of the two sees the other. */
static int change_locked(struct mount *m, unsigned forbids) {
    ASSERT_LOCKED(&table.lock);
    struct node_use use = {0};
    unsigned before = m->forbids;
    set_forbids_locked(m, forbids);
    if (m->root->ops->use)
        m->root->ops->use(m->root, &use);
    bool to_read = forbids & ~before & MOUNT_READ_ONLY;
    if (!to_read || use.writers == 0)
        return 0;
    set_forbids_locked(m, before);
    return -K_EBUSY;
}

int mount_change(struct node *root, unsigned forbids) {
    struct node_space space = {0};
    if (root->ops->space)
        root->ops->space(root, &space);
    spin_lock(&table.lock);
    struct mount *m = find_locked(root);
    int err = !m                                                ? -K_EINVAL
              : space.read_only && !(forbids & MOUNT_READ_ONLY) ? -K_EROFS
                                                                : change_locked(m, forbids);
    spin_unlock(&table.lock);
    return err;
}

/* ---- ways in and out ---- */

seldom struct node *mount_enter(struct node *n) {
    while (node_has_mount(n)) {
        spin_lock(&table.lock);
        struct node *root = n->mounted ? node_get(n->mounted) : NULL;
        spin_unlock(&table.lock);
        if (!root)
            break;
        node_put(n);
        n = root;
    }
    return n;
}

seldom struct node *mount_leave(struct node *n) {
    for (node_get(n);;) {
        spin_lock(&table.lock);
        struct node *under = n->under ? node_get(n->under) : NULL;
        spin_unlock(&table.lock);
        if (!under)
            return n;
        node_put(n);
        n = under;
    }
}

/* ---- for who asks ---- */

static uint32_t id_of(const struct mount *m) { return (uint32_t)(m - table.mount) + 1; }

static void tell_locked(const struct mount *m, struct mount_about *out) {
    ASSERT_LOCKED(&table.lock);
    const struct mount *parent = m->dir ? of_dev_locked(m->dir->dev) : m;
    *out = (struct mount_about){.root = node_get(m->root),
                                .id = id_of(m),
                                .parent = parent ? id_of(parent) : 0,
                                .dev = m->root->dev,
                                .forbids = m->forbids,
                                .type = m->type};
    memcpy(out->source, m->source, sizeof(out->source));
}

bool mount_next(uint32_t *at, struct mount_about *out) {
    bool found = false;
    spin_lock(&table.lock);
    for (; *at < MOUNTS_MAX && !found; ++*at) {
        found = table.mount[*at].root;
        if (found)
            tell_locked(&table.mount[*at], out);
    }
    spin_unlock(&table.lock);
    return found;
}
