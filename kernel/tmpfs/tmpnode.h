/* A node of a file system in memory, and what its parts do for each other. */
#pragma once
#include "lib/list.h"
#include "mm/pagetree.h"
#include "mm/rmap.h"
#include "proc/sleeplock.h"
#include "tmpfs/tmpfs.h"
#include "vfs/fifo.h"
#include "vfs/file.h"

#define TMPFS_TARGET 1024 /* bytes of where a link leads, with the terminator */

/* A file's contents. Holes have no page. Behind the end all bytes of its page are zero, unless
 * somebody stores there through a mapping. */
struct tmpfile {
    struct sleeplock lock;    /* reading, and all that changes size or contents; held across copies
                                 from    and to user memory, so no fault takes it */
    struct sleeplock showing; /* while a mapping is given a page, and while pages are taken away */
    struct spinlock guard; /* the pages; size, which its writer may read without, and which is less
                              only with `showing`; and the counts */
    struct pagetree pages; /* if there is a root */
    bool rooted;
    uint64_t size;         /* bytes */
    uint64_t frames;       /* promised: pages, and tables, which stay until it is empty */
    uint64_t held;         /* pages of these */
    uint32_t writers;      /* that have it open */
    uint32_t running;      /* references to it as a program */
    uint32_t seals;        /* FILE_SEAL_...; changed with the lock */
    struct object object;  /* as a file that is mapped */
    struct object program; /* as one that is run */
    struct rmap rmap;      /* of both */
};

/* A directory's entries, in the order in which they came, among the cursors of those who list it.
 * tmptree.lock guards them. */
struct tmpdir {
    struct list entries;
    uint32_t names;         /* entries */
    struct tmpnode *parent; /* with a reference; its own for the root, without. NULL: removed */
};

/* A file system. It ends, with all names in it, when nobody is left who has come in by another way
 * than a name: a mount is one of those. */
struct tmpsuper {
    struct tmpnode *root; /* with a reference; NULL: what it has has no names */
    uint32_t outside;     /* references that are neither names' nor parents'; atomic */
    uint32_t writers;     /* files that are open for writing; atomic */
};

struct tmpnode {
    struct node node;
    struct tmpsuper *super;
    uint32_t refs;  /* atomic; one for each name, too */
    uint32_t nlink; /* names; tmptree.lock */
    uint32_t ino, uid, gid;
    enum node_type type;
    uint16_t mode;
    int16_t major, minor;
    bool linkable;                        /* it may get its first name by link; tmptree.lock */
    uint64_t accessed, modified, changed; /* atomic */
    union {
        struct tmpfile file;
        struct tmpdir dir;
        char *target; /* of a link */
        struct fifo fifo;
    };
};

static inline struct tmpnode *tmpnode_of(struct node *n) {
    return CONTAINER_OF(n, struct tmpnode, node);
}

/* node.c */
struct tmpnode *tmpnode_new(struct tmpsuper *super, uint32_t dev,
                            const struct node_kind *kind) must_check; /* NULL: no memory */
void tmpnode_get(struct tmpnode *t);
void tmpnode_put(struct tmpnode *t);
/* The same of a name, or a directory's for its parent. */
void tmpnode_hold(struct tmpnode *t);
void tmpnode_drop(struct tmpnode *t);
/* The contents are other ones now, or what is in the directory. */
void tmpnode_modified(struct tmpnode *t);

/* file.c */
void tmpfile_init(struct tmpnode *t);
void tmpfile_destroy(struct tmpnode *t);
/* Makes n bytes of the kernel's the contents. -K_ENOSPC: the first of them are. */
int tmpfile_fill(struct tmpnode *t, const void *src, uint64_t n) must_check;
extern const struct program_ops tmpfile_program;

/* openfile.c. -K_ETXTBSY: it is run, and mode wants to write or cut it; -K_EPERM: it may not be
 * cut: f is as it was. */
int tmpfile_open(struct tmpnode *t, uint32_t mode, struct file *f) must_check;

/* seals.c, all with the file's lock. -K_EPERM: a seal forbids to write n bytes there, and that it
 * has this size. */
int tmpfile_may_write(const struct tmpfile *f, uint64_t offset, uint64_t n) must_check;
int tmpfile_may_resize(const struct tmpfile *f, uint64_t size) must_check;
/* It can be neither written nor cut any more, whoever has it open. */
bool tmpfile_is_fixed(const struct tmpfile *f);
/* The file's operation; it takes the lock. */
int tmpfile_seal(struct file *f, uint32_t more, uint32_t *all) must_check;

/* dir.c */
int tmpdir_boot_init(uint64_t ram_bytes) must_check;
void tmpdir_destroy(struct tmpnode *t); /* it is empty, and has no name */
/* Takes all names out of a tree that nobody else can come to. It takes as long as there are names,
 * in pieces. */
void tmpdir_empty(struct tmpnode *root);
int tmpdir_step(struct node *dir, const struct name *name, struct node **out);
int tmpdir_make_unnamed(struct node *dir, uint16_t mode, bool linkable,
                        struct node **out) must_check;
int tmpdir_make(struct node *dir, const struct name *name, const struct node_kind *kind,
                struct node **out);
int tmpdir_link(struct node *dir, const struct name *name, struct node *old);
int tmpdir_unlink(struct node *dir, const struct name *name);
int tmpdir_rename(struct node *from, const struct name *old, struct node *to,
                  const struct name *new, bool fresh);

/* dirfile.c */
int tmpdir_open(struct tmpnode *t, struct file *f) must_check;
