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
#include "vfs/descriptor.h"
#include "vfs/listing.h"
#include "vfs/open.h"

#define TARGET ABI_MAXPATH

enum kind {
    ROOT,
    FOLDER, /* a process's */
    TASKS,  /* its threads */
    TASK,   /* one of these */
    FDS,    /* its descriptors */
    FD,     /* one of these: a link */
    FILE_,
    SELF,
    EXE
};

struct procnode {
    struct node node;
    uint32_t refs; /* atomic */
    enum kind kind;
    int32_t pid;    /* 0: the machine's */
    int32_t number; /* of a thread or a descriptor */
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

static bool is_folder(const struct procnode *p) { return p->kind <= FDS; }

/* Numbers of nodes: a process's folder, and behind it what is in it; all of one folder of threads
 * or descriptors have one. */
#define INOS 32
static uint32_t ino_of(int32_t pid, enum kind kind, unsigned index) {
    bool inside = kind == FILE_ || kind == SELF || kind == EXE;
    return (uint32_t)pid * INOS + 1 + (inside ? 1 + index : kind >= TASKS ? INOS - kind : 0);
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
    int err = p->make(&s->text, p->pid, p->number);
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

/* What is always in a folder beside "." and "..": links and folders, then files. */
struct special {
    const char *name;
    enum kind kind;
};
static const struct special in_root[] = {{"self", SELF}},
                            in_process[] = {{"exe", EXE}, {"fd", FDS}, {"task", TASKS}};

static struct fixed {
    const struct special *specials;
    const struct contents *files;
    unsigned special_count, file_count;
} fixed_in(enum kind kind) {
    switch (kind) {
    case ROOT:
        return (struct fixed){in_root, system_contents, ARRAY_LEN(in_root), system_contents_count};
    case FOLDER:
        return (struct fixed){in_process, process_contents, ARRAY_LEN(in_process),
                              process_contents_count};
    case TASK: return (struct fixed){NULL, thread_contents, 0, thread_contents_count};
    default: return (struct fixed){0};
    }
}

static enum node_type type_of(enum kind kind) {
    return kind <= FDS ? NODE_DIR : kind == FILE_ ? NODE_FILE : NODE_LINK;
}

#define DOTS 2
/* False: there are no more. */
static bool fixed_name(const struct procnode *p, uint64_t i, struct listed *out) {
    struct fixed f = fixed_in(p->kind);
    uint64_t n = i - DOTS;
    if (i < DOTS)
        *out = (struct listed){
            .name = "..", .type = NODE_DIR, .ino = i ? 1 : ino_of(p->pid, p->kind, 0)};
    else if (n < f.special_count)
        *out = (struct listed){.name = f.specials[n].name,
                               .type = type_of(f.specials[n].kind),
                               .ino = ino_of(p->pid, f.specials[n].kind, 0)};
    else if (n < f.special_count + f.file_count)
        *out = (struct listed){.name = f.files[n - f.special_count].name,
                               .type = NODE_FILE,
                               .ino = ino_of(p->pid, FILE_, (unsigned)(n - f.special_count) + 1)};
    else
        return false;
    out->length = i == 0 ? 1 : strlen(out->name);
    return true;
}

/* False: emit has not taken it. */
static bool list_number(int32_t number, uint32_t ino, enum kind kind, list_emit_fn emit,
                        void *ctx) {
    char name[12];
    snprintf(name, sizeof(name), "%d", number);
    struct listed found = {.name = name, .length = strlen(name), .ino = ino, .type = type_of(kind)};
    return emit(ctx, &found);
}

/* What comes and goes: the one with the lowest number from *at on, which becomes that. False: there
 * is none. */
static bool next_number(const struct procnode *p, uint64_t *at, int32_t *number) {
    struct abi_procinfo info;
    struct thread_about thread;
    struct file *f;
    switch (p->kind) {
    case ROOT: /* by their slots */
        while (*at < proc_slots && proc_info((uint32_t)*at, &info))
            ++*at;
        *number = info.pid;
        return *at < proc_slots;
    case TASKS:
        if (*at > INT32_MAX || proc_thread(p->pid, (int32_t)*at, &thread))
            return false;
        *at = (uint64_t)thread.tid;
        break;
    case FDS:
        if (fd_of_process(p->pid, at, &f))
            return false;
        file_put(f);
        break;
    default: return false;
    }
    *number = (int32_t)*at;
    return true;
}

static int list(struct file *f, list_emit_fn emit, void *ctx) {
    static const enum kind inside[] = {[ROOT] = FOLDER, [TASKS] = TASK, [FDS] = FD};
    const struct procnode *p = f->object;
    struct fixed fixed = fixed_in(p->kind);
    uint64_t at = offset_of(f), first = DOTS + fixed.special_count + fixed.file_count;
    struct listed found;
    int32_t number;
    bool taken = true;
    while (at < first && fixed_name(p, at, &found) && (taken = emit(ctx, &found)))
        at++;
    for (uint64_t n = at - first; taken && at >= first && next_number(p, &n, &number); n++) {
        enum kind kind = inside[p->kind];
        int32_t pid = p->kind == ROOT ? number : p->pid;
        taken = list_number(number, ino_of(pid, kind, 0), kind, emit, ctx);
        at = first + n + taken;
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

static const struct node_ops ops, fd_ops;

static int make_node(struct node *dir, enum kind kind, int32_t pid, unsigned index,
                     struct node **out) {
    struct procnode *p = slab_take(&records);
    if (!p)
        return -K_ENFILE;
    *p = (struct procnode){.node = {.ops = kind == FD ? &fd_ops : &ops,
                                    .dev = dir->dev,
                                    .link = type_of(kind) == NODE_LINK},
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
    struct fixed f = fixed_in(p->kind);
    for (unsigned i = 0; i < f.file_count; i++) {
        if (!is(name, f.files[i].name))
            continue;
        int err = make_node(dir, FILE_, p->pid, i + 1, out);
        if (!err) {
            procnode_of(*out)->make = f.files[i].make;
            procnode_of(*out)->number = p->number;
        }
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

/* ---- threads and descriptors ---- */

static int make_numbered(struct node *dir, enum kind kind, int32_t number, struct node **out) {
    int err = make_node(dir, kind, procnode_of(dir)->pid, 0, out);
    if (!err)
        procnode_of(*out)->number = number;
    return err;
}

static int find_thread(struct node *dir, int32_t tid, struct node **out) {
    struct thread_about a;
    if (!tid || proc_thread(procnode_of(dir)->pid, tid, &a) || a.tid != tid)
        return -K_ENOENT;
    return make_numbered(dir, TASK, tid, out);
}

/* -K_ENOENT: it is not open. */
static int file_of(int32_t pid, int32_t number, struct file **out) {
    uint64_t fd = (uint64_t)number;
    int err = fd_of_process(pid, &fd, out);
    if (!err && fd != (uint64_t)number) {
        file_put(*out);
        err = -K_EBADF;
    }
    return err ? -K_ENOENT : 0;
}

static struct node *node_of(const struct file *f) { return f->ops->node ? f->ops->node(f) : NULL; }

/* The path by which it was opened, or what else tells it from others. */
static void describe(const struct file *f, char target[TARGET]) {
    struct node *n = node_of(f);
    struct node_attr a;
    if (f->path)
        str_copy(target, f->path, TARGET);
    else if (n && !n->ops->attr(n, &a))
        snprintf(target, TARGET, "inode:[%u:%u]", a.dev, a.ino);
    else if (f->ops->kind && f->ops->kind[0] == 'p')
        snprintf(target, TARGET, "pipe:[%u]", (uint32_t)((uint64_t)f->object >> 6));
    else
        str_copy(target, f->ops->kind ? f->ops->kind : "unknown", TARGET);
}

static int find_descriptor(struct node *dir, const struct name *name, struct node **out) {
    int32_t number = is(name, "0") ? 0 : number_of(name);
    struct file *f;
    if (number == 0 && !is(name, "0"))
        return -K_ENOENT;
    int err = file_of(procnode_of(dir)->pid, number, &f);
    if (err)
        return err;
    err = make_numbered(dir, FD, number, out);
    if (!err)
        describe(f, procnode_of(*out)->target);
    file_put(f);
    return err;
}

/* What is open there is open again. */
static int leads_to(struct node *n, struct node **out) {
    struct file *f;
    int err = file_of(procnode_of(n)->pid, procnode_of(n)->number, &f);
    if (err)
        return err;
    struct node *to = node_of(f);
    if (to)
        *out = node_get(to);
    file_put(f);
    return to ? 0 : -K_ENXIO;
}

/* ---- steps ---- */

static struct node *root;

static int find_in_process(struct node *dir, const struct name *name, struct node **out) {
    int32_t pid = procnode_of(dir)->pid;
    if (is(name, "exe"))
        return find_exe(dir, pid, out);
    if (is(name, "fd"))
        return make_node(dir, FDS, pid, 0, out);
    if (is(name, "task"))
        return make_node(dir, TASKS, pid, 0, out);
    return find_file(dir, name, out);
}

static int find_in_root(struct node *dir, const struct name *name, struct node **out) {
    if (is(name, "self"))
        return find_self(dir, out);
    int32_t pid = number_of(name);
    if (!pid)
        return find_file(dir, name, out);
    return process_slot(pid) < 0 ? -K_ENOENT : make_node(dir, FOLDER, pid, 0, out);
}

static int step_up(struct node *dir, struct node **out) {
    const struct procnode *p = procnode_of(dir);
    if (p->kind == ROOT || p->kind == FOLDER) {
        *out = node_get(root);
        return 0;
    }
    return make_node(dir, p->kind == TASK ? TASKS : FOLDER, p->pid, 0, out);
}

static int step(struct node *dir, const struct name *name, struct node **out) {
    const struct procnode *p = procnode_of(dir);
    if (!is_folder(p))
        return -K_ENOTDIR;
    if (is(name, ".")) {
        *out = node_get(dir);
        return 0;
    }
    if (is(name, ".."))
        return step_up(dir, out);
    switch (p->kind) {
    case ROOT: return find_in_root(dir, name, out);
    case FOLDER: return find_in_process(dir, name, out);
    case TASKS: return find_thread(dir, number_of(name), out);
    case FDS: return find_descriptor(dir, name, out);
    default: return find_file(dir, name, out);
    }
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

static const struct node_ops fd_ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .space = space,
    .open = open,
    .program = &program,
    .target = target,
    .leads_to = leads_to,
    .step = step,
};

struct node *procfs_root(uint32_t dev) {
    static struct procnode one = {.node = {.ops = &ops}, .refs = 1, .kind = ROOT};
    one.node.dev = dev;
    root = &one.node;
    return node_get(root); /* whose first reference stays */
}
