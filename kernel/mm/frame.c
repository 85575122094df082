/* References to frames: see frame.h. */
#include "mm/frame.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame_boot.h"
#include "mm/frame_cache.h"
#include "mm/frame_pool.h"
#include "sync/spinlock.h"

/* Splitting large frames and counting whole ones exclude each other. Once split, 512 frames
 * stay so as long as anybody holds a reference to them. Nothing is taken inside. */
static struct spinlock large_lock = SPINLOCK_INIT(RANK_FRAMES_LARGE);

void frame_misused(paddr_t pa) {
    panic("frame %#lx: free, or no frame, and referred to all the same", (unsigned long)pa.v);
}

uint32_t frame_refs(paddr_t pa) {
    return __atomic_load_n(&frame_record(pa)->refs, __ATOMIC_ACQUIRE);
}

/* ---- large frames: 512 in a row ------------------------------------------ */

static struct frame *large_record(paddr_t pa) {
    ASSERT(IS_ALIGNED(pa.v, LARGE_SIZE));
    return frame_record(pa);
}

int frame_take_large(paddr_t *pa) {
    if (!pool_take_large(pa) && (frame_cache_drain() == 0 || !pool_take_large(pa)))
        return -K_ENOMEM;
    frame_record(*pa)->refs = 1;
    if (DEBUG)
        frame_check_poison(*pa, LARGE_FRAMES);
    return 0;
}

void frame_split_large(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&large_lock);
    ASSERT(f->refs != 0);
    for (uint32_t i = 1; f->order != 0 && i < LARGE_FRAMES; i++)
        f[i] = (struct frame){.refs = f->refs};
    f->order = 0;
    spin_unlock(&large_lock);
}

void frame_get_large(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&large_lock);
    uint32_t n = f->order != 0 ? 1 : LARGE_FRAMES;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t refs = __atomic_fetch_add(&f[i].refs, 1, __ATOMIC_RELAXED);
        ASSERT(refs != 0);
    }
    spin_unlock(&large_lock);
}

static void free_large(paddr_t pa) {
    if (DEBUG)
        frame_poison(pa, LARGE_FRAMES);
    pool_give_large(pa);
}

bool frame_put_large(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&large_lock);
    bool whole = f->order != 0;
    uint32_t refs = whole ? __atomic_fetch_sub(&f->refs, 1, __ATOMIC_RELAXED) : 0;
    spin_unlock(&large_lock);
    if (whole) {
        ASSERT(refs != 0);
        if (refs == 1)
            free_large(pa); /* nobody else knows it any more */
        return refs == 1;
    }
    bool all = true;
    for (uint32_t i = 0; i < LARGE_FRAMES; i++, pa.v += PAGE_SIZE)
        all &= frame_put(frame_single(pa));
    return all;
}

bool frame_sole_large(paddr_t pa) {
    const struct frame *f = large_record(pa);
    spin_lock(&large_lock);
    uint32_t n = f->order != 0 ? 1 : LARGE_FRAMES;
    bool sole = true;
    for (uint32_t i = 0; i < n; i++)
        sole &= __atomic_load_n(&f[i].refs, __ATOMIC_ACQUIRE) == 1;
    spin_unlock(&large_lock);
    return sole;
}

int frame_alloc(paddr_t *pa) {
    int err = frame_commit(1);
    if (err)
        return err;
    *pa = frame_take_zeroed();
    return 0;
}

void frame_free(paddr_t pa) {
    bool freed = frame_put(frame_single(pa));
    ASSERT(freed);
    frame_uncommit(1);
}

void frame_zero(paddr_t pa, unsigned order) { memset(pa_ptr(pa), 0, PAGE_SIZE << order); }

void frame_init(void) {
    frame_boot_records();
    frame_cache_init();
    frame_total = pool_init();
}
