/* The block cache: a hash table of buffers and a list of the idle ones. */
#include "fs/cache.h"
#include "arch/layout.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "proc/sleeplock.h"
#include "sync/spinlock.h"

/* Invariants, under the lock: a buffer is in the idle list exactly when refs is
 * 0, and in the hash table exactly when it has a block. */
static struct {
    struct spinlock lock;
    struct wait_channel changed; /* a buffer was loaded, or became idle while somebody waited */
    uint32_t waiting;            /* for an idle buffer */
    struct list idle;
    uint8_t *memory; /* of all blocks */
    uint64_t memory_bytes;
    uint32_t block_bytes;
    struct buf *bufs;
    uint32_t nbufs;
    struct buf **buckets;
    uint32_t mask;
} cache;

void cache_mount(uint32_t block_bytes) {
    ASSERT(block_bytes >= FS_BLOCK_SIZE && block_bytes <= PAGE_SIZE);
    list_init(&cache.idle);
    cache.block_bytes = block_bytes;
    cache.nbufs = (uint32_t)(cache.memory_bytes / block_bytes);
    cache.waiting = 0;
    for (uint32_t i = 0; i <= cache.mask; i++)
        cache.buckets[i] = NULL;
    for (uint32_t i = 0; i < cache.nbufs; i++) {
        struct buf *b = &cache.bufs[i];
        *b = (struct buf){.data = cache.memory + (size_t)i * block_bytes, .block = BUF_NO_BLOCK};
        list_push_back(&cache.idle, &b->idle);
    }
}

int cache_boot_init(uint64_t bytes) {
    uint32_t n = (uint32_t)(bytes / FS_BLOCK_SIZE), nbuckets = 1;
    while (nbuckets < n)
        nbuckets *= 2;
    cache.memory_bytes = bytes;
    cache.memory = frame_boot_alloc(bytes, PAGE_SIZE);
    cache.bufs = frame_boot_alloc(n * sizeof(struct buf), _Alignof(struct buf));
    cache.buckets = frame_boot_alloc(nbuckets * sizeof(struct buf *), _Alignof(struct buf *));
    if (!cache.memory || !cache.bufs || !cache.buckets)
        return -K_ENOMEM;

    spin_init(&cache.lock, RANK_CACHE);
    wait_channel_init(&cache.changed);
    cache.mask = nbuckets - 1;
    cache_mount(FS_BLOCK_SIZE);
    return 0;
}

uint32_t cache_buffers(void) { return cache.nbufs; }

static struct buf *find_locked(uint32_t block) {
    ASSERT_LOCKED(&cache.lock);
    struct buf *b = cache.buckets[block & cache.mask];
    while (b && b->block != block)
        b = b->hash_next;
    return b;
}

static void hold_locked(struct buf *b) {
    ASSERT_LOCKED(&cache.lock);
    if (b->refs++ == 0)
        list_remove(&b->idle);
}

static void unhash_locked(struct buf *b) {
    ASSERT_LOCKED(&cache.lock);
    struct buf **link = &cache.buckets[b->block & cache.mask];
    while (*link != b)
        link = &(*link)->hash_next;
    *link = b->hash_next;
}

/* Makes the oldest idle buffer that block's, empty, with one reference; NULL when
 * no buffer is idle. */
static struct buf *claim_locked(uint32_t block) {
    ASSERT_LOCKED(&cache.lock);
    struct list *oldest = list_pop_front(&cache.idle);
    if (!oldest)
        return NULL;
    struct buf *b = LIST_ENTRY(oldest, struct buf, idle);
    if (b->block != BUF_NO_BLOCK)
        unhash_locked(b);
    b->block = block;
    b->refs = 1;
    b->state = BUF_EMPTY;
    b->transaction = 0;
    struct buf **bucket = &cache.buckets[block & cache.mask];
    b->hash_next = *bucket;
    *bucket = b;
    return b;
}

/* The block's buffer with a new reference, not being loaded by anybody else. A buffer
 * becomes idle sooner or later: the log pins at most half of them, and an operation holds a few
 * others. */
static struct buf *obtain_locked(uint32_t block) {
    ASSERT_LOCKED(&cache.lock);
    sleep_may_wait(RANK_BUFFER);
    for (;;) {
        struct buf *b = find_locked(block);
        if (b) {
            hold_locked(b);
            while (b->state == BUF_LOADING)
                sleep_on(&cache.changed, &cache.lock);
            return b;
        }
        b = claim_locked(block);
        if (b)
            return b;
        cache.waiting++;
        sleep_on(&cache.changed, &cache.lock);
        cache.waiting--;
    }
}

static void put_locked(struct buf *b) {
    ASSERT_LOCKED(&cache.lock);
    ASSERT(b->refs > 0);
    if (--b->refs > 0)
        return;
    list_push_back(&cache.idle, &b->idle);
    if (cache.waiting > 0)
        wakeup(&cache.changed);
}

static void start_load(struct buf *b) {
    b->rq = (struct blk_request){
        .op = BLK_READ,
        .sector = (uint64_t)b->block * (cache.block_bytes / SECTOR_SIZE),
        .data = b->data,
        .bytes = cache.block_bytes,
    };
    blk_submit(&b->rq);
}

static void loaded_locked(struct buf *b, int err) {
    ASSERT_LOCKED(&cache.lock);
    b->state = err ? BUF_EMPTY : BUF_VALID;
    wakeup(&cache.changed);
}

int cache_get(uint32_t block, struct buf **out) {
    spin_lock(&cache.lock);
    struct buf *b = obtain_locked(block);
    if (b->state == BUF_EMPTY) {
        b->state = BUF_LOADING;
        spin_unlock(&cache.lock);
        start_load(b);
        int err = blk_wait(&b->rq);
        spin_lock(&cache.lock);
        loaded_locked(b, err);
        if (err) {
            put_locked(b);
            spin_unlock(&cache.lock);
            return err;
        }
    }
    spin_unlock(&cache.lock);
    *out = b;
    return 0;
}

struct buf *cache_blank(uint32_t block) {
    spin_lock(&cache.lock);
    struct buf *b = obtain_locked(block);
    b->state = BUF_VALID;
    spin_unlock(&cache.lock);
    return b;
}

struct buf *cache_peek(uint32_t block) {
    spin_lock(&cache.lock);
    struct buf *b = find_locked(block);
    if (b && b->state != BUF_VALID)
        b = NULL;
    if (b)
        hold_locked(b);
    spin_unlock(&cache.lock);
    return b;
}

void cache_prefetch(const uint32_t *blocks, uint32_t n) {
    struct buf *mine[CACHE_PREFETCH_MAX];
    uint32_t count = 0;

    ASSERT(n <= CACHE_PREFETCH_MAX);
    spin_lock(&cache.lock);
    for (uint32_t i = 0; i < n; i++) {
        if (find_locked(blocks[i]))
            continue;
        struct buf *b = claim_locked(blocks[i]);
        if (!b)
            break;
        b->state = BUF_LOADING;
        mine[count++] = b;
    }
    spin_unlock(&cache.lock);

    for (uint32_t i = 0; i < count; i++)
        start_load(mine[i]);
    for (uint32_t i = 0; i < count; i++) {
        int err = blk_wait(&mine[i]->rq);
        spin_lock(&cache.lock);
        loaded_locked(mine[i], err);
        put_locked(mine[i]);
        spin_unlock(&cache.lock);
    }
}

void cache_hold(struct buf *b) {
    spin_lock(&cache.lock);
    hold_locked(b);
    spin_unlock(&cache.lock);
}

void cache_put(struct buf *b) {
    spin_lock(&cache.lock);
    put_locked(b);
    spin_unlock(&cache.lock);
}
