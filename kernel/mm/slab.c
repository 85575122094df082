/* The frames of slab.h: each begins with what is said of it, the records follow. */
#include "mm/slab.h"
#include "arch/layout.h"
#include "lib/panic.h"
#include "mm/frame.h"

struct slab_frame {
    struct list link; /* in usable, else in no list */
    void **free;      /* each free record begins with the next one's address */
    uint32_t taken;
};

static struct slab_frame *frame_of(void *record) {
    return (struct slab_frame *)ROUND_DOWN(record, PAGE_SIZE);
}

static void give_record(struct slab_frame *f, void **record) {
    *record = f->free;
    f->free = record;
}

static struct slab_frame *make_frame(const struct slab *s, paddr_t pa) {
    struct slab_frame *f = pa_ptr(pa);
    char *records = (char *)f + ROUND_UP(sizeof(*f), 64);
    uint32_t count = (uint32_t)((PAGE_SIZE - ROUND_UP(sizeof(*f), 64)) / s->size);
    while (count-- > 0)
        give_record(f, (void **)(records + (size_t)count * s->size));
    return f;
}

/* A frame more, unless there is room meanwhile: an empty one would stay. Without the lock, since
 * to promise a frame may take others. */
static bool grow(struct slab *s) {
    paddr_t pa;
    if (frame_alloc(&pa))
        return false;
    struct slab_frame *f = make_frame(s, pa);
    spin_lock(&s->lock);
    bool wanted = list_empty(&s->usable);
    if (wanted) {
        list_push_front(&s->usable, &f->link);
        s->frames++;
    }
    spin_unlock(&s->lock);
    if (!wanted)
        frame_free(pa);
    return true;
}

void *slab_take(struct slab *s) {
    spin_lock(&s->lock);
    while (__builtin_expect(list_empty(&s->usable), 0)) {
        spin_unlock(&s->lock);
        if (!grow(s))
            return NULL;
        spin_lock(&s->lock);
    }
    struct slab_frame *f = LIST_ENTRY(s->usable.next, struct slab_frame, link);
    void **record = f->free;
    f->free = *record;
    f->taken++;
    if (!f->free)
        list_remove(&f->link);
    spin_unlock(&s->lock);
    return record;
}

void slab_give(struct slab *s, void *record) {
    struct slab_frame *f = frame_of(record);
    spin_lock(&s->lock);
    ASSERT(f->taken > 0);
    if (!f->free)
        list_push_front(&s->usable, &f->link);
    give_record(f, record);
    bool unused = --f->taken == 0;
    if (unused) {
        list_remove(&f->link);
        s->frames--;
    }
    spin_unlock(&s->lock);
    if (unused)
        frame_free(ptr_pa(f));
}
