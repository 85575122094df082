/* The nodes of /proc: the root, a folder for each process, and what is in them. A node is made when
 * its name is looked up. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/clock.h"
#include "proc/proc.h"
#include "procfs/procfs.h"
#include "procfs/procnode.h"
#include "socket/socket.h"
#include "vfs/pipe.h"
#include "vfs/descriptor.h"
#include "vfs/open.h"
#include "vfs/where.h"

static struct slab records = SLAB_INIT(records, sizeof(struct procnode));

/* ---- references and attributes ---- */

static void get(struct node *n) { __atomic_fetch_add(&procnode_of(n)->refs, 1, __ATOMIC_RELAXED); }

static void put(struct node *n) {
    struct procnode *p = procnode_of(n), *top = p->top;
    if (__atomic_fetch_sub(&p->refs, 1, __ATOMIC_ACQ_REL) > 1)
        return;
    slab_give(&records, p);
    if (top != p)
        put(&top->node);
}

/* Each node has a reference to the root. */
static void use(struct node *n, struct node_use *u) {
    *u = (struct node_use){.refs = __atomic_load_n(&procnode_of(n)->top->refs, __ATOMIC_ACQUIRE)};
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

static int open(struct node *n, uint32_t mode, struct file *f) {
    struct procnode *p = procnode_of(n);
    if (open_for_writing(mode) || (mode & ABI_O_TRUNC))
        return is_folder(p) ? -K_EISDIR : -K_EACCES;
    if (p->kind == FILE_)
        return procfile_open(p, f);
    if (!is_folder(p))
        return -K_ENXIO;
    procfolder_open(p, f);
    return 0;
}

/* ---- names ---- */

static const struct node_ops ops, fd_ops, place_ops;

static int make_node(struct node *dir, enum kind kind, int32_t pid, unsigned index,
                     struct node **out) {
    struct procnode *p = slab_take(&records);
    if (!p)
        return -K_ENFILE;
    *p = (struct procnode){.node = {.ops = kind == FD        ? &fd_ops
                                           : kind >= CURRENT ? &place_ops
                                                             : &ops,
                                    .dev = dir->dev,
                                    .link = type_of(kind) == NODE_LINK},
                           .top = procnode_of(dir)->top,
                           .refs = 1,
                           .kind = kind,
                           .pid = pid,
                           .index = index};
    get(&p->top->node);
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
        int err = make_node(dir, FILE_, p->pid, f.files_before + i + 1, out);
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

/* ---- where processes are ---- */

/* With a reference. -K_ENOENT: the process has ended. */
static int place_of(int32_t pid, enum kind kind, struct node **out) {
    struct abi_procinfo info;
    int slot = process_slot(pid);
    if (slot < 0 || proc_info((uint32_t)slot, &info) || info.state == ABI_P_ZOMBIE ||
        place_of_process(pid, kind == TOP ? PLACE_ROOT : PLACE_CURRENT, out))
        return -K_ENOENT;
    if (!*out)
        *out = node_get(node_root());
    return 0;
}

/* Its path as the running process sees it, or what else tells it from others. */
static int describe_place(struct node *place, char target[TARGET]) {
    struct node_attr a;
    size_t bytes;
    int err = node_path(node_get(place), target, TARGET, &bytes);
    if (!err)
        memmove(target, target + TARGET - bytes, bytes);
    else if (!(err = place->ops->attr(place, &a)))
        snprintf(target, TARGET, "inode:[%u:%u]", a.dev, a.ino);
    return err;
}

/* A link of the process whose folder dir is, which tells of this place. */
static int make_at(struct node *dir, enum kind kind, struct node *place, struct node **out) {
    int err = make_node(dir, kind, procnode_of(dir)->pid, 0, out);
    if (err)
        return err;
    err = describe_place(place, procnode_of(*out)->target);
    if (err)
        node_put(*out);
    return err;
}

static int find_place(struct node *dir, enum kind kind, struct node **out) {
    struct node *place;
    int err = place_of(procnode_of(dir)->pid, kind, &place);
    if (err)
        return err;
    err = make_at(dir, kind, place, out);
    node_put(place);
    return err;
}

static int leads_to_place(struct node *n, struct node **out) {
    return place_of(procnode_of(n)->pid, procnode_of(n)->kind, out);
}

/* Of a process whose root is another one than the reader's, its path is below that. */
static int find_exe(struct node *dir, int32_t pid, struct node **out) {
    char path[TARGET];
    struct node *top;
    if (proc_program(pid, path) || !path[0] || place_of(pid, TOP, &top))
        return -K_ENOENT;
    int err = make_at(dir, EXE, top, out);
    node_put(top);
    if (err)
        return err;
    char *target = procnode_of(*out)->target;
    size_t before = strlen(target) == 1 ? 0 : strlen(target);
    if (before + strlen(path) >= TARGET) {
        node_put(*out);
        return -K_ENOENT;
    }
    str_copy(target + before, path, TARGET - before);
    return 0;
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
    else if (socket_number(f))
        snprintf(target, TARGET, "socket:[%u]", socket_number(f));
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

/* A pipe: another file for it. */
static int open_again(struct node *n, uint32_t mode, struct file **out) {
    struct file *f;
    int err = file_of(procnode_of(n)->pid, procnode_of(n)->number, &f);
    if (err)
        return err;
    err = pipe_open_again(f, !(mode & ABI_O_WRONLY), open_for_writing(mode), out);
    file_put(f);
    if (!err)
        file_set_flags(*out, mode);
    return err;
}

/* ---- steps ---- */

static int find_in_process(struct node *dir, const struct name *name, struct node **out) {
    int32_t pid = procnode_of(dir)->pid;
    if (is(name, "exe"))
        return find_exe(dir, pid, out);
    if (is(name, "fd"))
        return make_node(dir, FDS, pid, 0, out);
    if (is(name, "task"))
        return make_node(dir, TASKS, pid, 0, out);
    if (is(name, "cwd") || is(name, "root"))
        return find_place(dir, is(name, "cwd") ? CURRENT : TOP, out);
    return find_file(dir, name, out);
}

static int find_in_root(struct node *dir, const struct name *name, struct node **out) {
    if (is(name, "self"))
        return find_self(dir, out);
    if (is(name, "net"))
        return make_node(dir, NET, 0, 0, out);
    int32_t pid = number_of(name);
    if (!pid)
        return find_file(dir, name, out);
    return process_slot(pid) < 0 ? -K_ENOENT : make_node(dir, FOLDER, pid, 0, out);
}

static int step_up(struct node *dir, struct node **out) {
    const struct procnode *p = procnode_of(dir);
    if (p->kind == ROOT || p->kind == FOLDER || p->kind == NET) {
        *out = node_get(&p->top->node);
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
                     const struct name *new, bool fresh) {
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
    .use = use,
    .passing = true,
    .open = open,
    .program = &program,
    .target = target,
    .step = step,
    .make = no_make,
    .link = no_link,
    .unlink = no_unlink,
    .rename = no_rename,
};

static const struct node_ops place_ops = {
    .get = get,
    .put = put,
    .attr = attr,
    .space = space,
    .open = open,
    .program = &program,
    .target = target,
    .leads_to = leads_to_place,
    .step = step,
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
    .open_again = open_again,
    .step = step,
};

int procfs_create(uint32_t dev, struct node **root) {
    struct procnode *p = slab_take(&records);
    if (!p)
        return -K_ENOMEM;
    *p = (struct procnode){.node = {.ops = &ops, .dev = dev}, .top = p, .refs = 1, .kind = ROOT};
    *root = &p->node;
    return 0;
}

int32_t procfs_process(struct node *n) {
    const struct procnode *p = n->ops == &ops ? procnode_of(n) : NULL;
    return p && p->kind == FOLDER ? p->pid : 0;
}
