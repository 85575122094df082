/* Physical frames: a buddy pool, and a cache of single frames for each hart.
 *
 * Terms. A frame is named by its number, its physical address / 4096. A block is
 * 2^order frames, aligned to its size; its head is its first frame. Each frame
 * has a record. Records stand in sections, arrays for 32 MiB each, so that RAM
 * may have holes.
 *
 * Invariants. Free frames lie in blocks of the pool or in a hart's cache, and
 * have no references. Two free blocks that are the halves of one (buddies) are
 * merged. The records of heads (of blocks in the pool, of single frames and of
 * large ones in use) are valid; those inside a block are not written when it is
 * made nor read, so boot touches one record in 512. A block's buddy region always
 * begins with some block's head; where it is no free RAM, boot has zeroed the
 * records.
 *
 * Locks. A cache's lock guards its frames and is nearly always its own hart's;
 * others take it when memory is short. pool.lock guards the pool, state and
 * order. Order: caches by rising index, then pool.lock; nothing inside. A frame
 * that is in use belongs to its users, who count in refs without a lock. */
#include "mm/frame.h"
#include "arch/cpu.h"
#include "arch/hart.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame_boot.h"
#include "mm/reclaim.h"
#include "sync/spinlock.h"

#define ORDERS (FRAME_LARGE_ORDER + 1)
#define LARGE_FRAMES (1u << FRAME_LARGE_ORDER)
#define NONE UINT32_MAX

#define CACHE_MAX 63
#define CACHE_BATCH 32 /* frames that go from or to the pool at a time */

#define POISON 0xdbdbdbdbdbdbdbdbULL
#define PATIENCE 1000000 /* fruitless rounds before a missing promise is a panic */

struct cached_frame {
    struct frame *record;
    paddr_t pa;
};

struct cache {
    uint32_t locked;
    uint64_t count;
    struct cached_frame frames[CACHE_MAX]; /* the most recently freed last */
} __attribute__((aligned(1024)));
_Static_assert(sizeof(struct cache) == 1024, "the index of a cache is a shift");

static struct cache caches[NHART];
static struct {
    struct spinlock lock;
    uint64_t free;
    uint32_t first[ORDERS];
} pool = {.lock = SPINLOCK_INIT("frames")};

static uint64_t total;     /* constant after frame_init */
static uint64_t committed; /* atomic, <= total */
static struct {
    uint64_t frames;
    bool (*granted)(uint64_t n, bool taken);
} reserve;
int64_t frame_fail_countdown;
uint64_t frame_fail_period;

/* ---- records ------------------------------------------------------------- */

static inline paddr_t frame_pa(uint32_t number) { return PA((uint64_t)number << PAGE_SHIFT); }
static inline uint32_t frame_number(paddr_t pa) { return (uint32_t)(pa.v >> PAGE_SHIFT); }
static struct frame *record(uint32_t number) { return frame_record(frame_pa(number)); }

static void poison(paddr_t pa, uint32_t frames) {
    for (uint32_t i = 0; DEBUG && i < frames; i++, pa.v += PAGE_SIZE) {
        memset(pa_ptr(pa), (int)(POISON & 0xff), PAGE_SIZE);
        frame_record(pa)->poisoned = true;
    }
}

static void check_poison(paddr_t pa, uint32_t frames) {
    for (uint32_t i = 0; DEBUG && i < frames; i++, pa.v += PAGE_SIZE) {
        const struct frame *f = frame_record(pa);
        const uint64_t *word = pa_ptr(pa);
        for (uint32_t w = 0; f->poisoned && w < PAGE_SIZE / sizeof(*word); w++)
            if (word[w] != POISON)
                panic("frame %#lx: written after it was freed, at offset %#lx", (unsigned long)pa.v,
                      (unsigned long)(w * sizeof(*word)));
    }
}

/* ---- the pool: all under pool.lock --------------------------------------- */

static void pool_insert(uint32_t number, unsigned order) {
    struct frame *f = record(number);
    uint32_t next = pool.first[order];
    *f = (struct frame){.order = (uint8_t)order,
                        .in_pool = true,
                        .poisoned = DEBUG && f->poisoned,
                        .prev = NONE,
                        .next = next};
    if (next != NONE)
        record(next)->prev = number;
    pool.first[order] = number;
    pool.free += 1u << order;
}

static void pool_remove(uint32_t number) {
    struct frame *f = record(number);
    if (f->prev == NONE)
        pool.first[f->order] = f->next;
    else
        record(f->prev)->next = f->next;
    if (f->next != NONE)
        record(f->next)->prev = f->prev;
    f->in_pool = false;
    pool.free -= 1u << f->order;
}

/* Gives a block back, merged with its buddy as often as that is free. */
static void pool_free(uint32_t number, unsigned order) {
    for (; order < FRAME_LARGE_ORDER; order++) {
        uint32_t buddy = number ^ (1u << order);
        struct frame *b = record(buddy);
        if (!b->in_pool || b->order != order)
            break;
        pool_remove(buddy);
        number &= ~(1u << order);
    }
    pool_insert(number, order);
}

/* Takes 1 to max frames in a row, from the smallest block that there is, and
 * sets *order to how many. NONE when the pool is empty. */
static uint32_t pool_take(uint32_t max, unsigned *order) {
    unsigned o = 0;
    while (o < ORDERS && pool.first[o] == NONE)
        o++;
    if (o == ORDERS)
        return NONE;
    uint32_t number = pool.first[o];
    pool_remove(number);
    while (1u << o > max) {
        o--;
        pool_insert(number + (1u << o), o);
    }
    *order = o;
    return number;
}

/* ---- the harts' caches --------------------------------------------------- */

/* A spinlock without its checks and calls: half of the cost of frame_take. */
static inline void cache_lock(struct cache *c) {
    while (__atomic_exchange_n(&c->locked, 1, __ATOMIC_ACQUIRE))
        cpu_relax();
}

static inline void cache_unlock(struct cache *c) {
    __atomic_store_n(&c->locked, 0, __ATOMIC_RELEASE);
}

/* The functions up to drain run under the cache's lock. */
static void cache_refill(struct cache *c) {
    spin_lock(&pool.lock);
    while (c->count < CACHE_BATCH) {
        unsigned order;
        uint32_t number = pool_take((uint32_t)(CACHE_BATCH - c->count), &order);
        if (number == NONE)
            break;
        for (uint32_t i = 1u << order; i-- > 0;) {
            struct frame *f = record(number + i);
            f->refs = 0;
            f->order = 0;
            f->in_pool = false;
            c->frames[c->count++] = (struct cached_frame){f, frame_pa(number + i)};
        }
    }
    spin_unlock(&pool.lock);
}

/* Gives the n frames back that were freed first, whose contents are coldest. */
__attribute__((noinline)) static void cache_give_back(struct cache *c, uint32_t n) {
    spin_lock(&pool.lock);
    for (uint32_t i = 0; i < n; i++)
        pool_free(frame_number(c->frames[i].pa), 0);
    spin_unlock(&pool.lock);
    c->count -= n;
    memmove(c->frames, c->frames + n, c->count * sizeof(c->frames[0]));
}

/* Empties all caches into the pool, where frames merge and everybody finds
 * them; returns how many frames that were. */
static uint64_t drain(void) {
    uint64_t n = 0;
    for (struct cache *c = caches; c < caches + NHART; c++) {
        cache_lock(c);
        n += c->count;
        if (c->count)
            cache_give_back(c, (uint32_t)c->count);
        cache_unlock(c);
    }
    return n;
}

static inline paddr_t taken(struct frame *f, paddr_t pa) {
    check_poison(pa, 1);
    f->refs = 1;
    return pa;
}

/* The promise says that there is a frame: in the pool, held as a cache, in
 * another hart's cache, or in another hart's hands on its way to one of these. */
__attribute__((noinline)) static paddr_t take_slow(struct cache *c) {
    for (uint32_t fruitless = 0; fruitless < PATIENCE;) {
        struct cached_frame got = {0};
        cache_lock(c);
        if (c->count == 0)
            cache_refill(c);
        if (c->count)
            got = c->frames[--c->count];
        cache_unlock(c);
        if (got.record)
            return taken(got.record, got.pa);
        if (reclaim_frames(CACHE_BATCH) == 0 && drain() == 0) {
            fruitless++;
            cpu_relax();
        }
    }
    panic("frame_take: no frame is free; somebody takes what was not promised");
}

paddr_t frame_take(void) {
    struct cache *c = &caches[hart_self()->index];
    cache_lock(c);
    if (__builtin_expect(c->count == 0, 0)) {
        cache_unlock(c);
        return take_slow(c);
    }
    const struct cached_frame *top = &c->frames[--c->count];
    paddr_t pa = top->pa;
    struct frame *f = top->record;
    cache_unlock(c);
    return taken(f, pa);
}

/* ---- references ---------------------------------------------------------- */

/* Drops one reference; true when it was the last. The users' accesses to the
 * frame come before, and the next owner's after. */
static inline bool drop(struct frame *f) {
    uint32_t refs = __atomic_load_n(&f->refs, __ATOMIC_ACQUIRE);
    if (refs == 1) { /* ours: nobody else can add one or drop it */
        f->refs = 0;
        return true;
    }
    ASSERT(refs != 0);
    refs = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);
    ASSERT(refs != 0);
    return refs == 1;
}

void frame_misused(paddr_t pa) {
    panic("frame %#lx: free, or no frame, and referred to all the same", (unsigned long)pa.v);
}

__attribute__((noinline)) static void put_into_full(struct cache *c, struct frame *f, paddr_t pa) {
    cache_give_back(c, CACHE_BATCH);
    c->frames[c->count++] = (struct cached_frame){f, pa};
    cache_unlock(c);
}

void frame_release(paddr_t pa) {
    struct frame *f = frame_record(pa);
    poison(pa, 1);
    struct cache *c = &caches[hart_self()->index];
    cache_lock(c);
    if (__builtin_expect(c->count == CACHE_MAX, 0)) {
        put_into_full(c, f, pa);
        return;
    }
    struct cached_frame *top = &c->frames[c->count++];
    top->record = f;
    top->pa = pa;
    cache_unlock(c);
}

bool frame_put_slowly(paddr_t pa) {
    struct frame *f = frame_record(pa);
    if (f->order != 0)
        return frame_put_large(pa);
    if (!drop(f))
        return false;
    frame_release(pa);
    return true;
}

uint32_t frame_refs(paddr_t pa) {
    return __atomic_load_n(&frame_record(pa)->refs, __ATOMIC_ACQUIRE);
}

/* ---- large frames: 512 in a row ------------------------------------------ */

static struct frame *large_record(paddr_t pa) {
    ASSERT(IS_ALIGNED(pa.v, LARGE_SIZE));
    return frame_record(pa);
}

static bool take_large(uint32_t *number) {
    spin_lock(&pool.lock);
    *number = pool.first[FRAME_LARGE_ORDER];
    if (*number != NONE) {
        pool_remove(*number);
        record(*number)->refs = 1;
    }
    spin_unlock(&pool.lock);
    return *number != NONE;
}

int frame_take_large(paddr_t *pa) {
    uint32_t number;
    if (!take_large(&number) && (drain() == 0 || !take_large(&number)))
        return -K_ENOMEM;
    *pa = frame_pa(number);
    check_poison(*pa, LARGE_FRAMES);
    return 0;
}

/* Splitting and counting whole ones exclude each other by pool.lock. Once split,
 * 512 frames stay so as long as anybody holds a reference to them. */
void frame_split_large(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&pool.lock);
    ASSERT(f->refs != 0);
    for (uint32_t i = 1; f->order != 0 && i < LARGE_FRAMES; i++)
        f[i] = (struct frame){.refs = f->refs};
    f->order = 0;
    spin_unlock(&pool.lock);
}

void frame_get_large(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&pool.lock);
    uint32_t n = f->order != 0 ? 1 : LARGE_FRAMES;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t refs = __atomic_fetch_add(&f[i].refs, 1, __ATOMIC_RELAXED);
        ASSERT(refs != 0);
    }
    spin_unlock(&pool.lock);
}

__attribute__((noinline)) bool frame_put_large(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&pool.lock);
    bool whole = f->order != 0;
    bool last = whole && drop(f);
    spin_unlock(&pool.lock);
    if (last) { /* nobody else knows it any more */
        poison(pa, LARGE_FRAMES);
        spin_lock(&pool.lock);
        pool_free(frame_number(pa), FRAME_LARGE_ORDER);
        spin_unlock(&pool.lock);
    }
    if (whole)
        return last;
    bool all = true;
    for (uint32_t i = 0; i < LARGE_FRAMES; i++, pa.v += PAGE_SIZE)
        all &= frame_put(pa);
    return all;
}

bool frame_large_sole(paddr_t pa) {
    struct frame *f = large_record(pa);
    spin_lock(&pool.lock);
    uint32_t n = f->order != 0 ? 1 : LARGE_FRAMES;
    bool sole = true;
    for (uint32_t i = 0; i < n; i++)
        sole &= __atomic_load_n(&f[i].refs, __ATOMIC_ACQUIRE) == 1;
    spin_unlock(&pool.lock);
    return sole;
}

/* ---- the account --------------------------------------------------------- */

static bool injected_failure(void) {
    static uint64_t commits;
    if (DEBUG && frame_fail_period &&
        __atomic_add_fetch(&commits, 1, __ATOMIC_RELAXED) % frame_fail_period == 0)
        return true;
    if (!DEBUG || __atomic_load_n(&frame_fail_countdown, __ATOMIC_RELAXED) <= 0)
        return false;
    return __atomic_fetch_sub(&frame_fail_countdown, 1, __ATOMIC_RELAXED) == 1;
}

void frame_keep_reserve(uint64_t frames, bool (*granted)(uint64_t n, bool taken)) {
    reserve.granted = granted;
    reserve.frames = frames;
}

int frame_commit(uint64_t n) {
    bool reserved;
    if (injected_failure())
        return -K_ENOMEM;
    uint64_t now = __atomic_load_n(&committed, __ATOMIC_RELAXED);
    do {
        if (n > total - now)
            return -K_ENOMEM;
        reserved = n + reserve.frames > total - now;
        if (reserved && !reserve.granted(n, false))
            return -K_ENOMEM;
    } while (!__atomic_compare_exchange_n(&committed, &now, now + n, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    if (reserved)
        reserve.granted(n, true);
    return 0;
}

void frame_uncommit(uint64_t n) {
    uint64_t before = __atomic_fetch_sub(&committed, n, __ATOMIC_RELAXED);
    ASSERT(before >= n);
}

int frame_alloc(paddr_t *pa) {
    int err = frame_commit(1);
    if (err)
        return err;
    *pa = frame_take();
    frame_zero(*pa, 0);
    return 0;
}

void frame_free(paddr_t pa) {
    bool freed = frame_put(pa);
    ASSERT(freed);
    frame_uncommit(1);
}

void frame_zero(paddr_t pa, unsigned order) { memset(pa_ptr(pa), 0, PAGE_SIZE << order); }

static void lock_all(void) {
    for (struct cache *c = caches; c < caches + NHART; c++)
        cache_lock(c);
    spin_lock(&pool.lock);
}

static void unlock_all(void) {
    spin_unlock(&pool.lock);
    for (struct cache *c = caches; c < caches + NHART; c++)
        cache_unlock(c);
}

void frame_stats(struct frame_stats *out) {
    lock_all();
    out->total = total;
    out->free = pool.free;
    for (struct cache *c = caches; c < caches + NHART; c++)
        out->free += c->count;
    out->cached = reclaim_count();
    out->committed = __atomic_load_n(&committed, __ATOMIC_RELAXED) + reserve.frames;
    out->committed = MIN(out->committed, total);
    unlock_all();
}

static uint64_t check_list(unsigned order) {
    uint64_t frames = 0;
    uint32_t prev = NONE;
    for (uint32_t number = pool.first[order]; number != NONE; number = record(number)->next) {
        struct frame *f = record(number);
        struct frame *buddy = record(number ^ (1u << order) % LARGE_FRAMES);
        ASSERT(f->in_pool);
        ASSERT(f->order == order);
        ASSERT(f->refs == 0);
        ASSERT(f->prev == prev);
        ASSERT(IS_ALIGNED(number, 1u << order));
        ASSERT(buddy == f || !buddy->in_pool || buddy->order != order);
        frames += 1u << order;
        prev = number;
    }
    return frames;
}

void frame_check(void) {
    lock_all();
    uint64_t frames = 0;
    for (unsigned order = 0; order < ORDERS; order++)
        frames += check_list(order);
    ASSERT(frames == pool.free);
    for (struct cache *c = caches; c < caches + NHART; c++) {
        ASSERT(c->count <= CACHE_MAX);
        for (uint32_t i = 0; i < c->count; i++) {
            const struct frame *f = c->frames[i].record;
            ASSERT(f == frame_record(c->frames[i].pa));
            ASSERT(!f->in_pool);
            ASSERT(f->order == 0);
            ASSERT(f->refs == 0);
        }
        frames += c->count;
    }
    ASSERT(frames <= total);
    unlock_all();
}

/* ---- boot ---------------------------------------------------------------- */

static void add_block(uint32_t number, unsigned order) {
    pool_insert(number, order);
    total += 1u << order;
}

void frame_init(void) {
    for (unsigned order = 0; order < ORDERS; order++)
        pool.first[order] = NONE;
    frame_boot_records();
    frame_boot_blocks(add_block);
}
