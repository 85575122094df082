/* Numbers of processes and threads: see ids.h. */
#include "proc/ids.h"
#include "lib/panic.h"
#include "mm/kstack.h"
#include "proc/ended.h"
#include "proc/proc.h"
#include "proc/session.h"

/* Each thread has a number, each process one, its group's and its session's, and each terminal
 * those of its session and its foreground; and whoever watches for an end has one. */
#define USERS_MOST (KSTACKS + 3 * PROCS_MAX + 2 * CONTROLS_MAX + ENDED_MOST)
_Static_assert(USERS_MOST < ID_BLOCKS, "there is a block without any");
_Static_assert(USERS_MOST <= UINT16_MAX, "all can be of one block");

static struct spinlock lock = SPINLOCK_INIT(RANK_IDS);
static uint16_t users[ID_BLOCKS];
static int32_t last;

static uint16_t *block_of(int32_t id) { return &users[(uint32_t)id / ID_BLOCK]; }

/* The next one by number. A new block is one that nobody uses. */
static int32_t next_locked(void) {
    ASSERT_LOCKED(&lock);
    int32_t id = last == ID_LAST ? 1 : last + 1;
    bool enters = id == 1 || (uint32_t)id % ID_BLOCK == 0;
    while (enters && *block_of(id)) {
        uint32_t block = ((uint32_t)id / ID_BLOCK + 1) % ID_BLOCKS;
        id = block ? (int32_t)(block * ID_BLOCK) : 1;
    }
    return id;
}

int32_t id_take(void) {
    spin_lock(&lock);
    int32_t id = last = next_locked();
    ++*block_of(id);
    spin_unlock(&lock);
    return id;
}

void id_hold(int32_t id) {
    if (!id)
        return;
    spin_lock(&lock);
    ASSERT(*block_of(id));
    ++*block_of(id);
    spin_unlock(&lock);
}

void id_give(int32_t id) {
    if (!id)
        return;
    spin_lock(&lock);
    ASSERT(*block_of(id));
    --*block_of(id);
    spin_unlock(&lock);
}

void id_begin_at(int32_t id) {
    spin_lock(&lock);
    if (id > 1 && !*block_of(id))
        last = id - 1;
    spin_unlock(&lock);
}
