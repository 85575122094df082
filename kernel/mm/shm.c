/* Shared memory: see shm.h. An object's pages stand in a tree of page tables, by their number,
 * which no hart ever walks. */
#include "mm/shm.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/pieces.h"
#include "mm/pt.h"
#include "mm/slab.h"

struct shm {
    struct object object;
    struct spinlock lock; /* the tree */
    uint32_t refs;
    struct pt pages; /* page i at i * PAGE_SIZE */
    uint64_t end;    /* bytes */
    uint64_t committed;
};

static struct slab records = SLAB_INIT(records, sizeof(struct shm));

uint64_t shm_frames(void) { return records.frames; }

static struct shm *shm_of(struct object *o) { return CONTAINER_OF(o, struct shm, object); }

/* The root, and one for each span of an entry above level 0. */
static uint64_t tables_for(uint64_t bytes) {
    uint64_t tables = 1;
    for (unsigned level = 1; level < paging.levels; level++)
        tables += ((bytes - 1) >> level_shift(level)) + 1;
    return tables;
}

static void get(struct object *o) { __atomic_fetch_add(&shm_of(o)->refs, 1, __ATOMIC_RELAXED); }

static void put_pages(void *ctx, const pte_t *entry, unsigned count, unsigned level) {
    for (unsigned i = 0; i < count; i++) {
        bool freed = pte_valid(entry[i]) && frame_put(frame_leaf(entry[i], level));
        piece_done(freed ? PIECE_FREED : 1);
    }
}

/* No spinlock is held: whoever was the last gives as many pages back as there are. */
static void put(struct object *o) {
    struct shm *s = shm_of(o);
    if (__atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    pt_take_leaves(&s->pages, VA(0), VA(s->end), put_pages, NULL);
    pt_clear(&s->pages, VA(0), VA(s->end), piece_of_tables(s->pages.tables));
    pt_free_root(&s->pages);
    frame_uncommit(s->committed);
    slab_give(&records, s);
}

static paddr_t frame_at(const struct shm *s, uint64_t index) {
    unsigned level;
    pte_t e = *pt_walk(&s->pages, VA(index * PAGE_SIZE), &level);
    return pte_valid(e) ? pte_pa(e) : PA(0);
}

static paddr_t peek(struct object *o, uint64_t index) {
    struct shm *s = shm_of(o);
    spin_lock(&s->lock);
    paddr_t frame = frame_at(s, index);
    if (frame.v)
        frame_get(frame_single(frame));
    spin_unlock(&s->lock);
    return frame;
}

/* It stays as long as the object does. */
static paddr_t find_or_make(struct shm *s, uint64_t index) {
    spin_lock(&s->lock);
    paddr_t frame = frame_at(s, index);
    if (!frame.v) {
        frame = frame_take_zeroed();
        if (pt_map(&s->pages, VA(index * PAGE_SIZE), frame, PAGE_SIZE, PTE_R, 0))
            panic("shared memory's tables were not covered by the commitment");
    }
    spin_unlock(&s->lock);
    return frame;
}

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    paddr_t frame = find_or_make(shm_of(o), index);
    return show(ctx, &frame, 1);
}

static const struct object_ops shm_ops = {.get = get, .put = put, .peek = peek, .page = page};

int shm_create(uint64_t pages, struct object **out) {
    uint64_t bytes = pages * PAGE_SIZE, needed = pages + tables_for(bytes);
    struct shm *s = slab_take(&records);
    if (!s)
        return -K_ENOMEM;
    if (frame_commit(needed)) {
        slab_give(&records, s);
        return -K_ENOMEM;
    }
    *s = (struct shm){.object = {.ops = &shm_ops, .name = "shared memory"},
                      .refs = 1,
                      .end = bytes,
                      .committed = needed};
    spin_init(&s->lock, RANK_SHM);
    if (pt_init(&s->pages, paging.levels, &pt_frames))
        panic("shared memory's root was not covered by the commitment");
    *out = &s->object;
    return 0;
}
