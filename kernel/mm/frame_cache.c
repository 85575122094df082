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

#define CACHE_SIZE 2048
#define ZEROED_MAX 32UL /* as many tables as some processes have that start and end */
#define CACHE_MAX \
    ((CACHE_SIZE - sizeof(struct spinlock) - 2 * sizeof(void *)) / sizeof(struct free_frame) - \
     ZEROED_MAX)
#define CACHE_BATCH 32 /* frames that go from or to the pool at a time */

#define PATIENCE 1000000 /* fruitless rounds before a missing promise is a panic */

struct cache {
    struct spinlock lock;
    struct free_frame *top;              /* behind the last frame */
    struct free_frame frames[CACHE_MAX]; /* the most recently freed last */
    uint64_t zeroed_count;
    struct free_frame zeroed[ZEROED_MAX];
} __attribute__((aligned(CACHE_SIZE)));
_Static_assert(sizeof(struct cache) == CACHE_SIZE, "the index of a cache is a shift");

static struct cache caches[NHART];

static uint64_t count(const struct cache *c) { return (uint64_t)(c->top - c->frames); }
static uint64_t count_all(const struct cache *c) { return count(c) + c->zeroed_count; }

void frame_cache_init(void) {
    for (struct cache *c = caches; c < caches + NHART; c++) {
        spin_init(&c->lock, RANK_FRAME_CACHE);
        c->top = c->frames;
        c->zeroed_count = 0;
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
        n += count_all(c);
        if (count(c))
            give_back(c, count(c));
        pool_give(c->zeroed, (uint32_t)c->zeroed_count);
        c->zeroed_count = 0;
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
        else if (c->zeroed_count)
            got = c->zeroed[--c->zeroed_count];
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

/* ---- zeroed ones ---------------------------------------------------------- */

static void expect_zeros(paddr_t pa) {
    const uint64_t *word = pa_ptr(pa);
    for (uint64_t i = 0; i < PAGE_SIZE / sizeof(*word); i++)
        if (word[i])
            panic("frame %#lx: not zero, at offset %#lx, and given back or kept as zeroed",
                  (unsigned long)pa.v, (unsigned long)(i * sizeof(*word)));
}

paddr_t frame_take_zeroed(void) {
    struct free_frame got = {0};
    struct cache *c = &caches[hart_self()->index];
    spin_lock(&c->lock);
    if (c->zeroed_count)
        got = c->zeroed[--c->zeroed_count];
    spin_unlock(&c->lock);
    if (!got.record) {
        got.pa = frame_take();
        frame_zero(got.pa, 0);
        return got.pa;
    }
    if (DEBUG)
        expect_zeros(got.pa);
    return taken(got.record, got.pa);
}

void frame_put_zeroed(paddr_t pa) {
    struct frame *f = frame_record(pa);
    ASSERT(f->order == 0 && f->refs == 1);
    if (DEBUG)
        expect_zeros(pa);
    struct cache *c = &caches[hart_self()->index];
    spin_lock(&c->lock);
    bool kept = c->zeroed_count < ZEROED_MAX;
    if (kept) {
        f->refs = 0;
        f->poisoned = false;
        c->zeroed[c->zeroed_count++] = (struct free_frame){f, pa};
    }
    spin_unlock(&c->lock);
    if (!kept)
        frame_release(f, pa);
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
        frames += count_all(c);
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
        ASSERT(c->zeroed_count <= ZEROED_MAX);
        for (uint64_t i = 0; i < c->zeroed_count; i++)
            check_cached(&c->zeroed[i]);
        frames += count_all(c);
    }
    ASSERT(frames <= frame_total);
    unlock_all();
}
