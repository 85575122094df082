/* The names of slaves: a file system that has one folder, with a device in it for each pair whose
 * master is open. A node is a part of its pair. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/clock.h"
#include "pty/pair.h"
#include "vfs/listing.h"
#include "vfs/open.h"
#include "vfs/ttyfile.h"

#define MAJOR_SLAVE 136
#define INO_ROOT 1
#define INO_SLAVE 3 /* of number 0 */
#define DOTS 2

static struct node root;

static bool is_root(const struct node *n) { return n == &root; }
static struct pty *pty_of(struct node *n) { return CONTAINER_OF(n, struct pty, node); }

static void get(struct node *n) {
    if (!is_root(n))
        pty_get(pty_of(n));
}

static void put(struct node *n) {
    if (!is_root(n))
        pty_put(pty_of(n));
}

/* ---- attributes ---- */

static uint64_t began; /* when the folder was made */

static int attr(struct node *n, struct node_attr *a) {
    if (is_root(n)) {
        *a = (struct node_attr){.dev = n->dev,
                                .ino = INO_ROOT,
                                .nlink = 2,
                                .type = NODE_DIR,
                                .mode = 0755,
                                .accessed = began,
                                .modified = began,
                                .changed = began};
        return 0;
    }
    const struct pty *p = pty_of(n);
    *a = (struct node_attr){
        .dev = n->dev,
        .ino = INO_SLAVE + p->number,
        .nlink = 1,
        .uid = __atomic_load_n(&p->uid, __ATOMIC_RELAXED),
        .gid = __atomic_load_n(&p->gid, __ATOMIC_RELAXED),
        .type = NODE_DEVICE,
        .major = MAJOR_SLAVE,
        .minor = (int16_t)p->number,
        .mode = __atomic_load_n(&p->mode, __ATOMIC_RELAXED),
        .accessed = __atomic_load_n(&p->accessed, __ATOMIC_RELAXED),
        .modified = __atomic_load_n(&p->modified, __ATOMIC_RELAXED),
        .changed = __atomic_load_n(&p->changed, __ATOMIC_RELAXED),
    };
    return 0;
}

static int set_attr(struct node *n, unsigned which, const struct node_attr *a) {
    if (is_root(n))
        return -K_EPERM;
    struct pty *p = pty_of(n);
    if (which & NODE_SET_MODE)
        __atomic_store_n(&p->mode, a->mode, __ATOMIC_RELAXED);
    if (which & NODE_SET_OWNER) {
        __atomic_store_n(&p->uid, a->uid, __ATOMIC_RELAXED);
        __atomic_store_n(&p->gid, a->gid, __ATOMIC_RELAXED);
    }
    if (which & NODE_SET_ACCESSED)
        __atomic_store_n(&p->accessed, a->accessed, __ATOMIC_RELAXED);
    if (which & NODE_SET_MODIFIED)
        __atomic_store_n(&p->modified, a->modified, __ATOMIC_RELAXED);
    __atomic_store_n(&p->changed, clock_date(), __ATOMIC_RELAXED);
    return 0;
}

#define MAGIC 0x1cd1
static void space(struct node *n, struct node_space *s) {
    *s = (struct node_space){.magic = MAGIC, .block_bytes = PAGE_SIZE, .name_bytes = 255};
}

/* ---- the folder as an open file, whose offset is how many names are passed ---- */

static int list(struct file *f, list_emit_fn emit, void *ctx) {
    uint64_t at = __atomic_load_n(&f->offset, __ATOMIC_RELAXED);
    struct listed dots = {.name = "..", .ino = INO_ROOT, .type = NODE_DIR};
    bool taken = true;
    for (; at < DOTS && taken; at += taken) {
        dots.length = at + 1;
        taken = emit(ctx, &dots);
    }
    for (uint32_t number; taken && at - DOTS < PTY_MOST; at += taken) {
        number = (uint32_t)(at - DOTS);
        struct pty *p = pty_next(&number);
        if (!p)
            break;
        pty_put(p);
        char name[12];
        snprintf(name, sizeof(name), "%u", number);
        struct listed found = {
            .name = name, .length = strlen(name), .ino = INO_SLAVE + number, .type = NODE_DEVICE};
        at = DOTS + number;
        taken = emit(ctx, &found);
    }
    __atomic_store_n(&f->offset, at, __ATOMIC_RELAXED);
    return 0;
}

static int rewind(struct file *f, int64_t offset, int whence, uint64_t *result) {
    if (offset || whence)
        return -K_EINVAL;
    __atomic_store_n(&f->offset, 0, __ATOMIC_RELAXED);
    *result = 0;
    return 0;
}

static int stat_folder(struct file *f, struct abi_stat *st) { return node_stat(&root, st); }
static struct node *node_of_folder(const struct file *f) { return &root; }

static const struct file_ops folder_ops = {.read = listing_read,
                                           .list = list,
                                           .seek = rewind,
                                           .stat = stat_folder,
                                           .node = node_of_folder};

static int open(struct node *n, uint32_t mode, struct file *f) {
    if (is_root(n) && (open_for_writing(mode) || (mode & (ABI_O_CREATE | ABI_O_TRUNC))))
        return -K_EISDIR;
    if (is_root(n)) {
        f->ops = &folder_ops;
        return 0;
    }
    struct pty *p = pty_of(n);
    if (pty_has_lock(p) || tty_is_hung_up(&p->tty))
        return -K_EIO;
    pty_get(p); /* the terminal's, beside the node's */
    ttyfile_init(f, n, &p->tty);
    return 0;
}

/* ---- names ---- */

/* The number that a name is, as it is listed; PTY_MOST: it is none. */
static uint32_t number_of(const struct name *name) {
    uint32_t n = 0;
    for (size_t i = 0; i < name->length && n < PTY_MOST; i++) {
        char c = name->bytes[i];
        if (c < '0' || c > '9' || (name->length > 1 && name->bytes[0] == '0'))
            return PTY_MOST;
        n = n * 10 + (uint32_t)(c - '0');
    }
    return n;
}

static int step(struct node *dir, const struct name *name, struct node **out) {
    if (!is_root(dir))
        return -K_ENOTDIR;
    *out = dir; /* "." and ".." */
    if (name_is_dotdot(name) || (name->length == 1 && name->bytes[0] == '.'))
        return 0;
    uint32_t wanted = number_of(name), number = wanted;
    struct pty *p = pty_next(&number);
    if (p && number != wanted) {
        pty_put(p);
        p = NULL;
    }
    if (!p)
        return -K_ENOENT;
    *out = &p->node;
    return 0;
}

static int no_make(struct node *dir, const struct name *name, const struct node_kind *kind,
                   struct node **out) {
    return -K_EPERM;
}
static int no_link(struct node *dir, const struct name *name, struct node *old) { return -K_EPERM; }
static int no_unlink(struct node *dir, const struct name *name) { return -K_EPERM; }
static int no_rename(struct node *from, const struct name *old, struct node *to,
                     const struct name *new, bool fresh) {
    return -K_EPERM;
}
static int no_program(struct node *n, uint64_t *size) { return -K_ENOEXEC; }
static const struct program_ops program = {.begin = no_program};

static const struct node_ops node_ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .set_attr = set_attr,
    .space = space,
    .open = open,
    .program = &program,
    .step = step,
    .make = no_make,
    .link = no_link,
    .unlink = no_unlink,
    .rename = no_rename,
};

void pty_node_init(struct pty *p) {
    p->node = (struct node){.ops = &node_ops, .dev = root.dev};
    p->mode = 0620;
    p->accessed = p->modified = p->changed = clock_date();
}

struct node *pty_folder(uint32_t dev) {
    if (!root.ops) {
        root = (struct node){.ops = &node_ops, .dev = dev};
        began = clock_date();
    }
    return &root;
}
