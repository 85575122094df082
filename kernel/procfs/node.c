/* The nodes of /proc: the root, a folder for each process, and what is in them. A node is made when
 * its name is looked up, and says of a process only its number: nothing keeps that process. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/clock.h"
#include "proc/proc.h"
#include "procfs/contents.h"
#include "procfs/procfs.h"
#include "vfs/file.h"
#include "vfs/listing.h"
#include "vfs/open.h"

#define TARGET ABI_MAXPATH

enum kind { ROOT, FOLDER, FILE_, SELF, EXE };

struct procnode {
    struct node node;
    uint32_t refs; /* atomic */
    enum kind kind;
    int32_t pid; /* 0: the machine's */
    unsigned index;
    contents_fn make;    /* a file's */
    char target[TARGET]; /* a link's */
};

static struct slab records = SLAB_INIT(records, sizeof(struct procnode));

static struct procnode *procnode_of(struct node *n) {
    return CONTAINER_OF(n, struct procnode, node);
}

/* ---- references and attributes ---- */

static void get(struct node *n) { __atomic_fetch_add(&procnode_of(n)->refs, 1, __ATOMIC_RELAXED); }

static void put(struct node *n) {
    if (__atomic_fetch_sub(&procnode_of(n)->refs, 1, __ATOMIC_ACQ_REL) == 1)
        slab_give(&records, procnode_of(n));
}

static bool is_folder(const struct procnode *p) { return p->kind == ROOT || p->kind == FOLDER; }

/* Numbers of nodes: a process's folder, and behind it what is in it. */
#define INOS 32
static uint32_t ino_of(int32_t pid, enum kind kind, unsigned index) {
    bool inside = kind == FILE_ || kind == SELF || kind == EXE;
    return (uint32_t)pid * INOS + 1 + (inside ? 1 + index : 0);
}

static int attr(struct node *n, struct node_attr *a) {
    const struct procnode *p = procnode_of(n);
    uint64_t now = clock_date();
    *a = (struct node_attr){.dev = n->dev,
                            .ino = ino_of(p->pid, p->kind, p->index),
                            .nlink = is_folder(p) ? 2 : 1,
                            .type = is_folder(p)       ? NODE_DIR
                                    : p->kind == FILE_ ? NODE_FILE
                                                       : NODE_LINK,
                            .mode = is_folder(p)       ? 0555
                                    : p->kind == FILE_ ? 0444
                                                       : 0777,
                            .accessed = now,
                            .modified = now,
                            .changed = now};
    return 0;
}

static const char *target(struct node *n) { return procnode_of(n)->target; }

/* ---- an open file ---- */

struct snapshot {
    struct procnode *node; /* the file's reference */
    struct text text;
};
static struct slab snapshots = SLAB_INIT(snapshots, sizeof(struct snapshot));

static uint64_t offset_of(const struct file *f) {
    return __atomic_load_n(&f->offset, __ATOMIC_RELAXED);
}
static void set_offset(struct file *f, uint64_t to) {
    __atomic_store_n(&f->offset, to, __ATOMIC_RELAXED);
}

static int read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    const struct snapshot *s = f->object;
    uint64_t at = offset_of(f);
    int err = text_read(&s->text, at, dst, n, done);
    set_offset(f, at + *done);
    return err;
}

static int seek(struct file *f, int64_t offset, int whence, uint64_t *result) {
    const struct snapshot *s = f->object;
    return file_seek_in(f, s->text.bytes, offset, whence, result);
}

static struct node *node_of_file(const struct file *f) {
    const struct snapshot *s = f->object;
    return &s->node->node;
}

static int stat_file(struct file *f, struct abi_stat *st) { return node_stat(node_of_file(f), st); }

static void close_file(struct file *f) {
    struct snapshot *s = f->object;
    text_free(&s->text);
    put(&s->node->node);
    slab_give(&snapshots, s);
}

static const struct file_ops file_ops = {
    .read = read, .seek = seek, .stat = stat_file, .node = node_of_file, .close = close_file};

static int open_file(struct procnode *p, struct file *f) {
    struct snapshot *s = slab_take(&snapshots);
    if (!s)
        return -K_ENOMEM;
    *s = (struct snapshot){.node = p};
    int err = p->make(&s->text, p->pid);
    if (!err && s->text.cut)
        err = -K_ENOMEM;
    if (err) {
        text_free(&s->text);
        slab_give(&snapshots, s);
        return err;
    }
    f->ops = &file_ops;
    f->object = s;
    return 0;
}

/* ---- an open folder: its offset is how many of its names are passed ---- */

/* The names of a folder that are always there: ".", "..", a link and the files. */
static bool fixed_name(const struct procnode *p, uint64_t i, struct listed *out) {
    bool root = p->kind == ROOT;
    const struct contents *all = root ? system_contents : process_contents;
    unsigned count = root ? system_contents_count : process_contents_count;
    const char *link = root ? "self" : "exe";
    if (i >= 3 + count)
        return false;
    *out = (struct listed){.name = i < 2    ? ".."
                                   : i == 2 ? link
                                            : all[i - 3].name,
                           .type = i < 2    ? NODE_DIR
                                   : i == 2 ? NODE_LINK
                                            : NODE_FILE};
    out->length = i == 0 ? 1 : strlen(out->name);
    out->ino = i == 0   ? ino_of(p->pid, p->kind, 0)
               : i == 1 ? ino_of(0, ROOT, 0)
                        : ino_of(p->pid, FILE_, (unsigned)i - 2);
    return true;
}

/* False: emit has not taken it. */
static bool list_process(uint32_t slot, list_emit_fn emit, void *ctx) {
    struct abi_procinfo info;
    char name[12];
    if (proc_info(slot, &info))
        return true;
    snprintf(name, sizeof(name), "%d", info.pid);
    struct listed found = {
        .name = name, .length = strlen(name), .ino = ino_of(info.pid, FOLDER, 0), .type = NODE_DIR};
    return emit(ctx, &found);
}

static int list(struct file *f, list_emit_fn emit, void *ctx) {
    const struct procnode *p = f->object;
    struct listed found;
    uint64_t at = offset_of(f), fixed = 3;
    fixed += p->kind == ROOT ? system_contents_count : process_contents_count;
    uint64_t end = fixed + (p->kind == ROOT ? proc_slots : 0);
    for (; at < end; at++) {
        bool taken = fixed_name(p, at, &found) ? emit(ctx, &found)
                                               : list_process((uint32_t)(at - fixed), emit, ctx);
        if (!taken)
            break;
    }
    set_offset(f, at);
    return 0;
}

/* To the beginning, and nowhere else. */
static int rewind(struct file *f, int64_t offset, int whence, uint64_t *result) {
    if (offset || whence)
        return -K_EINVAL;
    set_offset(f, 0);
    *result = 0;
    return 0;
}

static struct node *node_of_folder(const struct file *f) {
    struct procnode *p = f->object;
    return &p->node;
}

static int stat_folder(struct file *f, struct abi_stat *st) {
    return node_stat(node_of_folder(f), st);
}

static void close_folder(struct file *f) { put(node_of_folder(f)); }

static const struct file_ops folder_ops = {.read = listing_read,
                                           .list = list,
                                           .seek = rewind,
                                           .stat = stat_folder,
                                           .node = node_of_folder,
                                           .close = close_folder};

static int open(struct node *n, uint32_t mode, struct file *f) {
    struct procnode *p = procnode_of(n);
    if (open_for_writing(mode) || (mode & ABI_O_TRUNC))
        return is_folder(p) ? -K_EISDIR : -K_EACCES;
    if (p->kind == FILE_)
        return open_file(p, f);
    if (!is_folder(p))
        return -K_ENXIO;
    f->ops = &folder_ops;
    f->object = p;
    return 0;
}

/* ---- names ---- */

static const struct node_ops ops;

static int make_node(struct node *dir, enum kind kind, int32_t pid, unsigned index,
                     struct node **out) {
    struct procnode *p = slab_take(&records);
    if (!p)
        return -K_ENFILE;
    *p = (struct procnode){
        .node = {.ops = &ops, .dev = dir->dev, .link = kind == SELF || kind == EXE},
        .refs = 1,
        .kind = kind,
        .pid = pid,
        .index = index};
    *out = &p->node;
    return 0;
}

static bool is(const struct name *name, const char *text) {
    return name->length == strlen(text) && !memcmp(name->bytes, text, name->length);
}

/* The number that a name is, as it is listed; 0: it is none. */
static int32_t number_of(const struct name *name) {
    int64_t n = 0;
    for (size_t i = 0; i < name->length && n <= INT32_MAX; i++) {
        char c = name->bytes[i];
        if (c < '0' || c > '9' || (i == 0 && c == '0'))
            return 0;
        n = n * 10 + (c - '0');
    }
    return n <= INT32_MAX ? (int32_t)n : 0;
}

static int find_file(struct node *dir, const struct name *name, struct node **out) {
    const struct procnode *p = procnode_of(dir);
    bool root = p->kind == ROOT;
    const struct contents *all = root ? system_contents : process_contents;
    unsigned count = root ? system_contents_count : process_contents_count;
    for (unsigned i = 0; i < count; i++) {
        if (!is(name, all[i].name))
            continue;
        int err = make_node(dir, FILE_, p->pid, i + 1, out);
        if (!err)
            procnode_of(*out)->make = all[i].make;
        return err;
    }
    return -K_ENOENT;
}

static int find_self(struct node *dir, struct node **out) {
    int err = make_node(dir, SELF, 0, 0, out);
    if (!err)
        snprintf(procnode_of(*out)->target, TARGET, "%d", proc_self()->pid);
    return err;
}

static int find_exe(struct node *dir, int32_t pid, struct node **out) {
    char path[TARGET];
    if (proc_program(pid, path) || !path[0])
        return -K_ENOENT;
    int err = make_node(dir, EXE, pid, 0, out);
    if (!err)
        str_copy(procnode_of(*out)->target, path, TARGET);
    return err;
}

static struct node *root;

static int step(struct node *dir, const struct name *name, struct node **out) {
    const struct procnode *p = procnode_of(dir);
    if (!is_folder(p))
        return -K_ENOTDIR;
    if (is(name, ".")) {
        *out = node_get(dir);
        return 0;
    }
    if (is(name, "..")) {
        *out = node_get(root);
        return 0;
    }
    if (p->kind == FOLDER)
        return is(name, "exe") ? find_exe(dir, p->pid, out) : find_file(dir, name, out);
    if (is(name, "self"))
        return find_self(dir, out);
    int32_t pid = number_of(name);
    if (!pid)
        return find_file(dir, name, out);
    return process_slot(pid) < 0 ? -K_ENOENT : make_node(dir, FOLDER, pid, 0, out);
}

/* ---- what cannot be done ---- */

static int no_make(struct node *dir, const struct name *name, const struct node_kind *kind,
                   struct node **out) {
    return -K_EROFS;
}
static int no_link(struct node *dir, const struct name *name, struct node *old) { return -K_EROFS; }
static int no_unlink(struct node *dir, const struct name *name) { return -K_EROFS; }
static int no_rename(struct node *from, const struct name *old, struct node *to,
                     const struct name *new) {
    return -K_EROFS;
}
static int no_program(struct node *n, uint64_t *size) { return -K_ENOEXEC; }
static const struct program_ops program = {.begin = no_program};

#define MAGIC 0x9fa0
static void space(struct node *n, struct node_space *s) {
    *s = (struct node_space){.magic = MAGIC, .block_bytes = PAGE_SIZE, .name_bytes = 255};
}

static const struct node_ops ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .space = space,
    .open = open,
    .program = &program,
    .target = target,
    .step = step,
    .make = no_make,
    .link = no_link,
    .unlink = no_unlink,
    .rename = no_rename,
};

struct node *procfs_root(uint32_t dev) {
    static struct procnode one = {.node = {.ops = &ops}, .refs = 1, .kind = ROOT};
    one.node.dev = dev;
    root = &one.node;
    return node_get(root); /* whose first reference stays */
}
