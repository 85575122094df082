/* The name cache: a table of small sets. */
#include "fs/namecache.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "sync/spinlock.h"

#define WAYS 8
#define MIX 0x9e3779b97f4a7c15ULL /* 2^64 / the golden ratio: spreads what it multiplies */

struct known {
    uint64_t dir; /* its inode's `names`; 0: the entry is free */
    struct dir_name name;
    uint16_t inum, index;
    uint32_t used; /* the clock when it was used last */
};
_Static_assert(sizeof(struct known) == 32, "a set is four lines of a hart's cache");

static struct {
    struct spinlock lock; /* all of this, and each inode's `names` */
    struct known (*sets)[WAYS];
    uint64_t mask;      /* sets - 1 */
    uint64_t last_name; /* the last `names` that was given out */
    uint32_t clock;     /* counts uses; only differences mean something, so it may wrap */
} cache;

int namecache_boot_init(uint32_t n) {
    uint32_t sets = 1;
    while (sets * 2 * WAYS <= n)
        sets *= 2;
    size_t bytes = sets * sizeof(*cache.sets);
    cache.sets = frame_boot_alloc(bytes, sizeof(*cache.sets));
    if (!cache.sets)
        return -K_ENOMEM;
    memset(cache.sets, 0, bytes);
    spin_init(&cache.lock, RANK_NAME_CACHE);
    cache.mask = sets - 1;
    return 0;
}

static struct known *set_of(uint64_t dir, const struct dir_name *name) {
    uint64_t h = (name->first ^ dir << 48) * MIX;
    h = (h ^ h >> 32 ^ name->rest) * MIX;
    return cache.sets[h >> 32 & cache.mask];
}

/* What is known of the name, or NULL. */
static struct known *find_locked(const struct inode *dp, const struct dir_name *name) {
    ASSERT_LOCKED(&cache.lock);
    uint64_t dir = dp->names;
    if (dir == 0)
        return NULL;
    struct known *k = set_of(dir, name);
    for (struct known *end = k + WAYS; k < end; k++)
        if (k->name.rest == name->rest && k->name.first == name->first && k->dir == dir) {
            k->used = cache.clock++;
            return k;
        }
    return NULL;
}

bool namecache_step(struct inode *dp, const struct dir_name *name, struct inode **out, int *err) {
    spin_lock(&cache.lock);
    struct known *k = find_locked(dp, name);
    if (k)
        *err = k->inum == 0 ? -K_ENOENT : inode_get(k->inum, out);
    spin_unlock(&cache.lock);
    return k;
}

bool namecache_get(struct inode *dp, const struct dir_name *name, uint32_t *inum, uint32_t *index) {
    spin_lock(&cache.lock);
    struct known *k = find_locked(dp, name);
    if (k) {
        *inum = k->inum;
        *index = k->index;
    }
    spin_unlock(&cache.lock);
    return k;
}

/* The entry of a set that is free, or else was used least lately. */
static struct known *oldest_locked(struct known *set) {
    ASSERT_LOCKED(&cache.lock);
    struct known *oldest = set;
    for (struct known *k = set; k < set + WAYS; k++) {
        if (k->dir == 0)
            return k;
        if (cache.clock - k->used > cache.clock - oldest->used)
            oldest = k;
    }
    return oldest;
}

void namecache_put(struct inode *dp, const struct dir_name *name, uint32_t inum, uint32_t index) {
    if (dp->d.nlink == 0)
        return;
    spin_lock(&cache.lock);
    if (dp->names == 0)
        dp->names = ++cache.last_name;
    struct known *k = find_locked(dp, name);
    if (!k)
        k = oldest_locked(set_of(dp->names, name));
    *k = (struct known){dp->names, *name, (uint16_t)inum, (uint16_t)index, cache.clock++};
    spin_unlock(&cache.lock);
}

void namecache_forget(struct inode *dp, const struct dir_name *name) {
    spin_lock(&cache.lock);
    struct known *k = find_locked(dp, name);
    if (k)
        *k = (struct known){.dir = 0};
    spin_unlock(&cache.lock);
}

void namecache_forget_all(struct inode *dp) {
    spin_lock(&cache.lock);
    dp->names = 0;
    spin_unlock(&cache.lock);
}
