/* Things of System V: shared memory, sets of semaphores and queues of messages. Each is known by a
 * number, and by a key unless that is 0 (IPC_PRIVATE), and stays until somebody removes it, whoever
 * has made it. There are IPC_MOST of each sort; a number is not given again soon.
 *
 * Lock: the table's, a spinlock, guards the table and what is common of the things in it. */
#pragma once
#include "sync/spinlock.h"

#define IPC_MOST 256U

struct ipc_thing {
    int32_t id, key;
    uint32_t uid, gid, mode; /* told, and never asked */
    int64_t changed;         /* seconds since 1970 */
    bool removed;            /* it has no key any more, and goes when nobody uses it */
};

struct ipc_table {
    struct spinlock lock;
    uint32_t used, turn;
    struct ipc_thing *thing[IPC_MOST];
};

/* For one with the name `table` that stands alone. */
#define IPC_TABLE_INIT(its_rank) \
    { .lock = SPINLOCK_INIT(its_rank) }

/* NULL: there is none. The table's lock is held, as in all below. */
struct ipc_thing *ipc_find_locked(const struct ipc_table *t, int32_t id);
struct ipc_thing *ipc_at_locked(const struct ipc_table *t, uint32_t index);
/* How many places there are up to the last one in use. */
uint32_t ipc_places_locked(const struct ipc_table *t);

/* A new one, with everything but its number. -K_ENOSPC: there are as many as there can be. */
int ipc_add_locked(struct ipc_table *t, struct ipc_thing *one) must_check;
void ipc_take_locked(struct ipc_table *t, struct ipc_thing *one);

void ipc_set_locked(const struct ipc_table *t, struct ipc_thing *one, uint32_t uid, uint32_t gid,
                    uint32_t mode);

/* What a program asks for. */
struct ipc_wish {
    int32_t key;
    uint32_t mode;
    bool create, fresh; /* when there is none; and only then */
};
/* What there is under the key, or NULL, when one is to be made. -K_ENOENT, -K_EEXIST. */
int ipc_look_locked(const struct ipc_table *t, const struct ipc_wish *w,
                    struct ipc_thing **out) must_check;

int64_t ipc_now(void); /* seconds since 1970 */
