/* What changes of mappings are made of (change.c), for those that have a file of their own
 * (move.c, withdraw.c). With the turn and the lock, as in change.h. */
#pragma once
#include "mm/change.h"

/* A record for a mapping like m, in no tree yet. NULL: no memory, or there are too many. */
struct mapping *change_record(const struct aspace *as, const struct mapping *m);
/* Gives one back that is in no tree any more. The lock may be given back meanwhile. */
void change_put_record(struct aspace *as, struct mapping *m);

/* Makes two of a mapping that va lies inside of, and undoes that. -K_ENOMEM: it is as it was. */
int change_cut(struct aspace *as, uint64_t va) must_check;
void change_uncut(struct aspace *as, uint64_t va);

/* Takes away whatever is granted in [start, end), in pieces, where no mapping begins before and
 * ends behind it. The range is closed, and nobody has claimed some of it. */
void change_trim(struct aspace *as, uint64_t start, uint64_t end);
/* Takes out the user's leaves from at on, at most to end, flushes, and gives them back; returns
 * where it stopped. lazy: their promises go with them. *cost: as pieces.h counts it. */
uint64_t change_remove_some(struct aspace *as, uint64_t at, uint64_t end, bool lazy,
                            unsigned *cost);
/* Less is needed than before, and tables may have gone: the promise follows. In pieces. */
void change_settle_less(struct aspace *as);

/* No large leaf, and no large frame behind one, crosses va; none is left in [start, end), where
 * only what is promised may have one. The second in pieces. */
void change_split_at(struct aspace *as, uint64_t va);
void change_split_all(struct aspace *as, uint64_t start, uint64_t end);

/* What pt_unmap and pt_move gather for this hart's change. It is empty in each break. */
struct pt_gather *change_gather(void);
/* Leaves have lost something: no hart uses what they permitted, nor copies by it. */
void change_flush_narrowed(struct aspace *as);
