/* Inodes: the table in memory, and contents. See inode.h. */
#include "ext2/inode.h"
#include "ext2/blockmap.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/slab.h"
#include "proc/clock.h"

#define FS_DEV 1 /* the disk, as stat names it */
#define BUCKETS 1024

static struct slab records = SLAB_INIT(records, sizeof(struct ext2_inode));

static struct {
    struct spinlock lock;
    uint32_t refs;    /* to all of them; atomic */
    struct list dead; /* orphans without a reference, to be reaped */
    struct list idle; /* without a reference; the first one goes first */
    uint32_t idle_count;
    uint64_t changed_in[256]; /* of inodes that are not in memory, by number */
    struct ext2_inode *buckets[BUCKETS];
} table = {.lock = SPINLOCK_INIT(RANK_INODES)};

struct sleeplock ext2_names = SLEEPLOCK_INIT(ext2_names, RANK_NAMES);

void ext2_inode_mount(void) {
    records = (struct slab)SLAB_INIT(records, sizeof(struct ext2_inode));
    table.refs = 0;
    list_init(&table.dead);
    list_init(&table.idle);
    table.idle_count = 0;
    memset(table.changed_in, 0, sizeof(table.changed_in));
    memset(table.buckets, 0, sizeof(table.buckets));
}

/* ---- the table ---- */

static struct ext2_inode **find_locked(uint32_t inum) {
    ASSERT_LOCKED(&table.lock);
    struct ext2_inode **link = &table.buckets[inum % BUCKETS];
    while (*link && (*link)->inum != inum)
        link = &(*link)->hash_next;
    return link;
}

/* What may still be lost of an inode is told to whoever opens it again, or another one of those
 * that share a place. */
static uint64_t *kept_transaction(uint32_t inum) {
    return &table.changed_in[inum % ARRAY_LEN(table.changed_in)];
}

static void drop_target(struct ext2_inode *ip) {
    if (ip->target)
        frame_free(ptr_pa(ip->target));
    ip->target = NULL;
}

static void free_record(struct ext2_inode *ip) {
    ASSERT(!ip->mapped.map); /* whoever maps it or may write it has a reference */
    ASSERT(ip->mapped.writers == 0);
    drop_target(ip);
    slab_give(&records, ip);
}

void ext2_inode_set_up(struct ext2_inode *ip, uint32_t inum) {
    *ip = (struct ext2_inode){
        .node = {.ops = &ext2_node_ops, .dev = FS_DEV}, .inum = inum, .refs = 1};
    sleeplock_init(&ip->lock, RANK_INODE);
}

static void count_refs_locked(int more) {
    ASSERT_LOCKED(&table.lock);
    __atomic_store_n(&table.refs, table.refs + (uint32_t)more, __ATOMIC_RELEASE);
}

uint32_t ext2_inode_refs(void) { return __atomic_load_n(&table.refs, __ATOMIC_ACQUIRE); }

/* One that is in memory has a reference more; NULL: it is not. */
static struct ext2_inode *take_locked(uint32_t inum) {
    ASSERT_LOCKED(&table.lock);
    struct ext2_inode *ip = *find_locked(inum);
    if (!ip)
        return NULL;
    if (ip->refs++ == 0) {
        list_remove(&ip->link);
        table.idle_count--;
    }
    count_refs_locked(1);
    return ip;
}

int ext2_inode_find(uint32_t inum, struct ext2_inode **out) {
    spin_lock(&table.lock);
    *out = take_locked(inum);
    spin_unlock(&table.lock);
    return *out ? 0 : -K_EAGAIN;
}

int ext2_inode_get(uint32_t inum, struct ext2_inode **out) {
    if (inum == 0 || inum > ext2.inodes)
        return -K_EIO;
    struct ext2_inode *fresh = NULL;
    for (;;) {
        spin_lock(&table.lock);
        struct ext2_inode *ip = take_locked(inum);
        if (!ip && fresh) {
            *find_locked(inum) = ip = fresh;
            count_refs_locked(1);
        }
        spin_unlock(&table.lock);
        if (ip) {
            if (fresh && ip != fresh)
                slab_give(&records, fresh);
            *out = ip;
            return 0;
        }
        fresh = slab_take(&records);
        if (!fresh)
            return -K_ENFILE;
        ext2_inode_set_up(fresh, inum);
    }
}

struct ext2_inode *ext2_inode_dup(struct ext2_inode *ip) {
    spin_lock(&table.lock);
    ASSERT(ip->refs > 0);
    ip->refs++;
    count_refs_locked(1);
    spin_unlock(&table.lock);
    return ip;
}

/* It is in the table no more, and nobody refers to it. */
static void remove_locked(struct ext2_inode *ip) {
    ASSERT_LOCKED(&table.lock);
    uint64_t *kept = kept_transaction(ip->inum);
    *kept = MAX(*kept, ip->changed_in);
    *find_locked(ip->inum) = ip->hash_next;
}

/* Whether it is kept without a reference. Where a link leads takes a frame. */
static bool may_be_idle(const struct ext2_inode *ip) {
    return ip->loaded && ip->d.links > 0 && !ip->target;
}

/* The last reference was given back. What has to be freed for that, or NULL. */
static struct ext2_inode *rest_locked(struct ext2_inode *ip) {
    ASSERT_LOCKED(&table.lock);
    if (may_be_idle(ip)) {
        list_push_back(&table.idle, &ip->link);
        if (++table.idle_count <= EXT2_IDLE_MOST)
            return NULL;
        ip = LIST_ENTRY(list_pop_front(&table.idle), struct ext2_inode, link);
        table.idle_count--;
    }
    remove_locked(ip);
    return ip;
}

void ext2_inode_put(struct ext2_inode *ip) {
    struct ext2_inode *ends = NULL;
    spin_lock(&table.lock);
    ASSERT(ip->refs > 0);
    if (ip->refs == 1 && ip->orphan) {
        list_push_back(&table.dead, &ip->link); /* with the caller's reference */
    } else {
        count_refs_locked(-1);
        if (--ip->refs == 0)
            ends = rest_locked(ip);
    }
    spin_unlock(&table.lock);
    if (ends)
        free_record(ends);
}

/* It is in the list for the caller, with the list's reference, unless somebody has it again. */
struct ext2_inode *ext2_inode_next_dead(void) {
    struct ext2_inode *ip = NULL;
    spin_lock(&table.lock);
    while (!ip && !list_empty(&table.dead)) {
        ip = LIST_ENTRY(table.dead.next, struct ext2_inode, link);
        list_remove(&ip->link);
        if (ip->refs > 1) { /* its last put brings it here again */
            ip->refs--;
            count_refs_locked(-1);
            ip = NULL;
        }
    }
    spin_unlock(&table.lock);
    return ip;
}

/* ---- contents ---- */

/* Where the inode lives. */
static int home(uint32_t inum, struct buf **b, uint32_t *offset) {
    struct buf *descriptor;
    struct ext2_group *g;
    uint32_t group = (inum - 1) / ext2.inodes_per_group, i = (inum - 1) % ext2.inodes_per_group;
    uint32_t in_block = ext2.block_bytes / ext2.inode_bytes;
    int err = ext2_group_get(group, &descriptor, &g);
    if (err)
        return err;
    uint32_t block = g->inode_table + i / in_block;
    cache_put(descriptor);
    if (!ext2_is_data(block))
        return -K_EIO;
    *offset = i % in_block * ext2.inode_bytes;
    return cache_get(block, b);
}

static size_t bytes_on_disk(void) {
    return MIN((size_t)ext2.inode_bytes, sizeof(struct ext2_dinode));
}

static bool has_type(uint32_t type) {
    static const uint16_t types[] = {EXT2_MODE_FIFO,  EXT2_MODE_CHAR, EXT2_MODE_DIR,
                                     EXT2_MODE_BLOCK, EXT2_MODE_FILE, EXT2_MODE_LINK,
                                     EXT2_MODE_SOCKET};
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        if (types[i] == type)
            return true;
    return false;
}

/* Whether the image says something possible about an inode in use. */
static bool sensible(const struct ext2_inode *ip) {
    if (!has_type(ext2_mode_type(ip)) || (ip->d.flags & EXT2_FLAG_EXTENTS))
        return false;
    /* A directory that Linux was removing when the power went may have been cut. */
    if (ext2_is_dir(ip) && (ip->d.size % ext2.block_bytes || (ip->d.size == 0 && ip->d.links > 0)))
        return false;
    return ext2_size(ip) <= ext2.size_max;
}

static int load_target(struct ext2_inode *ip) {
    uint64_t n = ext2_size(ip);
    if (n == 0 || n >= ext2.block_bytes)
        return -K_EIO;
    if (frame_commit(1))
        return -K_ENFILE;
    ip->target = pa_ptr(frame_take());
    int err = 0;
    if (n < sizeof(ip->d.block))
        memcpy(ip->target, ip->d.block, n);
    else
        err = ext2_read_first_block(ip, ip->target, n);
    ip->target[n] = '\0';
    if (!err && strlen(ip->target) != n)
        err = -K_EIO;
    if (err)
        drop_target(ip);
    return err;
}

static int load(struct ext2_inode *ip) {
    struct buf *b;
    uint32_t offset;
    int err = home(ip->inum, &b, &offset);
    if (err)
        return err;
    memset(&ip->d, 0, sizeof(ip->d));
    memcpy(&ip->d, b->data + offset, bytes_on_disk());
    cache_put(b);
    if ((ip->d.links == 0 && !ip->orphan) || !sensible(ip))
        return -K_EIO;
    ip->node.link = ext2_mode_type(ip) == EXT2_MODE_LINK;
    if (ip->node.link && ip->d.links > 0)
        err = load_target(ip);
    if (ip->changed_in == 0)
        ip->changed_in = __atomic_load_n(kept_transaction(ip->inum), __ATOMIC_RELAXED);
    __atomic_store_n(&ip->loaded, !err, __ATOMIC_RELEASE); /* for ext2_inode_known */
    return err;
}

int ext2_inode_lock(struct ext2_inode *ip) {
    sleeplock_acquire(&ip->lock);
    int err = ip->loaded ? 0 : load(ip);
    if (err)
        sleeplock_release(&ip->lock);
    return err;
}

void ext2_inode_unlock(struct ext2_inode *ip) {
    if (ip->home)
        cache_put(ip->home);
    ip->home = NULL;
    sleeplock_release(&ip->lock);
}

int ext2_inode_known(struct ext2_inode *ip) {
    if (__atomic_load_n(&ip->loaded, __ATOMIC_ACQUIRE) && !ip->node.link)
        return 0;
    int err = ext2_inode_lock(ip);
    if (err)
        ext2_inode_put(ip);
    else
        ext2_inode_unlock(ip);
    return err;
}

int ext2_inode_edit(struct ext2_inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    return ip->home ? 0 : home(ip->inum, &ip->home, &ip->home_offset);
}

void ext2_inode_save(struct log_op *op, struct ext2_inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    memcpy(ip->home->data + ip->home_offset, &ip->d, bytes_on_disk());
    log_write(op, ip->home);
    __atomic_store_n(&ip->changed_in, op->transaction, __ATOMIC_RELAXED);
}

bool ext2_inode_lost(const struct ext2_inode *ip) {
    return log_lost(__atomic_load_n(&ip->changed_in, __ATOMIC_RELAXED));
}

int ext2_inode_sync(const struct ext2_inode *ip) {
    int err = log_sync();
    return err && ext2_inode_lost(ip) ? err : 0;
}

void ext2_set_size(struct ext2_inode *ip, uint64_t size) {
    ip->d.size = (uint32_t)size;
    if (ext2_is_file(ip))
        ip->d.size_high = (uint32_t)(size >> 32);
}

/* ---- new ones ---- */

/* Whether the disk has it as free, too. */
static int must_be_free(struct ext2_inode *ip) {
    int err = ext2_inode_edit(ip);
    if (err)
        return err;
    struct ext2_dinode *d = (struct ext2_dinode *)(void *)(ip->home->data + ip->home_offset);
    return d->links > 0 || (ip->loaded && ip->d.links > 0) || ip->orphan ? -K_EIO : 0;
}

int ext2_inode_new(uint32_t inum, uint16_t mode, struct ext2_inode **out) {
    struct ext2_inode *ip;
    int err = ext2_inode_get(inum, &ip);
    if (err)
        return err;
    sleeplock_acquire(&ip->lock);
    err = must_be_free(ip);
    if (err) {
        ext2_inode_unlock(ip);
        ext2_inode_put(ip);
        return err;
    }
    drop_target(ip);
    memset(ip->home->data + ip->home_offset, 0, ext2.inode_bytes);
    struct ext2_time now = ext2_time(clock_date());
    ip->d = (struct ext2_dinode){
        .mode = mode, .atime = now.seconds, .ctime = now.seconds, .mtime = now.seconds};
    if (ext2.inode_bytes >= sizeof(ip->d)) {
        ip->d.extra_bytes = sizeof(ip->d) - EXT2_INODE_OLD;
        ip->d.atime_extra = ip->d.ctime_extra = ip->d.mtime_extra = now.extra;
        ip->d.crtime = now.seconds;
        ip->d.crtime_extra = now.extra;
    }
    ip->node.link = (mode & EXT2_MODE_TYPE) == EXT2_MODE_LINK;
    ip->next_block = 0;
    memset(ip->room, 0, sizeof(ip->room));
    __atomic_store_n(&ip->loaded, true, __ATOMIC_RELEASE);
    *out = ip;
    return 0;
}

/* ---- times ---- */

/* Seconds of 34 bits, of which two are in the other field. */
struct ext2_time ext2_time(uint64_t nanoseconds) {
    uint64_t seconds = nanoseconds / 1000000000;
    uint32_t epoch = (uint32_t)((seconds + 0x80000000ULL) >> 32) & 3;
    return (struct ext2_time){(uint32_t)seconds, (uint32_t)(nanoseconds % 1000000000) << 2 | epoch};
}

/* In a small number e2fsck would see the list of orphans. */
uint32_t ext2_dtime(void) { return MAX(ext2_time(clock_date()).seconds, ext2.inodes + 1); }

void ext2_touch(struct ext2_inode *ip, bool modified) {
    struct ext2_time now = ext2_time(clock_date());
    ip->d.ctime = now.seconds;
    if (modified)
        ip->d.mtime = now.seconds;
    if (ip->d.extra_bytes < EXT2_TIMES_EXTRA)
        return;
    ip->d.ctime_extra = now.extra;
    if (modified)
        ip->d.mtime_extra = now.extra;
}
