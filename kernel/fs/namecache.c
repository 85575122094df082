/* The name cache: a table of small sets. */
#include "fs/namecache.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "sync/spinlock.h"

#define WAYS 8
#define MIX 0x9e3779b97f4a7c15ULL /* 2^64 / the golden ratio: spreads what it multiplies */

struct entry {
    uint64_t head; /* the directory's `names`, and in its low bits when it was used; 0: free */
    struct known_name known;
    uint64_t name[]; /* cache.words */
};
#define ENTRY_BYTES(words) (sizeof(struct entry) + (words) * sizeof(uint64_t))
#define SHORT 2 /* words */
_Static_assert(ENTRY_BYTES(SHORT) == 32, "a set of short names is four lines of a hart's cache");

#define TIME_BITS 24
#define ONE_DIRECTORY (1UL << TIME_BITS) /* from one `names` to the next */
#define TIME_MASK (ONE_DIRECTORY - 1)

static struct {
    struct spinlock lock; /* all of this, and each inode's `names` */
    uint8_t *memory;
    size_t bytes;
    unsigned words;
    uint64_t mask;      /* sets - 1 */
    uint64_t last_name; /* the last `names` that was given out */
    uint64_t clock;     /* counts uses; only differences mean something, so it may wrap */
} cache;

void namecache_mount(unsigned words) {
    uint64_t sets = 1;
    cache.words = words;
    while (sets * 2 * WAYS * ENTRY_BYTES(words) <= cache.bytes)
        sets *= 2;
    cache.mask = sets - 1;
    memset(cache.memory, 0, cache.bytes);
}

int namecache_boot_init(uint32_t n) {
    cache.bytes = MAX(n, (uint32_t)WAYS) * ENTRY_BYTES(SHORT);
    cache.memory = frame_boot_alloc(cache.bytes, 64);
    if (!cache.memory)
        return -K_ENOMEM;
    spin_init(&cache.lock, RANK_NAME_CACHE);
    return 0;
}

/* One of a set. */
always_inline struct entry *entry_of(void *set, unsigned i, unsigned words) {
    return (struct entry *)(void *)((uint8_t *)set + i * ENTRY_BYTES(words));
}

always_inline void *set_of(uint64_t dir, const uint64_t *name, unsigned words) {
    uint64_t h = dir << TIME_BITS;
    for (unsigned w = 0; w < words; w++) {
        h = (h ^ name[w]) * MIX;
        h ^= h >> 32;
    }
    return cache.memory + (h * MIX >> 32 & cache.mask) * WAYS * ENTRY_BYTES(words);
}

always_inline bool is_named(const struct entry *e, uint64_t dir, const uint64_t *name,
                            unsigned words) {
    for (unsigned w = words; w-- > 0;) /* the ends of names differ most */
        if (e->name[w] != name[w])
            return false;
    return (e->head ^ dir) < ONE_DIRECTORY;
}

static uint64_t used_now(uint64_t dir) { return dir | (cache.clock++ & TIME_MASK); }

always_inline struct entry *find_sized(uint64_t dir, const uint64_t *name, unsigned words) {
    void *set = set_of(dir, name, words);
    for (unsigned i = 0; i < WAYS; i++) {
        struct entry *e = entry_of(set, i, words);
        if (is_named(e, dir, name, words)) {
            e->head = used_now(dir);
            return e;
        }
    }
    return NULL;
}

/* What is known of the name, or NULL. The compiler makes the loops of short names straight. */
static struct entry *find_locked(uint64_t dir, const uint64_t *name) {
    ASSERT_LOCKED(&cache.lock);
    if (dir == 0)
        return NULL;
    return cache.words == SHORT ? find_sized(dir, name, SHORT) : find_sized(dir, name, cache.words);
}

const struct known_name *namecache_look(const uint64_t *names, const uint64_t *name) {
    spin_lock(&cache.lock);
    const struct entry *e = find_locked(*names, name);
    return e ? &e->known : NULL;
}

void namecache_looked(void) { spin_unlock(&cache.lock); }

/* The entry of a set that is free, or else was used least lately. */
always_inline struct entry *oldest_in(void *set, unsigned words) {
    struct entry *oldest = set;
    for (unsigned i = 0; i < WAYS; i++) {
        struct entry *e = entry_of(set, i, words);
        if (e->head == 0)
            return e;
        if (((cache.clock - e->head) & TIME_MASK) > ((cache.clock - oldest->head) & TIME_MASK))
            oldest = e;
    }
    return oldest;
}

always_inline void put_sized(uint64_t dir, const uint64_t *name, struct known_name known,
                             unsigned words) {
    struct entry *e = find_sized(dir, name, words);
    if (!e)
        e = oldest_in(set_of(dir, name, words), words);
    e->head = used_now(dir);
    e->known = known;
    for (unsigned w = 0; w < words; w++)
        e->name[w] = name[w];
}

void namecache_put(uint64_t *names, const uint64_t *name, struct known_name known) {
    spin_lock(&cache.lock);
    if (*names == 0)
        *names = cache.last_name += ONE_DIRECTORY;
    if (cache.words == SHORT)
        put_sized(*names, name, known, SHORT);
    else
        put_sized(*names, name, known, cache.words);
    spin_unlock(&cache.lock);
}

void namecache_forget(const uint64_t *names, const uint64_t *name) {
    spin_lock(&cache.lock);
    struct entry *e = find_locked(*names, name);
    if (e)
        e->head = 0;
    spin_unlock(&cache.lock);
}

void namecache_forget_all(uint64_t *names) {
    spin_lock(&cache.lock);
    *names = 0;
    spin_unlock(&cache.lock);
}
