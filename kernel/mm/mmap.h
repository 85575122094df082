/* Memory that a process maps where it or the kernel likes: what mmap and its kin need of the
 * memory core (syscall/sysmmap.c has their rules). Each works on the running process's space,
 * and has done nothing when it fails, but where it says so. Threads of one process may call them at
 * once: one changes mappings at a time (turn.h), so all may sleep. What takes long is done in
 * pieces (mm/pieces.h): no spinlock is held.
 *
 * Ranges are page-aligned, not empty, and end at USER_MAX at most. Where nobody said where,
 * it is from USER_MAX downwards, away from the heap. */
#pragma once
#include "lib/abi.h"
#include "mm/aspace.h"

enum map_place {
    MAP_HINT,   /* there if nothing is, else anywhere */
    MAP_FREE,   /* there and nowhere else: -K_EEXIST when something is */
    MAP_REPLACE /* there, in place of what is */
};

struct map_request {
    uint64_t start; /* 0 with MAP_HINT: no wish */
    uint64_t bytes;
    enum map_place place;
    struct object *object; /* the mapping takes a reference of its own */
    uint64_t first;        /* the object's page that is shown at start */
    unsigned prot, limit;  /* ABI_PROT_..., now and ever */
    bool shared;
    bool no_promise; /* private pages are lazy (commit.h), now and when it may be written later */
};

/* *start: where it is mapped. Of shared memory that takes no stores (object.h) it is made so that
 * it never may be written, or, if that is asked for now, object->stores_error. -K_EEXIST;
 * -K_ENOMEM: no room, or it cannot be promised. */
int aspace_map(struct aspace *as, const struct map_request *r, uint64_t *start) must_check;

/* Where memory could be mapped that has to begin at a multiple of align, a power of two; 0: no
 * room. For a space that nobody runs. */
uint64_t aspace_find_room(struct aspace *as, uint64_t bytes, uint64_t align);

/* Takes away all that is mapped in the range; whatever it was, the program and the heap too.
 * -K_ENOMEM: no memory to keep both ends of one mapping. */
int aspace_unmap(struct aspace *as, uint64_t start, uint64_t end) must_check;

enum remap_place {
    REMAP_HERE,     /* it stays where it is */
    REMAP_ANYWHERE, /* it moves when it has to */
    REMAP_THERE     /* to `to`, in place of what is there; no part of the old place */
};

struct remap_request {
    uint64_t start;     /* of a mapping, or inside of one */
    uint64_t old_bytes; /* 0: shared memory is mapped once more, and the old mapping stays */
    uint64_t bytes;     /* not 0 */
    enum remap_place place;
    uint64_t to;
    bool keep; /* it moves, both sizes are alike, and the old place stays mapped, with no pages */
};

/* The pages of a mapping get more or less room, or another place, *start; pages are not copied.
 * -K_EFAULT: the old range is not in one mapping; -K_EINVAL: private memory and old_bytes 0;
 * -K_ENOMEM: no room (there), or it cannot be promised; of a file also that more than there is was
 * promised for it, which it then keeps as long as somebody maps it. */
int aspace_remap(struct aspace *as, const struct remap_request *r, uint64_t *start) must_check;

/* -K_ENOMEM: something in the range is not mapped, or what may be written now cannot be
 * promised; -K_EACCES: something there may never permit this. */
int aspace_protect(struct aspace *as, uint64_t start, uint64_t end, unsigned prot) must_check;

/* Whether all of the range is mapped. */
bool aspace_is_granted(struct aspace *as, uint64_t start, uint64_t end);

/* Gives back the range's private pages; the next touch finds what the object has. -K_ENOMEM:
 * something in the range is not mapped; the rest is done all the same. */
int aspace_drop(struct aspace *as, uint64_t start, uint64_t end) must_check;

/* What was stored in the range's shared pages of files is on the disk. May sleep. -K_EIO: some
 * of it will never be. */
int aspace_sync(struct aspace *as, uint64_t start, uint64_t end) must_check;

/* Touches pages from *at on that are mapped and can be had, some hundreds at most, with a write if
 * write is true and the page may be written; *at: where to go on, end or beyond when all is done.
 * May sleep. -K_ENOMEM: there is no memory for the last one; what else keeps a page away shows when
 * somebody wants it. */
int aspace_touch(struct aspace *as, uint64_t *at, uint64_t end, bool write) must_check;
