/* Memory objects: what the pages of a mapping come from. Whoever has pages to map makes one:
 * a file, a program, memory that processes share. Frames that it shows are promised by it, once.
 * The memory core knows objects by these operations alone, and what they are called is theirs to
 * say. */
#pragma once
#include "lib/types.h"

struct object;
struct rmap;

/* Is given the frames of n > 0 pages, the one that was asked for and some that follow it. */
typedef int (*object_show_fn)(void *ctx, const paddr_t *frame, unsigned n);

struct object_ops {
    /* One reference more, or less; the last one may free the object, which may take long: no
     * spinlock is held. NULL: it is there for ever. */
    void (*get)(struct object *o);
    void (*put)(struct object *o);
    /* The frame of a page, by its number in the object, with a reference to the frame, if it
     * is in memory now; else PA(0). Does not sleep; an address space's lock may be held. NULL:
     * page is always asked. */
    paddr_t (*peek)(struct object *o, uint64_t index);
    /* For the checker: the same of one that mappings may still show, though nobody is to get it any
     * more, since a cut has begun. NULL: as peek. */
    paddr_t (*peek_cut)(struct object *o, uint64_t index);
    /* Has a page, which may have to be made or read first, shown: calls show with its frame, and
     * with those of pages behind it that are at hand, `most` in all at most (which is 1 or more),
     * while they are the object's and cannot be taken away. Returns what show returns, which takes
     * a reference to each frame that it keeps, and does not sleep. write: the page, then alone, is
     * going to be written through a shared mapping, and counts as written until rmap_forbid_writes.
     * May sleep; no spinlock is held. NULL: peek finds all there are. -K_ENOMEM; -K_ENXIO: the
     * object has no such page (any more); -K_EIO: it cannot be read; -K_ENOSPC, -K_EROFS: it
     * cannot be written, since the disk is full, or takes no changes. After these nothing was
     * shown. */
    int (*page)(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx);
    /* A mapping of it is going to be larger: pages below this number may be shown. NULL: it need
     * not know. No spinlock is held. -K_ENOMEM: it cannot promise them, and nothing changed. */
    int (*reserve)(struct object *o, uint64_t pages);
    /* What was stored in its pages so far is where it stays when the power goes. May sleep. NULL:
     * there is no such place. -K_EIO: some of it will never be. */
    int (*sync)(struct object *o);
    /* The name where it depends on what the mapping permits; NULL: o->name. */
    const char *(*name)(const struct object *o, uint64_t perm);
};

struct object {
    const struct object_ops *ops;
    const char *name;   /* a few words: for vmmap, and for what is said of a failed access */
    bool zeros;         /* its pages are zero: a private one that is written is made, not copied */
    bool filled;        /* but were filled in each space that has them, which would lose that */
    bool tracks_writes; /* a shared page may be written as long as page, asked for that, said so */
    /* What a shared mapping for writing is, if there is to be none: there would be no room for what
     * it changes, or somebody has forbidden it. 0: there may be. With a reverse map it is changed
     * under that one's lock. */
    int stores_error;
    bool guarded;      /* right below is nothing, and a touch there is an overflow */
    struct rmap *rmap; /* who shows it; NULL: it takes no pages away, and tracks no writes */
};

static inline void object_get(struct object *o) {
    if (o->ops->get)
        o->ops->get(o);
}

static inline void object_put(struct object *o) {
    if (o->ops->put)
        o->ops->put(o);
}

static inline const char *object_name(const struct object *o, uint64_t perm) {
    return o->ops->name ? o->ops->name(o, perm) : o->name;
}
