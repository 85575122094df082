/* Changes of a space's mappings, with all that hangs on them: the promise, the leaves in
 * both views, the TLB, the frames. The caller has the space's lock and its turn (turn.h), or nobody
 * else knows the space. It may run on any harts.
 *
 * What goes over pages gives the lock back in between (mm/pieces.h), for which it must be held.
 * Then each leaf, and each mapping, is as before or as after, and no hart uses what a leaf does not
 * say; but while permissions change, leaves may still permit what their mapping no longer does.
 * What others do meanwhile: faults make leaves outside of the range, which is closed; and an object
 * (rmap.h) takes away, anywhere.
 *
 * Addresses are page-aligned, below or at USER_MAX, start < end. */
#pragma once
#include "mm/aspace.h"

/* While leaves are taken out, and their frames given back. */
struct putting {
    struct aspace *as;
    uint64_t freed; /* leaves whose last owner this was; in a lazy mapping of 4 KiB all */
};

/* Grants what m says (object, permissions, place; rank and links mean nothing) where there is
 * nothing yet; joined with neighbours that it continues. -K_ENOMEM: nothing changed. */
int change_add(struct aspace *as, const struct mapping *m) must_check;

/* The same in place of whatever is granted there, which goes in pieces. */
int change_replace(struct aspace *as, const struct mapping *m) must_check;

/* The same, and commit_settle is still to be called, once for all that is inserted. */
int change_insert(struct aspace *as, const struct mapping *m) must_check;

/* Maps those pages of [start, end) now that their object has in memory, so that no fault is
 * needed. Nothing is mapped there yet. */
void change_populate(struct aspace *as, uint64_t start, uint64_t end);

/* Takes away whatever is granted in [start, end), in pieces. -K_ENOMEM: nothing changed; only when
 * it would leave both ends of one mapping. */
int change_remove(struct aspace *as, uint64_t start, uint64_t end) must_check;

/* Pages of one mapping that go to another place. */
struct change_move {
    uint64_t start, end; /* inside of one mapping; not empty */
    uint64_t gone;       /* from end on to here nothing stays granted; end: that is nothing */
    uint64_t target, target_end; /* no part of the above; at least as large as what moves */
    bool keeps;                  /* the old place stays granted, with no pages of its own */
};

/* Grants all of the target as at `start`, in place of whatever is there, with the leaves that there
 * are from start to end; they are granted no more where they were, unless it keeps that. In pieces:
 * meanwhile both are granted and closed to faults, and so is what lies between. -K_ENOMEM: nothing
 * changed. */
int change_move(struct aspace *as, const struct change_move *c) must_check;

/* Changes the permissions of all that is granted in [start, end), in pieces. -K_ENOMEM: nothing
 * changed. */
int change_protect(struct aspace *as, uint64_t start, uint64_t end, uint8_t perm) must_check;

/* Promises what [start, end), inside of one lazy mapping, may come to need. -K_ENOMEM: nothing
 * changed. The frames that it has there bring promises of their own, which are the caller's
 * to give back. */
int change_promise(struct aspace *as, uint64_t start, uint64_t end) must_check;

/* Drops the pages of [start, end) that the space owns, so that the next touch finds what the
 * object has; but for those that it was given filled. The mappings stay. In pieces. */
void change_drop_pages(struct aspace *as, uint64_t start, uint64_t end);

/* Of [start, end), a part of m: the leaves lose W; or the pages go, own copies too, and the next
 * touch asks the object again. For rmap.c, without a turn. The lock is held throughout, so the part
 * is not large. */
void change_forbid_writes(struct aspace *as, const struct mapping *m, uint64_t start, uint64_t end);
void change_take_away(struct aspace *as, const struct mapping *m, uint64_t start, uint64_t end);

/* After a flush, before what was taken away is given back: no hart copies any more from or to a
 * page that it had found (aspace_page) before the change. */
void change_wait_for(uint32_t others, const struct aspace *as);
static inline void change_wait_for_copies(const struct aspace *as) {
    uint32_t others = tlb_active_elsewhere(&as->tlb);
    if (__builtin_expect(others, 0))
        change_wait_for(others, as);
}

/* Makes small leaves of the large one e at va, and small frames of the one behind it; nothing else
 * changes, so no hart is told. */
void change_split(struct aspace *as, uint64_t va, pte_t e, unsigned level);

/* After the user's leaves in [start, end) changed: the kernel's view follows; finish is called
 * after the flush. */
void change_sync(struct aspace *as, uint64_t start, uint64_t end);
void change_sync_finish(struct aspace *as);
