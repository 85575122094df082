/* Mappings: which addresses a process may use, and what is behind them. A space has any
 * number of them, none empty, no two with an address in common, in a tree that is sorted by
 * address: to find one, to put one in and to take one out are O(log n).
 *
 * They are a list in order of address, too. The tree is a treap: sorted by address as a search
 * tree, and by rank, a random number, as a heap, which keeps it about as low as a balanced one
 * without any work of balancing. Each one knows the widest gap in the tree below it, so to find
 * one with room is O(log n), too.
 *
 * A space's lock guards its tree and the mappings in it; by_object is guarded by the reverse
 * map's. */
#pragma once
#include "arch/layout.h"
#include "lib/list.h"
#include "mm/object.h"

struct mapping {
    uint64_t start, end;   /* page-aligned */
    struct object *object; /* a reference */
    uint64_t first;        /* the number of start's page in the object */
    uint32_t rank;         /* no child's is higher */
    uint8_t perm;          /* PTE_R | PTE_W | PTE_X; with anything there is R */
    uint8_t limit;         /* what perm may become */
    bool shared;           /* writes go to the object's pages, else each space gets its own */
    bool owns;             /* may come to need frames of its own: private, and was once writable */
    bool lazy;             /* no frames are promised for it: see commit.h */
    bool lazy_tables;      /* nor page tables */
    bool no_promise;       /* asked for so: it is lazy as soon as it owns pages */
    bool touched;          /* false: no page of it is there, and never was */
    struct mapping *up, *lower, *upper; /* in the tree: above it, and below */
    struct mapping *prev, *next;        /* in order of address */
    uint64_t widest;       /* in bytes, of the gaps right below it and those below it in the tree */
    struct list by_object; /* in the object's reverse map, if it has one (rmap.h) */
    struct mappings *all;  /* then: the tree that it is in */
};

/* What m says of memory, without its places in the tree, in the list and in the reverse map: the
 * last has a lock of its own. Nothing is taken. */
static inline void mapping_copy(struct mapping *to, const struct mapping *m) {
    *to = (struct mapping){.start = m->start,
                           .end = m->end,
                           .object = m->object,
                           .first = m->first,
                           .rank = m->rank,
                           .perm = m->perm,
                           .limit = m->limit,
                           .shared = m->shared,
                           .owns = m->owns,
                           .lazy = m->lazy,
                           .lazy_tables = m->lazy_tables,
                           .no_promise = m->no_promise,
                           .touched = m->touched};
}

struct mappings {
    struct mapping *root, *first, *last;
    struct mapping *recent; /* what mapping_again found last, while it is in the tree */
    uint32_t count;
    uint32_t lazy; /* of them, those with lazy_tables */
};

/* A record like m with a reference of its own to the object, in no tree. NULL: no memory. */
struct mapping *mapping_new(const struct mapping *m) must_check;
/* Its reference goes with it: no spinlock is held if that may be the last one. */
void mapping_free(struct mapping *m);

/* Frames that records of mappings are in. */
uint64_t mapping_frames(void);

/* The one that va is in; the first that ends above va; the last that begins below va. NULL:
 * there is none. */
struct mapping *mapping_at(const struct mappings *all, uint64_t va);
struct mapping *mapping_from(const struct mappings *all, uint64_t va);
struct mapping *mapping_below(const struct mappings *all, uint64_t va);

/* In and out of the tree. */
void mapping_put(struct mappings *all, struct mapping *m);
void mapping_take(struct mappings *all, struct mapping *m);

/* Moves the borders of one that is in a tree, as far as no other one is touched. */
void mapping_move(struct mapping *m, uint64_t start, uint64_t end);

/* The highest gap of at least so many bytes, above page 0 and below USER_MAX. Empty: there is
 * none. */
struct gap {
    uint64_t start, end;
};
struct gap mapping_gap(const struct mappings *all, uint64_t bytes);

/* Makes an empty tree a copy, which objects' reverse maps do not know of yet. -K_ENOMEM: it is
 * empty. In pieces (pieces.h): the copied one is the caller's to keep as it is. */
int mapping_copy_all(struct mappings *to, const struct mappings *from) must_check;
/* Those, too, have forgotten them. In pieces: nobody else knows the tree. */
void mapping_free_all(struct mappings *all);

/* As mapping_at, for faults: the next one is often in the same mapping. By the space's own
 * process, with the lock. */
static inline struct mapping *mapping_again(struct mappings *all, uint64_t va) {
    struct mapping *m = all->recent;
    if (!m || va < m->start || va >= m->end)
        m = all->recent = mapping_at(all, va);
    return m;
}

static inline uint64_t mapping_pages(const struct mapping *m) {
    return (m->end - m->start) / PAGE_SIZE;
}

/* Whether the object wants to know of a write to its pages. */
static inline bool mapping_tracks_writes(const struct mapping *m) {
    return m->shared && m->object->tracks_writes;
}

/* The number of va's page in the object. */
static inline uint64_t mapping_index(const struct mapping *m, uint64_t va) {
    return m->first + (va - m->start) / PAGE_SIZE;
}
