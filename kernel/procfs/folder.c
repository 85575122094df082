/* Folders of /proc: what is always in one, and an open one, whose offset is how many of its names
 * are passed. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "procfs/procnode.h"
#include "vfs/descriptor.h"
#include "vfs/listing.h"

static const struct special in_root[] = {{"self", SELF}, {"net", NET}},
                            in_process[] = {{"exe", EXE},
                                            {"fd", FDS},
                                            {"task", TASKS},
                                            {"cwd", CURRENT},
                                            {"root", TOP}};

struct fixed fixed_in(enum kind kind) {
    switch (kind) {
    case ROOT:
        return (struct fixed){in_root, system_contents, ARRAY_LEN(in_root), system_contents_count,
                              0};
    case FOLDER:
        return (struct fixed){in_process, process_contents, ARRAY_LEN(in_process),
                              process_contents_count, 0};
    case TASK: return (struct fixed){NULL, thread_contents, 0, thread_contents_count, 0};
    case NET:
        return (struct fixed){NULL, net_contents, 0, net_contents_count, system_contents_count};
    default: return (struct fixed){0};
    }
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
        *out = (struct listed){
            .name = f.files[n - f.special_count].name,
            .type = NODE_FILE,
            .ino = ino_of(p->pid, FILE_, f.files_before + (unsigned)(n - f.special_count) + 1)};
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

static void close_folder(struct file *f) { node_put(node_of_folder(f)); }

static const struct file_ops folder_ops = {.read = listing_read,
                                           .list = list,
                                           .seek = rewind,
                                           .stat = stat_folder,
                                           .node = node_of_folder,
                                           .close = close_folder};

void procfolder_open(struct procnode *p, struct file *f) {
    f->ops = &folder_ops;
    f->object = p;
}
