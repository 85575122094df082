/* Shared memory: see shm.h. */
#include "mm/shm.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/pagetree.h"
#include "mm/slab.h"

struct shm {
    struct object object;
    struct spinlock lock; /* the tree */
    uint32_t refs;
    struct pagetree pages;
    uint64_t end; /* it has pages below this number; a mapping may have been made larger */
    uint64_t committed;
};

static struct slab records = SLAB_INIT(records, sizeof(struct shm));

uint64_t shm_frames(void) { return records.frames; }

static struct shm *shm_of(struct object *o) { return CONTAINER_OF(o, struct shm, object); }

static void get(struct object *o) { __atomic_fetch_add(&shm_of(o)->refs, 1, __ATOMIC_RELAXED); }

/* No spinlock is held: whoever was the last gives as many pages back as there are. */
static void put(struct object *o) {
    struct shm *s = shm_of(o);
    if (__atomic_fetch_sub(&s->refs, 1, __ATOMIC_ACQ_REL) != 1)
        return;
    pagetree_destroy(&s->pages);
    frame_uncommit(s->committed);
    slab_give(&records, s);
}

static paddr_t peek(struct object *o, uint64_t index) {
    struct shm *s = shm_of(o);
    spin_lock(&s->lock);
    paddr_t frame = pagetree_find(&s->pages, index);
    if (frame.v)
        frame_get(frame_single(frame));
    spin_unlock(&s->lock);
    return frame;
}

/* It stays as long as the object does. */
static paddr_t find_or_make(struct shm *s, uint64_t index) {
    spin_lock(&s->lock);
    paddr_t frame = pagetree_find(&s->pages, index);
    if (!frame.v) {
        frame = frame_take_zeroed();
        pagetree_add(&s->pages, index, frame);
    }
    spin_unlock(&s->lock);
    return frame;
}

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    if (index >= shm_of(o)->end)
        return -K_ENXIO;
    paddr_t frame = find_or_make(shm_of(o), index);
    return show(ctx, &frame, 1);
}

static const struct object_ops shm_ops = {.get = get, .put = put, .peek = peek, .page = page};

int shm_create(uint64_t pages, struct object **out) {
    uint64_t needed = pages + pagetree_tables(pages);
    struct shm *s = slab_take(&records);
    if (!s)
        return -K_ENOMEM;
    if (frame_commit(needed)) {
        slab_give(&records, s);
        return -K_ENOMEM;
    }
    *s = (struct shm){.object = {.ops = &shm_ops, .name = "shared memory"},
                      .refs = 1,
                      .end = pages,
                      .committed = needed};
    spin_init(&s->lock, RANK_SHM);
    pagetree_init(&s->pages);
    *out = &s->object;
    return 0;
}
