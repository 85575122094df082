/* Mapping, unmapping, changing: see mmap.h. */
#include "mm/mmap.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/change.h"
#include "mm/check.h"
#include "mm/commit.h"
#include "mm/pieces.h"
#include "mm/rmap.h"
#include "mm/turn.h"

/* What a page table can say: whatever may be written or executed may be read, too. */
static uint8_t perm_of(unsigned prot) {
    uint64_t perm = prot ? PTE_R : 0;
    if (prot & ABI_PROT_WRITE)
        perm |= PTE_W;
    if (prot & ABI_PROT_EXEC)
        perm |= PTE_X;
    return (uint8_t)perm;
}

static bool is_free(const struct aspace *as, uint64_t start, uint64_t end) {
    const struct mapping *m = mapping_from(&as->mappings, start);
    return !m || m->start >= end;
}

/* The highest place in the gap that has room; 0: none. */
static uint64_t room_in(struct gap gap, uint64_t bytes, uint64_t align) {
    if (gap.end < bytes)
        return 0;
    uint64_t start = ROUND_DOWN(gap.end - bytes, align);
    return start >= gap.start ? start : 0;
}

/* Where the last search ended or the last range was unmapped. */
static struct gap recent_gap(const struct aspace *as) {
    uint64_t end = as->map_below ? as->map_below : USER_MAX;
    const struct mapping *m = mapping_below(&as->mappings, end);
    if (!m)
        return (struct gap){PAGE_SIZE, end};
    return m->end <= end ? (struct gap){m->end, end} : (struct gap){0, 0};
}

/* The recent gap, so that what is mapped one after the other is in one place; else the highest
 * one in which an aligned place is for certain; else the highest that has room, however the place
 * is aligned. */
static uint64_t find_gap(struct aspace *as, uint64_t bytes, uint64_t align) {
    uint64_t start = room_in(recent_gap(as), bytes, align);
    if (!start)
        start = room_in(mapping_gap(&as->mappings, bytes + align - PAGE_SIZE), bytes, align);
    if (!start && align > PAGE_SIZE)
        start = room_in(mapping_gap(&as->mappings, bytes), bytes, PAGE_SIZE);
    if (start)
        as->map_below = start;
    return start;
}

uint64_t aspace_find_room(struct aspace *as, uint64_t bytes, uint64_t align) {
    spin_lock(&as->lock);
    uint64_t start = find_gap(as, bytes, align);
    spin_unlock(&as->lock);
    return IS_ALIGNED(start, align) ? start : 0;
}

/* 0: there is no room. */
static uint64_t place_of(struct aspace *as, const struct map_request *r) {
    /* Large memory is where it can have large leaves, if there is such a place. */
    uint64_t align = r->object->zeros && r->bytes >= LARGE_SIZE ? LARGE_SIZE : PAGE_SIZE;
    bool possible = r->start && r->start <= USER_MAX && r->bytes <= USER_MAX - r->start;
    if (r->place != MAP_HINT || (possible && is_free(as, r->start, r->start + r->bytes)))
        return r->start;
    return find_gap(as, r->bytes, align);
}

static int map(struct aspace *as, const struct map_request *r, uint64_t *start) {
    if (r->place == MAP_FREE && !is_free(as, r->start, r->start + r->bytes))
        return -K_EEXIST;
    bool owns = !r->shared && (r->prot & ABI_PROT_WRITE);
    struct mapping m = {.start = place_of(as, r),
                        .object = r->object,
                        .first = r->first,
                        .perm = perm_of(r->prot),
                        .limit = perm_of(r->limit),
                        .shared = r->shared,
                        .owns = owns,
                        .lazy = owns && (commit_lazy || r->no_promise),
                        .no_promise = !r->shared && r->no_promise};
    m.end = m.start + r->bytes;
    m.lazy_tables = m.lazy && r->object->zeros;
    *start = m.start;
    if (r->place == MAP_REPLACE)
        return change_replace(as, &m);
    return m.start || r->place == MAP_FREE ? change_add(as, &m) : -K_ENOMEM;
}

int aspace_map(struct aspace *as, const struct map_request *r, uint64_t *start) {
    struct map_request mine = *r;
    bool stores = r->shared && (r->limit & ABI_PROT_WRITE);
    int err = stores ? rmap_begin_stores(r->object) : 0;
    if (err && (r->prot & ABI_PROT_WRITE))
        return err;
    if (err) {
        mine.limit &= ~ABI_PROT_WRITE;
        stores = false;
    }
    turn_begin(as);
    err = map(as, &mine, start);
    turn_end(as);
    if (stores)
        rmap_end_stores(r->object);
    if (DEBUG)
        check_space(as);
    return err;
}

/* There is room higher up than before: the gap that ends there is tried first. */
static void note_gap(struct aspace *as, uint64_t end) {
    const struct mapping *above = mapping_from(&as->mappings, end);
    if (as->map_below && as->map_below < end)
        as->map_below = above ? above->start : 0;
}

static int unmap(struct aspace *as, uint64_t start, uint64_t end) {
    int err = change_remove(as, start, end);
    if (!err)
        note_gap(as, end);
    return err;
}

int aspace_unmap(struct aspace *as, uint64_t start, uint64_t end) {
    turn_begin(as);
    int err = unmap(as, start, end);
    turn_end(as);
    if (DEBUG)
        check_space(as);
    return err;
}

/* ---- another size, or another place ---- */

/* Nothing is mapped there, nor comes to lie right below a stack that is to fault there. */
static bool can_grow(const struct aspace *as, uint64_t end, uint64_t bytes) {
    const struct mapping *next = mapping_from(&as->mappings, end);
    if (bytes > USER_MAX - end)
        return false;
    return !next || next->start > end + bytes ||
           (next->start == end + bytes && !next->object->guarded);
}

/* The mapping is going to show as much of its object. The lock is given back meanwhile. */
static int reserve(struct aspace *as, const struct mapping *m, const struct remap_request *r) {
    struct object *o = m->object;
    if (!o->ops->reserve || r->bytes <= r->old_bytes)
        return 0;
    uint64_t end = mapping_index(m, r->start) + r->bytes / PAGE_SIZE;
    spin_unlock(&as->lock);
    int err = o->ops->reserve(o, end);
    spin_lock(&as->lock);
    return err;
}

/* Behind the old range, where the mapping ends. */
static int grow(struct aspace *as, const struct mapping *m, uint64_t bytes) {
    struct mapping more;
    mapping_copy(&more, m);
    more.first = m->first + mapping_pages(m);
    more.start = m->end;
    more.end = m->end + bytes;
    more.touched = false;
    return change_add(as, &more);
}

/* 0: no room. Large leaves stay large if the place is aligned as the old one. */
static uint64_t place_to_move(struct aspace *as, const struct mapping *m,
                              const struct remap_request *r) {
    bool large = m->object->zeros && r->bytes >= LARGE_SIZE;
    uint64_t in = large ? r->start % LARGE_SIZE : 0;
    if (r->place == REMAP_THERE)
        return r->to;
    if (r->bytes > USER_MAX - LARGE_SIZE)
        return 0;
    uint64_t start = find_gap(as, in + r->bytes, large ? LARGE_SIZE : PAGE_SIZE);
    return start ? start + in : 0;
}

/* Of shared memory, beside what there is, or in its place. */
static int map_again(struct aspace *as, const struct mapping *m, const struct remap_request *r,
                     uint64_t to) {
    struct mapping again;
    mapping_copy(&again, m);
    again.first = mapping_index(m, r->start);
    again.start = to;
    again.end = to + r->bytes;
    again.touched = false;
    struct object *stores = again.limit & PTE_W ? again.object : NULL;
    int err = stores ? rmap_begin_stores(stores) : 0;
    ASSERT(!err); /* it is mapped so */
    err = r->place == REMAP_THERE ? change_replace(as, &again) : change_add(as, &again);
    if (stores)
        rmap_end_stores(stores);
    return err;
}

static int move_to(struct aspace *as, const struct mapping *m, const struct remap_request *r,
                   uint64_t to) {
    if (r->old_bytes == 0)
        return map_again(as, m, r, to);
    const struct change_move c = {.start = r->start,
                                  .end = r->start + MIN(r->old_bytes, r->bytes),
                                  .gone = r->start + r->old_bytes,
                                  .target = to,
                                  .target_end = to + r->bytes,
                                  .keeps = r->keep};
    return change_move(as, &c);
}

static int move(struct aspace *as, const struct mapping *m, const struct remap_request *r,
                uint64_t *start) {
    uint64_t below = as->map_below, to = place_to_move(as, m, r);
    int err = to || r->place == REMAP_THERE ? move_to(as, m, r, to) : -K_ENOMEM;
    if (err) {
        as->map_below = below;
        return err;
    }
    if (!r->keep && r->old_bytes > 0)
        note_gap(as, r->start + r->old_bytes);
    *start = to;
    return 0;
}

static int remap(struct aspace *as, const struct remap_request *r, uint64_t *start) {
    const struct mapping *m = mapping_at(&as->mappings, r->start);
    bool stays = r->place != REMAP_THERE && !r->keep && r->old_bytes > 0;
    if (!m || MIN(r->old_bytes, r->bytes) > m->end - r->start)
        return -K_EFAULT;
    *start = r->start;
    if (stays && r->bytes == r->old_bytes)
        return 0;
    if (stays && r->bytes < r->old_bytes)
        return unmap(as, r->start + r->bytes, r->start + r->old_bytes);
    if (r->old_bytes == 0 && !m->shared)
        return -K_EINVAL;
    int err = reserve(as, m, r);
    if (err)
        return err;
    uint64_t more = r->bytes - r->old_bytes;
    if (stays && r->start + r->old_bytes == m->end && can_grow(as, m->end, more))
        return grow(as, m, more);
    return r->place == REMAP_HERE ? -K_ENOMEM : move(as, m, r, start);
}

int aspace_remap(struct aspace *as, const struct remap_request *r, uint64_t *start) {
    turn_begin(as);
    int err = remap(as, r, start);
    turn_end(as);
    if (DEBUG)
        check_space(as);
    return err;
}

/* ---- permissions, and what is there ---- */

/* With the turn, and the lock. */
static bool is_granted(struct aspace *as, uint64_t start, uint64_t end) {
    const struct mapping *m = mapping_from(&as->mappings, start);
    uint64_t at = start;
    for (; at < end && m && m->start <= at; m = m->next) {
        at = m->end;
        piece_done_locked(&as->lock, 1);
    }
    return at >= end;
}

bool aspace_is_granted(struct aspace *as, uint64_t start, uint64_t end) {
    turn_begin(as);
    bool all = is_granted(as, start, end);
    turn_end(as);
    return all;
}

/* Whether all that is mapped in the range may permit this. As above. */
static bool may_become(struct aspace *as, uint64_t start, uint64_t end, uint8_t perm) {
    const struct mapping *m = mapping_from(&as->mappings, start);
    for (; m && m->start < end; m = m->next) {
        if (perm & ~m->limit)
            return false;
        piece_done_locked(&as->lock, 1);
    }
    return true;
}

static int protect(struct aspace *as, uint64_t start, uint64_t end, uint8_t perm) {
    if (!is_granted(as, start, end))
        return -K_ENOMEM;
    if (!may_become(as, start, end, perm))
        return -K_EACCES;
    return change_protect(as, start, end, perm);
}

int aspace_protect(struct aspace *as, uint64_t start, uint64_t end, unsigned prot) {
    turn_begin(as);
    int err = protect(as, start, end, perm_of(prot));
    turn_end(as);
    if (DEBUG)
        check_space(as);
    return err;
}

int aspace_drop(struct aspace *as, uint64_t start, uint64_t end) {
    turn_begin(as);
    bool all = is_granted(as, start, end);
    change_drop_pages(as, start, end);
    turn_end(as);
    if (DEBUG)
        check_space(as);
    return all ? 0 : -K_ENOMEM;
}

/* Whether a touch would bring something: zeros that stay zeros are there as soon as somebody looks.
 */
static bool is_worth_touching(const struct mapping *m) {
    return m->perm && (m->owns || !m->object->zeros);
}

/* A page of a shared file is not written before somebody does. */
static bool is_worth_writing(const struct mapping *m) {
    return (m->perm & PTE_W) && !mapping_tracks_writes(m);
}

/* Then others may run: the kernel is not preempted. */
#define TOUCHED_AT_ONCE 512

/* The access for the next touch, at *at or behind; 0: none there, and *at is where to go on. */
static uint64_t next_touch(struct aspace *as, uint64_t *at, uint64_t end, bool write) {
    uint64_t access = 0;
    spin_lock(&as->lock);
    const struct mapping *m = mapping_from(&as->mappings, *at);
    if (!m || m->start >= end) {
        *at = end;
    } else if (!is_worth_touching(m)) {
        *at = m->end;
    } else {
        *at = MAX(*at, m->start);
        access = write && is_worth_writing(m) ? PTE_W : PTE_R;
    }
    spin_unlock(&as->lock);
    return access;
}

int aspace_touch(struct aspace *as, uint64_t *at, uint64_t end, bool write) {
    int err = 0;
    for (unsigned n = 0; n < TOUCHED_AT_ONCE && *at < end && err != -K_ENOMEM; n++) {
        uint64_t access = next_touch(as, at, end, write);
        if (!access)
            continue;
        err = aspace_fault(as, *at, access);
        *at += PAGE_SIZE;
    }
    return err == -K_ENOMEM ? err : 0;
}

/* The next object from *at on that stores what is shared, with a reference, and where to look for
 * the one behind it. */
static struct object *next_to_sync(struct aspace *as, uint64_t *at, uint64_t end) {
    struct object *found = NULL;
    turn_begin(as);
    const struct mapping *m = mapping_from(&as->mappings, *at);
    while (m && m->start < end && !(m->shared && m->object->ops->sync)) {
        m = m->next;
        piece_done_locked(&as->lock, 1);
    }
    if (m && m->start < end) {
        *at = m->end;
        found = m->object;
        object_get(found);
    }
    turn_end(as);
    return found;
}

int aspace_sync(struct aspace *as, uint64_t start, uint64_t end) {
    int first = 0;
    for (struct object *o; (o = next_to_sync(as, &start, end));) {
        int err = o->ops->sync(o);
        first = first ? first : err;
        object_put(o);
    }
    return first;
}
