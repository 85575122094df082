/* Shared memory of System V: see segment.h. The pages are those of an object as fork's children
 * share it (mm/shm.h); around it is one that counts who maps it. */
#include "proc/segment.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/mmap.h"
#include "mm/shm.h"
#include "mm/slab.h"
#include "proc/proc.h"

struct segment {
    struct object object;
    struct object *memory;
    uint32_t refs; /* atomic: mappings, and the table's until it is removed */
    uint64_t pages;
    struct segment_about about; /* the table's lock */
};

static struct ipc_table table = IPC_TABLE_INIT(RANK_SEGMENTS);
static struct slab records = SLAB_INIT(records, sizeof(struct segment));

static struct segment *of_object(struct object *o) {
    return CONTAINER_OF(o, struct segment, object);
}
static struct segment *of_thing(struct ipc_thing *t) {
    return CONTAINER_OF(t, struct segment, about.common);
}

/* ---- as an object ---- */

static void get(struct object *o) { __atomic_fetch_add(&of_object(o)->refs, 1, __ATOMIC_RELAXED); }

/* Whoever finds it in the table until then takes no reference (hold_locked). */
static void put(struct object *o) {
    struct segment *s = of_object(o);
    if (__atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    spin_lock(&table.lock);
    ipc_take_locked(&table, &s->about.common);
    spin_unlock(&table.lock);
    object_put(s->memory);
    slab_give(&records, s);
}

static paddr_t peek(struct object *o, uint64_t index) {
    struct object *m = of_object(o)->memory;
    return m->ops->peek(m, index);
}

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    struct object *m = of_object(o)->memory;
    return m->ops->page(m, index, most, write, show, ctx);
}

static const struct object_ops segment_ops = {.get = get, .put = put, .peek = peek, .page = page};

/* A reference, unless the last one has gone. */
static bool hold_locked(struct segment *s) {
    ASSERT_LOCKED(&table.lock);
    uint32_t refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED);
    while (refs > 0)
        if (__atomic_compare_exchange_n(&s->refs, &refs, refs + 1, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

/* ---- making one ---- */

static int make(const struct ipc_wish *w, uint64_t bytes, struct segment **out) {
    struct segment *s = slab_take(&records);
    if (!s)
        return -K_ENOMEM;
    uint64_t pages = ROUND_UP(bytes, PAGE_SIZE) / PAGE_SIZE;
    *s = (struct segment){
        .object = {.ops = &segment_ops, .name = "shared memory with a key"},
        .refs = 1,
        .pages = pages,
        .about = {.common = {.key = w->key, .mode = w->mode, .changed = ipc_now()},
                  .bytes = bytes,
                  .maker = proc_self()->pid}};
    int err = shm_create(pages, &s->memory);
    if (err)
        slab_give(&records, s);
    *out = s;
    return err;
}

/* Another one may have been made meanwhile: then *fresh is still the caller's. */
static int look(const struct ipc_wish *w, uint64_t bytes, struct segment **fresh, int32_t *id) {
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
    if (!err && found && bytes > of_thing(found)->about.bytes)
        err = -K_EINVAL;
    if (!err && found)
        *id = found->id;
    spin_unlock(&table.lock);
    return err;
}

int segment_get(const struct ipc_wish *w, uint64_t bytes, int32_t *id) {
    struct segment *fresh = NULL;
    int err = look(w, bytes, &fresh, id);
    if (err || *id >= 0)
        return err;
    if (bytes == 0 || bytes > USER_MAX)
        return -K_EINVAL;
    err = make(w, bytes, &fresh);
    if (err)
        return err;
    err = look(w, bytes, &fresh, id);
    if (fresh) {
        object_put(fresh->memory);
        slab_give(&records, fresh);
    }
    return err;
}

/* ---- what is known of them ---- */

int segment_look(int32_t id, bool by_place, struct segment_about *out) {
    spin_lock(&table.lock);
    struct ipc_thing *t = by_place ? ipc_at_locked(&table, (uint32_t)id)
                                   : ipc_find_locked(&table, id);
    if (t) {
        struct segment *s = of_thing(t);
        uint32_t refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED);
        *out = s->about;
        out->attached = refs - (!t->removed && refs > 0);
    }
    spin_unlock(&table.lock);
    return t ? 0 : -K_EINVAL;
}

struct segment_sums segment_sums(void) {
    spin_lock(&table.lock);
    struct segment_sums sums = {.used = table.used, .places = ipc_places_locked(&table)};
    for (uint32_t i = 0; i < sums.places; i++)
        if (table.thing[i])
            sums.pages += of_thing(table.thing[i])->pages;
    spin_unlock(&table.lock);
    return sums;
}

int segment_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode) {
    spin_lock(&table.lock);
    struct ipc_thing *t = ipc_find_locked(&table, id);
    if (t)
        ipc_set_locked(&table, t, uid, gid, mode);
    spin_unlock(&table.lock);
    return t ? 0 : -K_EINVAL;
}

int segment_remove(int32_t id) {
    spin_lock(&table.lock);
    struct ipc_thing *t = ipc_find_locked(&table, id);
    bool first = t && !t->removed;
    if (first) {
        t->removed = true;
        t->key = 0;
    }
    spin_unlock(&table.lock);
    if (first)
        put(&of_thing(t)->object);
    return t ? 0 : -K_EINVAL;
}

/* ---- in a space ---- */

static struct segment *hold(int32_t id) {
    spin_lock(&table.lock);
    struct ipc_thing *t = ipc_find_locked(&table, id);
    struct segment *s = t && hold_locked(of_thing(t)) ? of_thing(t) : NULL;
    spin_unlock(&table.lock);
    return s;
}

static void note(struct segment *s, bool attached) {
    spin_lock(&table.lock);
    *(attached ? &s->about.attached_at : &s->about.detached_at) = ipc_now();
    s->about.last = proc_self()->pid;
    spin_unlock(&table.lock);
}

int segment_attach(int32_t id, const struct segment_attach *a, uint64_t *start) {
    struct segment *s = hold(id);
    if (!s)
        return -K_EINVAL;
    struct map_request r = {.start = a->start,
                            .bytes = s->pages * PAGE_SIZE,
                            .place = !a->start    ? MAP_HINT
                                     : a->replace ? MAP_REPLACE
                                                  : MAP_FREE,
                            .object = &s->object,
                            .prot = a->prot,
                            .limit = ABI_PROT_READ | ABI_PROT_EXEC |
                                     (a->read_only ? 0 : ABI_PROT_WRITE),
                            .shared = true};
    int err = a->start <= USER_MAX && r.bytes <= USER_MAX - a->start
                  ? aspace_map(proc_self()->as, &r, start)
                  : -K_EINVAL;
    if (!err)
        note(s, true);
    put(&s->object);
    return err == -K_EEXIST ? -K_EINVAL : err;
}

/* The segment that was attached at start, with a reference, if its first page is still there. */
static struct segment *attached_at(uint64_t start) {
    struct aspace *as = proc_self()->as;
    struct segment *found = NULL;
    spin_lock(&as->lock);
    struct mapping *m = mapping_at(&as->mappings, start);
    if (m && m->object->ops == &segment_ops && m->start == start && m->first == 0) {
        found = of_object(m->object);
        object_get(m->object);
    }
    spin_unlock(&as->lock);
    return found;
}

/* The next part of it that is mapped from *at on. */
static bool next_part(const struct segment *s, uint64_t start, uint64_t *at, uint64_t *end) {
    struct aspace *as = proc_self()->as;
    bool found = false;
    spin_lock(&as->lock);
    struct mapping *m = mapping_from(&as->mappings, *at);
    for (; m && !found && m->start < start + s->pages * PAGE_SIZE; m = m->next) {
        found = m->object == &s->object && m->start - m->first * PAGE_SIZE == start;
        *at = m->start;
        *end = m->end;
    }
    spin_unlock(&as->lock);
    return found;
}

int segment_detach(uint64_t start) {
    uint64_t at = start, end;
    struct segment *s = attached_at(start);
    if (!s)
        return -K_EINVAL;
    int err = 0;
    for (; !err && next_part(s, start, &at, &end); at = end)
        err = aspace_unmap(proc_self()->as, at, end);
    note(s, false);
    put(&s->object);
    return err;
}
