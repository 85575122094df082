/* What of an address space is promised (frame.h), and what is not.
 *
 * A region is promised or lazy. All that a promised region may come to need is committed
 * when it is granted, to the space, page tables included; so a touch of it never fails.
 * Nothing is committed for a lazy region. Each of its frames is committed when it is taken
 * and given up when it is free: the promise goes with the frame, whoever shares it after
 * fork, and the next writer's copy is a promise of its own. So a touch may fail, and takes
 * only what nobody else was promised. Tables of a lazy region are committed to the space
 * (lazy_tables) when a touch first needs them.
 *
 * A frame is never in a lazy region of one space and in a promised one of another: fork
 * copies regions as they are, and in one space the border between two regions moves over a
 * page only with its frame (aspace.c, promise_last_page). A program's frames belong to its
 * image, which has promised them itself.
 *
 * With the boot argument commit=lazy every region that may come to need frames is lazy. */
#pragma once
#include "mm/aspace.h"

extern bool commit_lazy; /* the boot argument */

/* Boot. Two spaces that share a promised frame have two promises for it: the frame itself and
 * one copy. But both may find it shared and copy it at once, on two harts, and until the
 * second has put it the old frame is in use beyond what was promised. One spare frame for
 * each hart makes up for that. -K_ENOMEM: there is no memory. */
int commit_spares(uint32_t hart_number) must_check;

/* Whether a process may come to need frames of its own for a region like this. */
bool commit_is_private(enum region_kind kind, uint64_t perm);

/* Brings the space's promise in line with its regions. -K_ENOMEM: as before; never when
 * they have shrunk. */
int commit_regions(struct aspace *as) must_check;

/* For the fault at hand, in a lazy region: a frame, and as many tables of the user's as are
 * missing. -K_ENOMEM: nothing was committed. */
int commit_touch(struct aspace *as, const struct region *r, unsigned missing_tables) must_check;

/* Tables of both views that lazy heap of this space needs now. */
uint64_t commit_tables_in_use(const struct aspace *as);
/* After the regions have shrunk, before commit_regions: tables may have gone. */
void commit_count_tables(struct aspace *as);
