/* Semaphores of System V: see semaphore.h. */
#include "proc/semaphore.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/clock.h"

/* What the end of a process changes in a set. */
struct undo {
    struct undo *next;
    const struct proc *by;
    int16_t change[SEMAPHORES_MOST];
};

struct set {
    struct semaphores_about about;
    uint32_t waiting; /* threads; the last of them frees a set that was removed */
    struct wait_channel changed;
    struct undo *undos;
    struct semaphore one[SEMAPHORES_MOST];
};

static struct ipc_table table = IPC_TABLE_INIT(RANK_SEMAPHORES);
static struct slab sets = SLAB_INIT(sets, sizeof(struct set));
static struct slab undos = SLAB_INIT(undos, sizeof(struct undo));

static struct set *of_thing(struct ipc_thing *t) {
    return t ? CONTAINER_OF(t, struct set, about.common) : NULL;
}
static struct set *find_locked(int32_t id) {
    ASSERT_LOCKED(&table.lock);
    return of_thing(ipc_find_locked(&table, id));
}

/* ---- sets ---- */

static int look(const struct ipc_wish *w, uint32_t n, struct set **fresh, int32_t *id) {
    struct ipc_thing *found;
    spin_lock(&table.lock);
    int err = ipc_look_locked(&table, w, &found);
    *id = -1;
    if (!err && !found && *fresh) {
        err = ipc_add_locked(&table, &(*fresh)->about.common);
        if (!err) {
            found = &(*fresh)->about.common;
            *fresh = NULL;
        }
    }
    if (!err && found && n > of_thing(found)->about.n)
        err = -K_EINVAL;
    if (!err && found)
        *id = found->id;
    spin_unlock(&table.lock);
    return err;
}

int semaphores_get(const struct ipc_wish *w, uint32_t n, int32_t *id) {
    struct set *fresh = NULL;
    if (n > SEMAPHORES_MOST)
        return -K_EINVAL;
    int err = look(w, n, &fresh, id);
    if (err || *id >= 0)
        return err;
    if (n == 0)
        return -K_EINVAL;
    fresh = slab_take(&sets);
    if (!fresh)
        return -K_ENOMEM;
    memset(fresh, 0, sizeof(*fresh));
    fresh->about = (struct semaphores_about){
        .common = {.key = w->key, .mode = w->mode, .changed = ipc_now()}, .n = n};
    wait_channel_init(&fresh->changed);
    err = look(w, n, &fresh, id);
    if (fresh)
        slab_give(&sets, fresh);
    return err;
}

static void free_unused_locked(struct set *s) {
    ASSERT_LOCKED(&table.lock);
    if (s->about.common.removed && s->waiting == 0)
        slab_give(&sets, s);
}

int semaphores_remove(int32_t id) {
    spin_lock(&table.lock);
    struct set *s = find_locked(id);
    if (s) {
        ipc_take_locked(&table, &s->about.common);
        s->about.common.removed = true;
        for (struct undo *u = s->undos, *next; u; u = next) {
            next = u->next;
            slab_give(&undos, u);
        }
        s->undos = NULL;
        wakeup(&s->changed);
        free_unused_locked(s);
    }
    spin_unlock(&table.lock);
    return s ? 0 : -K_EINVAL;
}

/* ---- operations ---- */

/* What stops step i of those that were done before, or n. *err: what it is, if that is no wait. */
static unsigned try_locked(struct set *s, const struct semaphore_step *step, unsigned n, int *err) {
    ASSERT_LOCKED(&table.lock);
    unsigned i = 0;
    *err = 0;
    for (; i < n; i++) {
        struct semaphore *one = &s->one[step[i].number];
        int32_t after = one->value + step[i].change;
        if (after > SEMAPHORE_VALUE)
            *err = -K_ERANGE;
        if (*err || after < 0 || (step[i].change == 0 && one->value))
            break;
        one->value = (uint16_t)after;
    }
    for (unsigned back = i; i < n && back > 0; back--) {
        const struct semaphore_step *done = &step[back - 1];
        s->one[done->number].value = (uint16_t)(s->one[done->number].value - done->change);
    }
    return i;
}

static struct undo *undo_of_locked(const struct set *s, const struct proc *p) {
    ASSERT_LOCKED(&table.lock);
    struct undo *u = s->undos;
    while (u && u->by != p)
        u = u->next;
    return u;
}

/* *spare: a record, if the process has none for this set. */
static void note_locked(struct set *s, const struct semaphore_step *step, unsigned n,
                        struct undo **spare) {
    ASSERT_LOCKED(&table.lock);
    struct proc *p = proc_self();
    struct undo *u = *spare ? undo_of_locked(s, p) : NULL;
    if (*spare && !u) {
        u = *spare;
        *spare = NULL;
        memset(u, 0, sizeof(*u));
        u->by = p;
        u->next = s->undos;
        s->undos = u;
        p->undoes_semaphores = true;
    }
    bool changes = false;
    for (unsigned i = 0; i < n; i++) {
        s->one[step[i].number].last = p->pid;
        changes |= step[i].change != 0;
        if (step[i].undone) {
            int32_t sum = u->change[step[i].number] - step[i].change;
            u->change[step[i].number] = (int16_t)MAX(MIN(sum, SEMAPHORE_VALUE), -SEMAPHORE_VALUE);
        }
    }
    s->about.operated_at = ipc_now();
    if (changes)
        wakeup(&s->changed);
}

static void wait_locked(struct set *s, const struct semaphore_step *why) {
    ASSERT_LOCKED(&table.lock);
    struct semaphore *one = &s->one[why->number];
    uint16_t *count = why->change ? &one->wait_more : &one->wait_zero;
    ++*count;
    s->waiting++;
    sleep_on(&s->changed, &table.lock);
    --*count;
    s->waiting--;
}

static int do_locked(struct set *s, const struct semaphore_step *step, unsigned n,
                     struct undo **spare) {
    ASSERT_LOCKED(&table.lock);
    for (unsigned i = 0; i < n; i++)
        if (step[i].number >= s->about.n)
            return -K_EFBIG;
    for (;;) {
        int err;
        unsigned stopped = try_locked(s, step, n, &err);
        if (err)
            return err;
        if (stopped == n)
            break;
        if (step[stopped].nowait || clock_alarm_rang())
            return -K_EAGAIN;
        if (proc_interrupted())
            return -K_EINTR;
        wait_locked(s, &step[stopped]);
        if (s->about.common.removed) {
            free_unused_locked(s);
            return -K_EIDRM;
        }
    }
    note_locked(s, step, n, spare);
    return 0;
}

int semaphores_do(int32_t id, const struct semaphore_step *step, unsigned n, uint64_t until) {
    struct undo *spare = NULL;
    bool undone = false;
    for (unsigned i = 0; i < n; i++)
        undone |= step[i].undone;
    if (undone && !(spare = slab_take(&undos)))
        return -K_ENOMEM;
    clock_set_alarm(until);
    spin_lock(&table.lock);
    struct set *s = find_locked(id);
    int err = s ? do_locked(s, step, n, &spare) : -K_EINVAL;
    spin_unlock(&table.lock);
    clock_end_alarm();
    if (spare)
        slab_give(&undos, spare);
    return err;
}

/* ---- what is known of them ---- */

int semaphores_look(int32_t id, bool by_place, struct semaphores_about *out) {
    spin_lock(&table.lock);
    struct set *s = by_place ? of_thing(ipc_at_locked(&table, (uint32_t)id)) : find_locked(id);
    if (s)
        *out = s->about;
    spin_unlock(&table.lock);
    return s ? 0 : -K_EINVAL;
}

int semaphores_one(int32_t id, uint32_t number, struct semaphore *out) {
    spin_lock(&table.lock);
    const struct set *s = find_locked(id);
    bool found = s && number < s->about.n;
    if (found)
        *out = s->one[number];
    spin_unlock(&table.lock);
    return found ? 0 : -K_EINVAL;
}

int semaphores_values(int32_t id, uint16_t value[SEMAPHORES_MOST]) {
    spin_lock(&table.lock);
    const struct set *s = find_locked(id);
    for (uint32_t i = 0; s && i < s->about.n; i++)
        value[i] = s->one[i].value;
    spin_unlock(&table.lock);
    return s ? 0 : -K_EINVAL;
}

static void set_value_locked(struct set *s, uint32_t number, uint16_t value) {
    ASSERT_LOCKED(&table.lock);
    s->one[number].value = value;
    s->one[number].last = proc_self()->pid;
    for (struct undo *u = s->undos; u; u = u->next)
        u->change[number] = 0;
}

int semaphores_set_values(int32_t id, uint32_t first, uint32_t count, const uint16_t *value) {
    for (uint32_t i = 0; i < count; i++)
        if (value[i] > SEMAPHORE_VALUE)
            return -K_ERANGE;
    spin_lock(&table.lock);
    struct set *s = find_locked(id);
    bool fits = s && first < s->about.n && count <= s->about.n - first;
    for (uint32_t i = 0; fits && i < count; i++)
        set_value_locked(s, first + i, value[i]);
    if (fits) {
        s->about.common.changed = ipc_now();
        wakeup(&s->changed);
    }
    spin_unlock(&table.lock);
    return fits ? 0 : -K_EINVAL;
}

int semaphores_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode) {
    spin_lock(&table.lock);
    struct ipc_thing *t = ipc_find_locked(&table, id);
    if (t)
        ipc_set_locked(&table, t, uid, gid, mode);
    spin_unlock(&table.lock);
    return t ? 0 : -K_EINVAL;
}

void semaphores_count(uint32_t *n_sets, uint32_t *all, uint32_t *places) {
    spin_lock(&table.lock);
    *n_sets = table.used;
    *places = ipc_places_locked(&table);
    *all = 0;
    for (uint32_t i = 0; i < *places; i++)
        *all += table.thing[i] ? of_thing(table.thing[i])->about.n : 0;
    spin_unlock(&table.lock);
}

/* ---- the end of a process ---- */

/* As far as it goes: a value stays between 0 and the most. */
static void undo_locked(struct set *s, const struct proc *p) {
    ASSERT_LOCKED(&table.lock);
    struct undo **at = &s->undos;
    while (*at && (*at)->by != p)
        at = &(*at)->next;
    struct undo *u = *at;
    if (!u)
        return;
    *at = u->next;
    for (uint32_t i = 0; i < s->about.n; i++) {
        int32_t after = s->one[i].value + u->change[i];
        s->one[i].value = (uint16_t)MAX(MIN(after, SEMAPHORE_VALUE), 0);
        if (u->change[i])
            s->one[i].last = p->pid;
    }
    slab_give(&undos, u);
    wakeup(&s->changed);
}

void semaphores_end(struct proc *p) {
    for (uint32_t i = 0; p->undoes_semaphores && i < IPC_MOST; i++) {
        spin_lock(&table.lock);
        struct set *s = of_thing(ipc_at_locked(&table, i));
        if (s)
            undo_locked(s, p);
        spin_unlock(&table.lock);
    }
    p->undoes_semaphores = false;
}
