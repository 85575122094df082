/* The tables of System V's things: see ipc.h. */
#include "proc/ipc.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "proc/clock.h"

#define TURNS 4194304U /* numbers are positive */

int64_t ipc_now(void) { return (int64_t)(clock_date() / 1000000000); }

struct ipc_thing *ipc_at_locked(const struct ipc_table *t, uint32_t index) {
    ASSERT_LOCKED(&t->lock);
    return index < IPC_MOST ? t->thing[index] : NULL;
}

struct ipc_thing *ipc_find_locked(const struct ipc_table *t, int32_t id) {
    ASSERT_LOCKED(&t->lock);
    struct ipc_thing *one = id < 0 ? NULL : t->thing[(uint32_t)id % IPC_MOST];
    return one && one->id == id ? one : NULL;
}

static struct ipc_thing *of_key_locked(const struct ipc_table *t, int32_t key) {
    ASSERT_LOCKED(&t->lock);
    for (uint32_t i = 0; i < IPC_MOST; i++)
        if (t->thing[i] && t->thing[i]->key == key && !t->thing[i]->removed)
            return t->thing[i];
    return NULL;
}

uint32_t ipc_places_locked(const struct ipc_table *t) {
    ASSERT_LOCKED(&t->lock);
    uint32_t n = IPC_MOST;
    while (n > 0 && !t->thing[n - 1])
        n--;
    return n;
}

int ipc_add_locked(struct ipc_table *t, struct ipc_thing *one) {
    ASSERT_LOCKED(&t->lock);
    uint32_t place = 0;
    while (place < IPC_MOST && t->thing[place])
        place++;
    if (place == IPC_MOST)
        return -K_ENOSPC;
    t->thing[place] = one;
    t->used++;
    one->id = (int32_t)(t->turn * IPC_MOST + place);
    t->turn = (t->turn + 1) % TURNS;
    return 0;
}

void ipc_take_locked(struct ipc_table *t, struct ipc_thing *one) {
    ASSERT_LOCKED(&t->lock);
    uint32_t place = (uint32_t)one->id % IPC_MOST;
    ASSERT(t->thing[place] == one);
    t->thing[place] = NULL;
    t->used--;
}

void ipc_set_locked(const struct ipc_table *t, struct ipc_thing *one, uint32_t uid, uint32_t gid,
                    uint32_t mode) {
    ASSERT_LOCKED(&t->lock);
    one->uid = uid;
    one->gid = gid;
    one->mode = mode;
    one->changed = ipc_now();
}

int ipc_look_locked(const struct ipc_table *t, const struct ipc_wish *w, struct ipc_thing **out) {
    ASSERT_LOCKED(&t->lock);
    *out = w->key ? of_key_locked(t, w->key) : NULL;
    if (*out)
        return w->create && w->fresh ? -K_EEXIST : 0;
    return w->create || !w->key ? 0 : -K_ENOENT;
}
