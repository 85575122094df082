/* Caches that give way: see reclaim.h. */
#include "mm/reclaim.h"
#include "lib/panic.h"

static struct list reclaimers = LIST_INIT(reclaimers); /* constant after boot */

void reclaim_register(struct reclaimer *r) { list_push_back(&reclaimers, &r->link); }

void reclaim_begin(struct reclaimer *r, uint64_t n) {
    __atomic_fetch_add(&r->frames, n, __ATOMIC_RELAXED);
}

void reclaim_end(struct reclaimer *r, uint64_t n) {
    uint64_t before = __atomic_fetch_sub(&r->frames, n, __ATOMIC_RELAXED);
    ASSERT(before >= n);
}

uint64_t reclaim_frames(uint64_t n) {
    uint64_t given = 0;
    for (struct list *it = reclaimers.next; it != &reclaimers && given < n; it = it->next)
        given += LIST_ENTRY(it, struct reclaimer, link)->reclaim(n - given);
    return given;
}

uint64_t reclaim_count(void) {
    uint64_t frames = 0;
    LIST_EACH(it, &reclaimers)
        frames += __atomic_load_n(&LIST_ENTRY(it, struct reclaimer, link)->frames,
                                  __ATOMIC_RELAXED);
    return frames;
}
