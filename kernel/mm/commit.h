/* What of an address space is promised (frame_account.h), and what is not.
 *
 * A mapping is promised or lazy. All that a promised one may come to need is committed to
 * the space when it is made, page tables included; so a touch of it never fails for want of
 * memory. That is a frame for each page if it owns pages (mapping.h), and the tables; an
 * object's own frames are the object's to promise.
 * Nothing is committed for the pages of a lazy one. Each of its frames is committed when it is
 * taken and given up when it is free: the promise goes with the frame, whoever shares it after
 * fork, and the next writer's copy is a promise of its own. So a touch may fail, and takes
 * only what nobody else was promised. Tables that only lazy mappings need are committed to the
 * space (lazy_tables) when a touch first needs them; but small lazy mappings, as a
 * program's under commit=lazy, have theirs promised.
 *
 * A frame is never in a lazy mapping of one space and in a promised one of another: fork
 * copies mappings as they are, and in one space the border between two moves over a
 * page only with its frame (heap.c, promise_last_page).
 *
 * With the boot argument commit=lazy all that owns pages is lazy; else what was mapped so
 * (MAP_NORESERVE), stacks, and what sbrk was asked for so. */
#pragma once
#include "mm/aspace.h"

extern bool commit_lazy; /* the boot argument */

/* Boot. Every promised frame that is in some table is one that somebody was promised; but a hart
 * may have others in hand for a moment. Two threads that fault on one page both have a new frame,
 * and the page was promised once. Two spaces that share a frame have two promises for it, the frame
 * itself and one copy; both may copy it at once, and until the second has put it the old frame is
 * in use as well. These are two in hand at most (ready.h), and so many spare frames each hart has.
 * -K_ENOMEM: there is no memory. */
int commit_spares(uint32_t hart_number) must_check;

/* m is about to join the space's mappings, or has left them; or grows by what m is, or has
 * shrunk by it. What the space needs is counted again; nothing is promised. */
void commit_add(struct aspace *as, const struct mapping *m);
void commit_remove(struct aspace *as, const struct mapping *m);

/* The most that a mapping like this can add to what the space needs. */
uint64_t commit_most(const struct aspace *as, const struct mapping *m);

/* Of that, for pages; they stay promised when a mapping moves. */
uint64_t commit_pages(const struct mapping *m);
/* Tables of both views that the leaves of m, whose tables are lazy, may need when they move to
 * where `to` is. In pieces; m is closed to faults, so it stays so. */
uint64_t commit_to_move(struct aspace *as, const struct mapping *m, const struct mapping *to);

/* Brings the space's promise in line with what it needs. -K_ENOMEM: as before; never when
 * it needs no more than it did. */
int commit_settle(struct aspace *as) must_check;

/* For the fault at hand, in a mapping whose tables are lazy: those of the user's that are missing.
 * -K_ENOMEM: nothing was committed. */
int commit_missing_tables(struct aspace *as, unsigned missing) must_check;

/* Tables of both views that lazy mappings of this space need now. It runs on this hart, or on none.
 * With its lock, which is given back in between (pieces.h): there may be less already, but not
 * more. */
uint64_t commit_tables_in_use(struct aspace *as);
/* After mappings have gone, before commit_settle: tables may have gone. As above. */
void commit_count_tables(struct aspace *as);
