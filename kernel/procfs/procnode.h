/* A node of /proc, and what its parts do for each other. It says of a process only its number:
 * nothing keeps that process. */
#pragma once
#include "lib/abi.h"
#include "procfs/contents.h"
#include "vfs/file.h"
#include "vfs/node.h"

#define TARGET ABI_MAXPATH

enum kind {
    ROOT,
    FOLDER, /* a process's */
    TASKS,  /* its threads */
    TASK,   /* one of these */
    NET,    /* of the machine's sockets */
    FDS,    /* its descriptors */
    FD,     /* one of these: a link */
    FILE_,
    SELF,
    EXE,
    CURRENT, /* where a process is */
    TOP      /* its root */
};

struct procnode {
    struct node node;
    struct procnode
        *top;      /* the root that it is below, with a reference; its own for a root, without
                    */
    uint32_t refs; /* atomic */
    enum kind kind;
    int32_t pid;    /* 0: the machine's */
    int32_t number; /* of a thread or a descriptor */
    unsigned index;
    contents_fn make;    /* a file's */
    char target[TARGET]; /* a link's */
};

static inline struct procnode *procnode_of(struct node *n) {
    return CONTAINER_OF(n, struct procnode, node);
}

static inline bool is_folder(const struct procnode *p) { return p->kind <= FDS; }

static inline enum node_type type_of(enum kind kind) {
    return kind <= FDS ? NODE_DIR : kind == FILE_ ? NODE_FILE : NODE_LINK;
}

/* Numbers of nodes: a process's folder, and behind it what is in it; all of one folder of threads
 * or descriptors have one. */
#define INOS 32
static inline uint32_t ino_of(int32_t pid, enum kind kind, unsigned index) {
    if (kind >= CURRENT)
        index = INOS / 2 + kind - CURRENT; /* behind those of files */
    return (uint32_t)pid * INOS + 1 + (kind >= FILE_ ? 1 + index : kind >= TASKS ? INOS - kind : 0);
}

/* Of an open one. Several may use it at once: then it is one of theirs. */
static inline uint64_t offset_of(const struct file *f) {
    return __atomic_load_n(&f->offset, __ATOMIC_RELAXED);
}
static inline void set_offset(struct file *f, uint64_t to) {
    __atomic_store_n(&f->offset, to, __ATOMIC_RELAXED);
}

/* openfile.c: f becomes an open file with what it says now, and takes over the reference to p.
 * -K_ENOMEM, -K_ESRCH (contents.h): f is as it was, and the reference the caller's. */
int procfile_open(struct procnode *p, struct file *f) must_check;

/* folder.c: the same for a folder, whose names are looked for when they are read. */
void procfolder_open(struct procnode *p, struct file *f);

/* What is always in a folder beside "." and "..": links and folders, then files. */
struct special {
    const char *name;
    enum kind kind;
};
struct fixed {
    const struct special *specials;
    const struct contents *files;
    unsigned special_count, file_count;
    unsigned files_before; /* files of another folder that have numbers of the same process */
};
struct fixed fixed_in(enum kind kind);
