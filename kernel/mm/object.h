/* Memory objects: what the pages of a mapping come from. Whoever has pages to map makes one:
 * a program's image, a file, memory that processes share. The memory core knows objects
 * by these operations alone, and what they are called is theirs to say. */
#pragma once
#include "lib/types.h"

struct object;

struct object_ops {
    /* One reference more, or less; the last one may free the object. NULL: it is there
     * for ever. */
    void (*get)(struct object *o);
    void (*put)(struct object *o);
    /* The frame of a page, by its number in the object, with a reference to the frame, if it
     * is in memory now; else PA(0). Does not sleep; an address space's lock may be held. NULL:
     * page is always asked. */
    paddr_t (*peek)(struct object *o, uint64_t index);
    /* The same for a page that has to be made or read first; the object's until it is cut off.
     * May sleep; no spinlock is held. NULL: peek finds all there are. -K_ENOMEM; -K_ENXIO:
     * the object has no such page (any more); -K_EIO: it cannot be read. */
    int (*page)(struct object *o, uint64_t index, paddr_t *frame);
    /* The name where it depends on what the mapping permits; NULL: o->name. */
    const char *(*name)(const struct object *o, uint64_t perm);
};

struct object {
    const struct object_ops *ops;
    const char *name; /* a few words: for vmmap, and for what is said of a failed access */
    bool zeros;       /* its pages are zero: a private one that is written is made, not copied */
    bool cached;      /* its frames are a cache's, so a mapping of them promises them */
    bool guarded;     /* right below is nothing, and a touch there is an overflow */
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
