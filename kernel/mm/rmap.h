/* Reverse maps: in which mappings, of whichever spaces, an object's pages may be shown. For
 * objects that take pages away from those who have mapped them, or want to know when one is
 * written (object.h, tracks_writes).
 *
 * A space's lock comes before a map's: whoever changes mappings has the space's and takes the
 * map's. The other way, from the object to the spaces, locks are tried, and the map's is given back
 * when a space's is not free. A mapping leaves the map under the space's lock, when it shows
 * nothing any more and its space has all its tables; so what is found in a map is a mapping of a
 * space that is whole, but for what its process is just adding or taking out (pieces.h), and what
 * is found in none shows nothing. */
#pragma once
#include "lib/list.h"
#include "mm/mapping.h"
#include "sync/spinlock.h"

struct aspace;

struct rmap {
    struct spinlock lock;
    struct list mappings; /* and marks of those who go through it */
    /* Of the mappings, those that are shared, and written or may become so; and those who are about
     * to make one. */
    uint32_t writable;
};

/* Nobody knows it yet. It is in use as long as somebody refers to its object. */
void rmap_init(struct rmap *r);

/* A mapping in a tree, whose space's lock is held, joins its object's map, if that has one, or
 * leaves it. Who puts one there that is shared, and may be written, has begun to (below), or there
 * is another one of the object all the while. */
void rmap_add(struct mapping *m, struct mappings *all);
void rmap_remove(struct mapping *m);
/* The mapping is going to show more, before its space's lock is given back: whoever goes through
 * the map and has passed it comes to it once more. */
void rmap_grown(struct mapping *m);
/* All of a space, whose lock is held; in pieces (pieces.h), so others may find some of them. */
void rmap_add_all(struct aspace *as);
void rmap_remove_all(struct aspace *as);

/* The caller is about to make a shared mapping of o that may be written: until the end of that
 * nobody can forbid it. Not 0: o->stores_error, it is forbidden, and there is nothing to end. */
int rmap_begin_stores(struct object *o) must_check;
void rmap_end_stores(struct object *o);

/* Whether somebody has a shared mapping that may be written, or become so, or is making one. */
bool rmap_may_write_locked(const struct rmap *r) must_check;
/* There is none such, and with this error from now on there will be none, of o, whose map it is.
 * -K_EBUSY: there is one, and nothing changed. */
int rmap_forbid_stores(struct rmap *r, struct object *o, int err) must_check;

/* From here on a write to one of these pages through a shared mapping faults, and asks the
 * object's page first. What was stored before is in the frames. In pieces: no spinlock is held. */
void rmap_forbid_writes(struct rmap *r, uint64_t first, uint64_t pages);

/* No mapping shows these pages any more, nor has a copy of its own of one; the next touch asks
 * the object's page. Whoever could show them again is kept out by the caller. In pieces: no
 * spinlock is held. */
void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages);
