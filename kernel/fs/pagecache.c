/* The page cache: see pagecache.h. */
#include "fs/pagecache.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/reclaim.h"
#include "proc/proc.h"
#include "proc/sleeplock.h"
#include "sync/spinlock.h"

#define HELD_PER_RAM 32 /* at most this part of the frames is promised for held pages */
#define HELD_MIN 512UL
#define HELD_MAX 4096UL
/* So that calls of a thread of each process need not wait: one each; and what those have that do
 * not sleep, one a hart. */
#define HELD_BY_CALLS (proc_slots + NHART * PAGES_AT_ONCE)
#define PAGES_PER_RAM 8 /* so much of the frames can be in the cache */
#define PAGES_MAX 32768UL

/* Under the lock. A page without references is idle when it is found, else it has no frame. */
static struct {
    struct spinlock lock;
    struct list idle, unused; /* oldest first */
    struct page **buckets;
    uint32_t mask;
    uint32_t held, held_max;
    struct page *page; /* the records */
    uint32_t pages;
} cache;

/* Whoever waits tells so before it looks, and whoever changes something looks for it afterwards:
 * one of the two sees the other. It has a lock of its own, since frames are taken with locks held
 * inside which there are no wake-ups. */
static struct {
    struct spinlock lock;
    struct wait_channel changed; /* a page is held no more, or written */
    uint32_t n;                  /* atomic */
} waiters;

static uint64_t reclaim_pages(uint64_t n);
static struct reclaimer reclaimer = {.reclaim = reclaim_pages};

uint32_t pagecache_pages(void) { return cache.pages; }

int pagecache_boot_init(uint64_t ram_bytes) {
    uint64_t frames = ram_bytes / PAGE_SIZE;
    uint32_t held = (uint32_t)MAX(HELD_MIN, MIN(frames / HELD_PER_RAM, HELD_MAX));
    uint32_t n = (uint32_t)MAX(4UL * held, MIN(frames / PAGES_PER_RAM, PAGES_MAX)), nbuckets = 1;
    while (nbuckets < n)
        nbuckets *= 2;
    struct page *pages = frame_boot_alloc(n * sizeof(struct page), _Alignof(struct page));
    cache.buckets = frame_boot_alloc(nbuckets * sizeof(struct page *), _Alignof(struct page *));
    if (!pages || !cache.buckets)
        return -K_ENOMEM;
    spin_init(&cache.lock, RANK_PAGE_CACHE);
    spin_init(&waiters.lock, RANK_PAGE_WAIT);
    wait_channel_init(&waiters.changed);
    waiters.n = 0;
    list_init(&cache.idle);
    list_init(&cache.unused);
    cache.mask = nbuckets - 1;
    cache.held = 0;
    cache.held_max = held;
    cache.page = pages;
    cache.pages = n;
    for (uint32_t i = 0; i < n; i++) {
        pages[i] = (struct page){.data = NULL};
        list_push_back(&cache.unused, &pages[i].link);
    }
    reclaim_register(&reclaimer);
    return 0;
}

int pagecache_mount(void) { return frame_commit(cache.held_max); }

uint32_t pagecache_dirty_max(void) { return (cache.held_max - HELD_BY_CALLS) / 2; }

/* ---- the table ---- */

static struct page **bucket_of(uint32_t inum, uint32_t index) {
    return &cache.buckets[(inum * 67 + index) & cache.mask]; /* the largest file has 67 */
}

static void unhash_locked(struct page *p) {
    ASSERT_LOCKED(&cache.lock);
    struct page **link = bucket_of(p->inum, p->index);
    while (*link != p)
        link = &(*link)->hash_next;
    *link = p->hash_next;
    p->found = false;
}

static void hold_locked(struct page *p) {
    ASSERT_LOCKED(&cache.lock);
    if (p->refs++ > 0)
        return;
    list_remove(&p->link);
    reclaim_end(&reclaimer, 1);
    cache.held++;
}

static struct page *find_locked(uint32_t inum, uint32_t index) {
    ASSERT_LOCKED(&cache.lock);
    struct page *p = *bucket_of(inum, index);
    while (p && (p->inum != inum || p->index != index))
        p = p->hash_next;
    return p;
}

/* Sleeps until is_so(arg). */
static seldom void wait_until(bool (*is_so)(void *arg), void *arg) {
    sleep_may_wait(RANK_PAGE);
    spin_lock(&waiters.lock);
    __atomic_add_fetch(&waiters.n, 1, __ATOMIC_SEQ_CST);
    while (!is_so(arg))
        sleep_on(&waiters.changed, &waiters.lock);
    __atomic_sub_fetch(&waiters.n, 1, __ATOMIC_RELAXED);
    spin_unlock(&waiters.lock);
}

static void wake_waiters(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&waiters.n, __ATOMIC_RELAXED) == 0)
        return;
    spin_lock(&waiters.lock);
    wakeup(&waiters.changed);
    spin_unlock(&waiters.lock);
}

/* What is looked for, and found. */
struct wanted {
    uint32_t inum, index;
    struct page *page;
};

/* An idle page becomes held only when there is a promise left for it. True: it is held, or
 * there is none. */
static inline bool find_and_hold(struct wanted *w) {
    spin_lock(&cache.lock);
    struct page *p = find_locked(w->inum, w->index);
    bool must_wait = p && p->refs == 0 && cache.held == cache.held_max;
    if (p && !must_wait)
        hold_locked(p);
    w->page = must_wait ? NULL : p;
    spin_unlock(&cache.lock);
    return !must_wait;
}

static bool try_find(void *arg) { return find_and_hold(arg); }

struct page *page_find(uint32_t inum, uint32_t index, bool can_wait) {
    struct wanted w = {.inum = inum, .index = index};
    if (!find_and_hold(&w) && can_wait)
        wait_until(try_find, &w);
    return w.page;
}

paddr_t page_frame(uint32_t inum, uint32_t index) {
    spin_lock(&cache.lock);
    const struct page *p = find_locked(inum, index);
    paddr_t frame = p ? ptr_pa(p->data) : PA(0);
    if (p)
        frame_get(frame_single(frame));
    spin_unlock(&cache.lock);
    return frame;
}

bool page_next(uint32_t *at, uint32_t inum, uint32_t *index, bool *found) {
    *found = false;
    spin_lock(&cache.lock);
    uint32_t end = MIN(cache.pages, *at + PAGES_LOOKED_AT);
    while (*at < end && !*found) {
        const struct page *p = &cache.page[(*at)++];
        *found = p->found && p->inum == inum;
        *index = p->index;
    }
    bool more = *found || *at < cache.pages;
    spin_unlock(&cache.lock);
    return more;
}

bool page_is_there(uint32_t inum, uint32_t index) {
    spin_lock(&cache.lock);
    bool is_there = find_locked(inum, index);
    spin_unlock(&cache.lock);
    return is_there;
}

void page_publish(struct page *p) {
    struct page **bucket = bucket_of(p->inum, p->index);
    spin_lock(&cache.lock);
    p->hash_next = *bucket;
    *bucket = p;
    p->found = true;
    spin_unlock(&cache.lock);
}

void page_forget(struct page *p) {
    spin_lock(&cache.lock);
    ASSERT(p->refs > 0);
    if (p->found)
        unhash_locked(p);
    spin_unlock(&cache.lock);
}

/* ---- who has which ---- */

static bool others_have(const struct page *p) { return !frame_sole(frame_single(ptr_pa(p->data))); }

/* The oldest idle page that is nobody else's, taken out of table and list. What is mapped goes to
 * the back of the list, so that it is not passed over again and again. */
static struct page *oldest_locked(void) {
    ASSERT_LOCKED(&cache.lock);
    const struct list *passed = NULL; /* the first: seen again, all are */
    while (!list_empty(&cache.idle) && cache.idle.next != passed) {
        struct page *p = LIST_ENTRY(cache.idle.next, struct page, link);
        list_remove(&p->link);
        if (!others_have(p)) {
            unhash_locked(p);
            reclaim_end(&reclaimer, 1);
            return p;
        }
        list_push_back(&cache.idle, &p->link);
        if (!passed)
            passed = &p->link;
    }
    return NULL;
}

static struct page *claim_locked(void) {
    ASSERT_LOCKED(&cache.lock);
    if (cache.held == cache.held_max)
        return NULL;
    struct list *unused = list_pop_front(&cache.unused);
    struct page *p = unused ? LIST_ENTRY(unused, struct page, link) : oldest_locked();
    if (!p)
        return NULL;
    cache.held++;
    p->refs = 1;
    return p;
}

static bool try_claim(void *arg) {
    struct page **out = arg;
    spin_lock(&cache.lock);
    *out = claim_locked();
    spin_unlock(&cache.lock);
    return *out;
}

struct page *page_new(uint32_t inum, uint32_t index, bool can_wait) {
    struct page *p;
    if (!try_claim(&p) && can_wait)
        wait_until(try_claim, &p);
    if (!p)
        return NULL;
    if (!p->data)
        p->data = pa_ptr(frame_take());
    p->inum = inum;
    p->index = index;
    p->fresh = p->logged = 0;
    p->transaction = 0;
    for (unsigned b = 0; b < PAGE_BLOCKS; b++)
        p->block[b] = 0;
    return p;
}

void page_hold(struct page *p) {
    spin_lock(&cache.lock);
    ASSERT(p->refs > 0);
    p->refs++;
    spin_unlock(&cache.lock);
}

static void drop_frame_locked(struct page *p) {
    ASSERT_LOCKED(&cache.lock);
    frame_put(frame_single(ptr_pa(p->data)));
    p->data = NULL;
    list_push_front(&cache.unused, &p->link);
}

void page_put(struct page *p) {
    spin_lock(&cache.lock);
    ASSERT(p->refs > 0);
    bool last = --p->refs == 0;
    if (last) {
        if (p->found) {
            list_push_back(&cache.idle, &p->link);
            reclaim_begin(&reclaimer, 1);
        } else {
            drop_frame_locked(p);
        }
        cache.held--;
    }
    spin_unlock(&cache.lock);
    if (last)
        wake_waiters();
}

static uint64_t reclaim_pages(uint64_t n) {
    uint64_t given = 0;
    struct page *p;
    spin_lock(&cache.lock);
    for (; given < n && (p = oldest_locked()); given++)
        drop_frame_locked(p);
    spin_unlock(&cache.lock);
    return given;
}

/* ---- the log's writing ---- */

void page_begin_writing(struct page *p) { __atomic_store_n(&p->writing, true, __ATOMIC_RELAXED); }

void page_end_writing(struct page *p) {
    __atomic_store_n(&p->writing, false, __ATOMIC_RELEASE);
    wake_waiters();
}

static bool is_written(void *arg) {
    const struct page *p = arg;
    return !__atomic_load_n(&p->writing, __ATOMIC_SEQ_CST);
}

void page_wait_writing(struct page *p) {
    if (!is_written(p)) /* and it does not begin while an operation runs */
        wait_until(is_written, p);
}
