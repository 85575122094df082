/* The harts' caches of single frames: see frame_cache.h. */
#include "mm/frame_cache.h"
#include "arch/cpu.h"
#include "arch/hart.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/frame_account.h"
#include "mm/frame_pool.h"
#include "mm/reclaim.h"
#include "sync/spinlock.h"

#define CACHE_SIZE 1024
#define CACHE_MAX \
    ((CACHE_SIZE - sizeof(struct spinlock) - sizeof(void *)) / sizeof(struct free_frame))
#define CACHE_BATCH 32 /* frames that go from or to the pool at a time */

#define PATIENCE 1000000 /* fruitless rounds before a missing promise is a panic */

struct cache {
    struct spinlock lock;
    struct free_frame *top;              /* behind the last frame */
    struct free_frame frames[CACHE_MAX]; /* the most recently freed last */
} __attribute__((aligned(CACHE_SIZE)));
_Static_assert(sizeof(struct cache) == CACHE_SIZE, "the index of a cache is a shift");

static struct cache caches[NHART];

static uint64_t count(const struct cache *c) { return (uint64_t)(c->top - c->frames); }

void frame_cache_init(void) {
    for (struct cache *c = caches; c < caches + NHART; c++) {
        spin_init(&c->lock, RANK_FRAME_CACHE);
        c->top = c->frames;
    }
}

/* Under the cache's lock: gives the n frames back that were freed first, whose contents are
 * coldest. */
__attribute__((noinline)) static void give_back(struct cache *c, uint64_t n) {
    pool_give(c->frames, (uint32_t)n);
    c->top -= n;
    memmove(c->frames, c->frames + n, count(c) * sizeof(c->frames[0]));
}

uint64_t frame_cache_drain(void) {
    uint64_t n = 0;
    for (struct cache *c = caches; c < caches + NHART; c++) {
        spin_lock(&c->lock);
        n += count(c);
        if (count(c))
            give_back(c, count(c));
        spin_unlock(&c->lock);
    }
    return n;
}

static inline paddr_t taken(struct frame *f, paddr_t pa) {
    if (DEBUG)
        frame_check_poison(pa, 1);
    f->refs = 1;
    return pa;
}

/* The promise says that there is a frame: in the pool, held as a cache, in
 * another hart's cache, or in another hart's hands on its way to one of these. */
__attribute__((noinline)) static paddr_t take_slow(struct cache *c) {
    for (uint32_t fruitless = 0; fruitless < PATIENCE;) {
        struct free_frame got = {0};
        spin_lock(&c->lock);
        if (c->top == c->frames)
            c->top += pool_take(c->frames, CACHE_BATCH);
        if (c->top != c->frames)
            got = *--c->top;
        spin_unlock(&c->lock);
        if (got.record)
            return taken(got.record, got.pa);
        if (reclaim_frames(CACHE_BATCH) == 0 && frame_cache_drain() == 0) {
            fruitless++;
            cpu_relax();
        }
    }
    panic("frame_take: no frame is free; somebody takes what was not promised");
}

paddr_t frame_take(void) {
    struct cache *c = &caches[hart_self()->index];
    spin_lock(&c->lock);
    if (__builtin_expect(c->top == c->frames, 0)) {
        spin_unlock(&c->lock);
        return take_slow(c);
    }
    struct free_frame got = *--c->top;
    spin_unlock(&c->lock);
    return taken(got.record, got.pa);
}

__attribute__((noinline)) static void put_into_full(struct cache *c, struct frame *f, paddr_t pa) {
    give_back(c, CACHE_BATCH);
    *c->top++ = (struct free_frame){f, pa};
    spin_unlock(&c->lock);
}

void frame_release(struct frame *f, paddr_t pa) {
    ASSERT(f->order == 0);
    f->refs = 0;
    if (DEBUG)
        frame_poison(pa, 1);
    struct cache *c = &caches[hart_self()->index];
    spin_lock(&c->lock);
    if (__builtin_expect(c->top == c->frames + CACHE_MAX, 0)) {
        put_into_full(c, f, pa);
        return;
    }
    *c->top++ = (struct free_frame){f, pa};
    spin_unlock(&c->lock);
}

/* ---- all of them at one moment ------------------------------------------- */

static void lock_all(void) {
    for (struct cache *c = caches; c < caches + NHART; c++)
        spin_lock(&c->lock);
}

static void unlock_all(void) {
    for (struct cache *c = caches; c < caches + NHART; c++)
        spin_unlock(&c->lock);
}

uint64_t frame_cache_free(void) {
    lock_all();
    uint64_t frames = pool_frames();
    for (struct cache *c = caches; c < caches + NHART; c++)
        frames += count(c);
    unlock_all();
    return frames;
}

static void check_cached(const struct free_frame *cached) {
    const struct frame *f = cached->record;
    ASSERT(f == frame_record(cached->pa));
    ASSERT(!f->in_pool);
    ASSERT(f->order == 0);
    ASSERT(f->refs == 0);
}

void frame_check(void) {
    lock_all();
    uint64_t frames = pool_check();
    for (struct cache *c = caches; c < caches + NHART; c++) {
        ASSERT(count(c) <= CACHE_MAX);
        for (const struct free_frame *cached = c->frames; cached < c->top; cached++)
            check_cached(cached);
        frames += count(c);
    }
    ASSERT(frames <= frame_total);
    unlock_all();
}
