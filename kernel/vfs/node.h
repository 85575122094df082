/* Nodes: what a name stands for, of whichever file system: a file, a directory, a device, a
 * symbolic link. A file system has a struct node in its own record of each, and operations.
 *
 * A reference keeps a node what it is. One that has lost its last name lives as long as somebody
 * refers to it.
 *
 * A file system may be mounted on a directory of another: then who comes to that directory by a
 * path is in the root of the other one (path.h, mount.h).
 *
 * All operations may sleep, and no lock is held. */
#pragma once
#include "lib/abi.h"
#include "lib/types.h"

struct fifo;
struct file;
struct node;
struct object;

/* One name of a path: not empty, without slashes, and not terminated. How much of it counts is
 * the file system's to say. */
struct name {
    const char *bytes;
    size_t length;
};

static inline bool name_is_dot(const struct name *name) {
    return name->length == 1 && name->bytes[0] == '.';
}
static inline bool name_is_dotdot(const struct name *name) {
    return name->length == 2 && name->bytes[0] == '.' && name->bytes[1] == '.';
}

/* What a node is, of which xv6's programs know the first three (ABI_T_*). */
enum node_type {
    NODE_DIR = ABI_T_DIR,
    NODE_FILE,
    NODE_DEVICE, /* of characters */
    NODE_LINK,
    NODE_FIFO,
    NODE_SOCKET,
    NODE_BLOCK
};

static inline bool node_is_device(enum node_type type) {
    return type == NODE_DEVICE || type == NODE_BLOCK;
}

/* What is to be made. */
struct node_kind {
    enum node_type type;
    int16_t major, minor; /* a device's */
    uint16_t mode;        /* permissions, 0777 */
    const char *target;   /* where a link leads */
};

/* What is known of a node. Times are nanoseconds since 1970. */
struct node_attr {
    uint32_t dev, ino, nlink, uid, gid;
    enum node_type type;
    int16_t major, minor;
    uint16_t mode;
    uint64_t size;   /* bytes */
    uint64_t blocks; /* of 512 bytes, that it takes */
    uint64_t accessed, modified, changed;
};

#define NODE_MAY_EXECUTE 0111 /* whoever, in mode */

/* To the superuser, which all are, only what nobody may execute is forbidden. */
static inline bool node_attr_forbids_exec(const struct node_attr *a) {
    return a->type == NODE_FILE && !(a->mode & NODE_MAY_EXECUTE);
}

/* Which of them are to be set. */
#define NODE_SET_MODE 1
#define NODE_SET_OWNER 2 /* uid and gid */
#define NODE_SET_ACCESSED 4
#define NODE_SET_MODIFIED 8

/* How much room a file system has. */
struct node_space {
    uint64_t magic;       /* its number for programs of Linux */
    uint64_t block_bytes; /* of these: */
    uint64_t blocks, blocks_free;
    uint64_t nodes, nodes_free; /* 0: they have no bound of their own */
    uint64_t name_bytes;        /* of the longest name */
    bool read_only;             /* it cannot be written, however it is mounted */
};

/* Who uses a file system. */
struct node_use {
    uint32_t refs;    /* references to its nodes that keep it, that of its mount among them */
    uint32_t writers; /* files that are open for writing */
};

/* A program that is about to be run. Between begin and end, while its file cannot change, it is
 * read, and its object made. */
struct program_ops {
    int (*begin)(struct node *n, uint64_t *size); /* -K_ENOEXEC: not a file; then no end */
    /* Bytes to kernel memory; *done is fewer at the end of the file. -K_EIO. */
    int (*read)(struct node *n, uint64_t offset, void *dst, size_t bytes, size_t *done);
    /* The object for its first pages; while there is a reference to it nobody can write the file.
     * -K_ETXTBSY, -K_ENOMEM. */
    int (*map)(struct node *n, uint64_t pages, struct object **out);
    void (*end)(struct node *n);
};

struct node_ops {
    void (*get)(struct node *n);
    /* The last one may give back what the node consists of. */
    void (*put)(struct node *n);
    int (*attr)(struct node *n, struct node_attr *a); /* -K_EIO */
    /* NULL: it has no such attributes. -K_EIO: none is set. */
    int (*set_attr)(struct node *n, unsigned which, const struct node_attr *a);
    /* Of the file system that it is in. NULL: that has no room of its own. */
    void (*space)(struct node *n, struct node_space *s);
    /* Of the file system that it is in; a spinlock is held. NULL: nobody knows. */
    void (*use)(struct node *n, struct node_use *u);
    bool passing; /* a node is made for each look at a name, so nothing is mounted on it */
    /* Opens it with the flags ABI_O_*, as far as they concern what is there: f, which is new, takes
     * over the reference when that is done. Errors: see file_open. */
    int (*open)(struct node *n, uint32_t mode, struct file *f);
    const struct program_ops *program;
    /* A pipe's with a name. NULL: there are none. */
    struct fifo *(*fifo)(struct node *n);
    /* A link's, terminated, for as long as there is a reference. NULL: there are no links. */
    const char *(*target)(struct node *n);
    /* Of a link that leads to what no path may name: that, with a reference. NULL: it leads where
     * its text says. -K_ENOENT: there is nothing any more; -K_ENXIO: it has no node. */
    int (*leads_to)(struct node *n, struct node **out);
    /* Of such a link: opens what has no node once more, with these ABI_O_.... -K_ENXIO: that cannot
     * be; -K_ENFILE, -K_ENOMEM. NULL: it has a node in any case. */
    int (*open_again)(struct node *n, uint32_t mode, struct file **out);

    /* A directory's, all of which may say -K_ENOTDIR, -K_EIO, -K_ENFILE, -K_EROFS; and -K_ENOENT
     * when it has been removed. ("." is found all the same.) *out has a reference. */
    int (*step)(struct node *dir, const struct name *name, struct node **out); /* -K_ENOENT */
    /* -K_EEXIST, -K_ENOSPC, -K_EMLINK */
    int (*make)(struct node *dir, const struct name *name, const struct node_kind *kind,
                struct node **out);
    /* A file that has no name, and may get one by link while it has none, if `linkable`. -K_ENOSPC.
     * NULL: there are none. */
    int (*make_unnamed)(struct node *dir, uint16_t mode, bool linkable, struct node **out);
    /* old is of the same file system. -K_EPERM, -K_EEXIST, -K_ENOSPC, -K_EMLINK */
    int (*link)(struct node *dir, const struct name *name, struct node *old);
    /* -K_EINVAL: "." or ".."; -K_ENOTEMPTY; -K_EBUSY */
    int (*unlink)(struct node *dir, const struct name *name);
    /* Both directories are of the same file system; fresh, and errors: see names_rename. */
    int (*rename)(struct node *from, const struct name *old, struct node *to,
                  const struct name *new, bool fresh);
};

struct node {
    const struct node_ops *ops;
    uint32_t dev;   /* the file system's number, as stat gives it */
    uint32_t opens; /* open files that are open on it; atomic */
    bool link;      /* it is a symbolic link */
    /* The mount table's lock guards both; that there is none may be seen without. */
    struct node *mounted; /* the root of what is mounted here, or NULL */
    struct node *under;   /* of a root that is mounted: the directory that it hides */
};

static inline struct node *node_get(struct node *n) {
    n->ops->get(n);
    return n;
}
static inline void node_put(struct node *n) { n->ops->put(n); }

/* Whether something is mounted on it. */
static inline bool node_has_mount(const struct node *n) {
    return __atomic_load_n(&n->mounted, __ATOMIC_RELAXED);
}

/* -K_ENOTDIR, -K_EIO. */
int node_must_be_dir(struct node *n) must_check;

/* What fstat says of it. -K_EIO. */
int node_stat(struct node *n, struct abi_stat *st) must_check;

/* Where paths begin; it takes over the reference. At mount. */
void node_set_root(struct node *root);
struct node *node_root(void);

/* Gives back what lost its last name and its last reference where that could not be done at once:
 * in mappings. Calls that unmap files end with it; no lock is held, and it may sleep. */
void node_reap(void);
/* A file system's part of that. At mount. */
void node_set_reaper(void (*reap)(void));
