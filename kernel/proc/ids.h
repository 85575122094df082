/* Numbers of processes and threads: one that anybody has is given to nobody else.
 *
 * They rise from 1 to the largest, and begin again. What is counted is not who has which, but how
 * many are in use of each block of neighbours; a block of which one is in use is passed over as a
 * whole. There are more blocks than there can be users, so one without any is always found; and
 * what has just been in use is not given again soon. */
#pragma once
#include "lib/types.h"

#define ID_LAST 0x3fffffff /* so that a lock has two bits more (endwords.h) */
#define ID_BLOCK 16384U    /* numbers in a block */
#define ID_BLOCKS (ID_LAST / ID_BLOCK + 1)

/* One that nobody has; the caller does, once. */
int32_t id_take(void);
/* Another user, of one that somebody has: a group that is named after a process, say. 0 is none. */
void id_hold(int32_t id);
/* One user less. 0: none. */
void id_give(int32_t id);

/* Boot argument first_id, for tests: the next number is this one or one above, if nobody has one of
 * its block. */
void id_begin_at(int32_t id);
