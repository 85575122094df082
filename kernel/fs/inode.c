/* Inodes: the table in memory, allocation, orphans. */
#include "fs/inode.h"
#include "fs/data.h"
#include "fs/fsnode.h"
#include "fs/super.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frame.h"

#define WORD_BITS 64

static struct {
    struct spinlock lock;
    struct inode *inodes;
    struct inode **buckets;
    uint32_t mask;
    uint32_t refs;       /* to all of them; atomic */
    struct list idle;    /* refs = 0, oldest first */
    struct list orphans; /* type and no links; one reference: the list's */

    uint64_t used[INUM_END / WORD_BITS]; /* bit inum: not free; also 0 and beyond the end */
    uint32_t lowest;                     /* no inode below it is free */
    uint64_t free;

    /* The last transactions that changed inodes whose places are others' now: of each number, of
     * those that have its remainder. More than one share an entry, so one may be told of the
     * other's loss; it is not kept once it is on the disk. */
    uint64_t changed_in[256];
} table;

int inode_boot_init(uint32_t n) {
    uint32_t nbuckets = 1;
    while (nbuckets < n)
        nbuckets *= 2;
    table.inodes = frame_boot_alloc(n * sizeof(struct inode), _Alignof(struct inode));
    table.buckets = frame_boot_alloc(nbuckets * sizeof(struct inode *), _Alignof(struct inode *));
    if (!table.inodes || !table.buckets)
        return -K_ENOMEM;
    spin_init(&table.lock, RANK_INODES);
    table.mask = nbuckets - 1;
    list_init(&table.idle);
    list_init(&table.orphans);
    for (uint32_t i = 0; i < n; i++) {
        struct inode *ip = &table.inodes[i];
        *ip = (struct inode){.node = {.ops = &fsnode_ops, .dev = FS_DEV}};
        sleeplock_init(&ip->lock, RANK_INODE);
        list_push_back(&table.idle, &ip->link);
    }
    return 0;
}

/* ---- the table ---- */

static void note_transaction(struct inode *ip, uint64_t transaction) {
    __atomic_store_n(&ip->changed_in, transaction, __ATOMIC_RELAXED);
}

static struct inode *find_locked(uint32_t inum) {
    ASSERT_LOCKED(&table.lock);
    struct inode *ip = table.buckets[inum & table.mask];
    while (ip && ip->inum != inum)
        ip = ip->hash_next;
    return ip;
}

static void unhash_locked(struct inode *ip) {
    ASSERT_LOCKED(&table.lock);
    struct inode **link = &table.buckets[ip->inum & table.mask];
    while (*link != ip)
        link = &(*link)->hash_next;
    *link = ip->hash_next;
}

static uint64_t *kept_transaction(uint32_t inum) {
    return &table.changed_in[inum % ARRAY_LEN(table.changed_in)];
}

/* What may still be lost of the inode is told to whoever opens it again. */
static void keep_transaction_locked(const struct inode *ip) {
    ASSERT_LOCKED(&table.lock);
    uint64_t *kept = kept_transaction(ip->inum);
    if (ip->changed_in > *kept && !log_durable(ip->changed_in))
        __atomic_store_n(kept, ip->changed_in, __ATOMIC_RELAXED);
}

/* Makes the oldest idle structure inode inum's; NULL when none is idle. */
static struct inode *claim_locked(uint32_t inum) {
    ASSERT_LOCKED(&table.lock);
    if (list_empty(&table.idle))
        return NULL;
    struct inode *ip = LIST_ENTRY(table.idle.next, struct inode, link);
    ASSERT(!ip->mapped.map); /* whoever maps it or may write it has a reference */
    ASSERT(ip->mapped.writers == 0);
    if (ip->inum != 0) {
        keep_transaction_locked(ip);
        unhash_locked(ip);
    }
    ip->inum = inum;
    note_transaction(ip, 0);
    ip->loaded = false;
    ip->pinned.transaction = 0;
    ip->first_free = 0;
    ip->names = 0; /* nobody has a reference, so nobody looks */
    struct inode **bucket = &table.buckets[inum & table.mask];
    ip->hash_next = *bucket;
    *bucket = ip;
    return ip;
}

static void count_refs_locked(int more) {
    ASSERT_LOCKED(&table.lock);
    __atomic_store_n(&table.refs, table.refs + (uint32_t)more, __ATOMIC_RELEASE);
}

int inode_get(uint32_t inum, struct inode **out) {
    if (inum == 0 || inum >= super.inode_end)
        return -K_EIO;
    spin_lock(&table.lock);
    struct inode *ip = find_locked(inum);
    if (!ip)
        ip = claim_locked(inum);
    if (ip && ip->refs++ == 0)
        list_remove(&ip->link);
    if (ip)
        count_refs_locked(1);
    spin_unlock(&table.lock);
    *out = ip;
    return ip ? 0 : -K_ENFILE;
}

struct inode *inode_dup(struct inode *ip) {
    spin_lock(&table.lock);
    ASSERT(ip->refs > 0);
    ip->refs++;
    count_refs_locked(1);
    spin_unlock(&table.lock);
    return ip;
}

/* Free inodes are the first to make room for others. */
static void idle_locked(struct inode *ip) {
    ASSERT_LOCKED(&table.lock);
    if (ip->loaded)
        list_push_back(&table.idle, &ip->link);
    else
        list_push_front(&table.idle, &ip->link);
}

void inode_put(struct inode *ip) {
    spin_lock(&table.lock);
    ASSERT(ip->refs > 0);
    if (ip->refs == 1 && ip->loaded && ip->d.nlink == 0)
        list_push_back(&table.orphans, &ip->link); /* with the caller's reference */
    else if (count_refs_locked(-1), --ip->refs == 0)
        idle_locked(ip);
    spin_unlock(&table.lock);
}

uint32_t inode_refs(void) { return __atomic_load_n(&table.refs, __ATOMIC_ACQUIRE); }

/* ---- contents ---- */

static uint32_t home_block(uint32_t inum) {
    return super.inode_start + inum / (uint32_t)INODES_PER_BLOCK;
}

static struct fs_dinode *in_block(const struct buf *home, uint32_t inum) {
    return (struct fs_dinode *)(void *)home->data + inum % INODES_PER_BLOCK;
}

/* Whether the image says something possible about an inode in use. */
static bool sensible(const struct fs_dinode *d) {
    if (d->type != ABI_T_DIR && d->type != ABI_T_FILE && d->type != ABI_T_DEVICE)
        return false;
    if (d->nlink < 0 || d->size > FS_MAX_FILE_BLOCKS * FS_BLOCK_SIZE)
        return false;
    for (uint32_t i = 0; i < ARRAY_LEN(d->addrs); i++)
        if (d->addrs[i] != 0 && !super_is_data(d->addrs[i]))
            return false;
    return true;
}

static int load(struct inode *ip) {
    struct buf *home;
    int err = cache_get(home_block(ip->inum), &home);
    if (err)
        return err;
    ip->d = *in_block(home, ip->inum);
    cache_put(home);
    uint64_t kept = __atomic_load_n(kept_transaction(ip->inum), __ATOMIC_RELAXED);
    note_transaction(ip, MAX(ip->changed_in, kept));
    if (!sensible(&ip->d))
        return -K_EIO;
    ip->written = ip->d.size;
    ip->loaded = true;
    return 0;
}

int inode_load(struct inode *ip) {
    int err = load(ip);
    if (err)
        sleeplock_release(&ip->lock);
    return err;
}

int inode_edit(struct inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    ASSERT(!ip->home);
    uint64_t transaction = log_running();
    if (ip->pinned.transaction != transaction) {
        memset(&ip->pinned, 0, sizeof(ip->pinned));
        ip->pinned.transaction = transaction;
    }
    ip->home = ip->pinned.home;
    return ip->home ? 0 : cache_get(home_block(ip->inum), &ip->home);
}

bool inode_lost(const struct inode *ip) {
    return log_lost(__atomic_load_n(&ip->changed_in, __ATOMIC_RELAXED));
}

int inode_sync(const struct inode *ip) {
    int err = log_sync();
    return err && inode_lost(ip) ? err : 0;
}

/* The first change in the transaction. */
static seldom void log_home(struct log_op *op, struct inode *ip) {
    log_write(op, ip->home);
    ip->pinned.home = ip->home;
    cache_put(ip->home); /* the log's reference is enough */
}

static inline void save_now(struct log_op *op, struct inode *ip) {
    *in_block(ip->home, ip->inum) = ip->d;
    note_transaction(ip, op->transaction);
    op->wrote = true;
    if (!ip->pinned.home)
        log_home(op, ip);
}

void inode_save(struct log_op *op, struct inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    save_now(op, ip);
}

void inode_changed(const struct log_op *op, struct inode *ip) {
    note_transaction(ip, op->transaction);
}

void inode_written(struct log_op *op, struct inode *ip, bool save) {
    if (save)
        save_now(op, ip);
    else
        note_transaction(ip, op->transaction);
}

/* ---- allocation ---- */

static int take_number(uint32_t *inum) {
    int err = -K_ENOSPC;
    spin_lock(&table.lock);
    for (uint32_t w = table.lowest / WORD_BITS; table.free > 0 && w < ARRAY_LEN(table.used); w++)
        if (~table.used[w] != 0) {
            uint32_t bit = bit_lowest(~table.used[w]);
            table.used[w] |= 1ULL << bit;
            table.free--;
            *inum = w * WORD_BITS + bit;
            table.lowest = *inum + 1;
            err = 0;
            break;
        }
    spin_unlock(&table.lock);
    return err;
}

static void give_number(uint32_t inum) {
    spin_lock(&table.lock);
    table.used[inum / WORD_BITS] &= ~(1ULL << inum % WORD_BITS);
    table.free++;
    table.lowest = MIN(table.lowest, inum);
    spin_unlock(&table.lock);
}

int inode_alloc(uint16_t type, struct inode **out) {
    uint32_t inum;
    struct inode *ip;
    int err = take_number(&inum);
    if (err)
        return err;
    err = inode_get(inum, &ip);
    if (err) {
        give_number(inum);
        return err;
    }
    sleeplock_acquire(&ip->lock);
    err = inode_edit(ip);
    if (err) {
        inode_unlock(ip);
        inode_put(ip);
        give_number(inum);
        return err;
    }
    ip->d = (struct fs_dinode){.type = (int16_t)type, .nlink = 1};
    ip->written = 0;
    ip->loaded = true;
    *out = ip;
    return 0;
}

void inode_unalloc(struct inode *ip) {
    ip->loaded = false;
    inode_unlock(ip);
    give_number(ip->inum);
    inode_put(ip);
}

uint64_t inode_free_count(void) { return __atomic_load_n(&table.free, __ATOMIC_RELAXED); }

/* ---- orphans ---- */

static struct inode *next_orphan(void) {
    spin_lock(&table.lock);
    struct list *link = list_pop_front(&table.orphans);
    spin_unlock(&table.lock);
    return link ? LIST_ENTRY(link, struct inode, link) : NULL;
}

/* Frees as much of an orphan as op has room for: all of it, and then *done. */
static int free_in_op(struct log_op *op, struct inode *ip, bool *done) {
    *done = false;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = inode_edit(ip);
    if (!err) {
        err = data_shrink(op, ip, 0, done);
        if (!err && *done) {
            ip->d = (struct fs_dinode){.type = 0};
            ip->loaded = false;
        }
        inode_save(op, ip);
    }
    inode_unlock(ip);
    return err;
}

/* After an orphan was freed, or could not be: then it is forgotten until the next
 * mount. The last reference goes. */
static void bury(struct inode *ip, bool freed) {
    if (freed) {
        give_number(ip->inum); /* from here on it may be somebody's new inode */
    } else {
        sleeplock_acquire(&ip->lock);
        ip->loaded = false;
        sleeplock_release(&ip->lock);
    }
    inode_put(ip);
}

/* Frees an orphan in operations of its own. */
static void reap(struct inode *ip) {
    struct log_op op;
    bool done = false;
    int err = 0;
    while (!done && !err) {
        err = log_begin(&op, data_shrink_cost(ip));
        if (err)
            break;
        err = free_in_op(&op, ip, &done);
        int end_err = log_end(&op);
        err = err ? err : end_err;
    }
    bury(ip, done);
}

/* Frees orphans as a part of op, as far as the log has room for them. */
static void reap_in_op(struct log_op *op) {
    struct inode *ip;
    while (op->wrote && (ip = next_orphan())) {
        bool done = false;
        int err = 0;
        if (log_extend(op, data_shrink_cost(ip)))
            err = free_in_op(op, ip, &done);
        if (!done && !err) {
            inode_put(ip); /* an orphan again */
            return;
        }
        bury(ip, done);
    }
}

int inode_end_op(struct log_op *op) {
    reap_in_op(op);
    int err = log_end(op);
    inode_reap();
    return err;
}

void inode_reap(void) {
    struct inode *ip;
    if (list_empty(&table.orphans)) /* the caller's own are there before it looks */
        return;
    while ((ip = next_orphan()))
        reap(ip);
}

/* ---- mount ---- */

static void note_inode(uint32_t inum, const struct fs_dinode *d) {
    struct inode *ip;
    if (d->type == 0) {
        table.used[inum / WORD_BITS] &= ~(1ULL << inum % WORD_BITS);
        table.free++;
    } else if (d->nlink == 0 && inode_get(inum, &ip) == 0) {
        if (inode_lock(ip) == 0)
            inode_unlock(ip);
        inode_put(ip);
    }
}

static int note_block(uint32_t i) {
    struct buf *home;
    int err = cache_get(super.inode_start + i, &home);
    if (err)
        return err;
    uint32_t first = i * (uint32_t)INODES_PER_BLOCK;
    for (uint32_t k = 0; k < INODES_PER_BLOCK; k++)
        if (first + k != 0 && first + k < super.inode_end)
            note_inode(first + k, in_block(home, first + k));
    cache_put(home);
    return 0;
}

static void prefetch_inodes(uint32_t i, uint32_t end) {
    uint32_t blocks[CACHE_PREFETCH_MAX], n = 0;
    for (; n < CACHE_PREFETCH_MAX && i + n < end; n++)
        blocks[n] = super.inode_start + i + n;
    cache_prefetch(blocks, n);
}

int inode_mount(void) {
    uint32_t blocks = (super.inode_end - 1) / (uint32_t)INODES_PER_BLOCK + 1;
    int err = 0;
    memset(table.used, 0xff, sizeof(table.used));
    table.free = 0;
    table.lowest = FS_ROOT_INODE;
    for (uint32_t i = 0; !err && i < blocks; i++) {
        if (i % CACHE_PREFETCH_MAX == 0)
            prefetch_inodes(i, blocks);
        err = note_block(i);
    }
    inode_reap();
    return err;
}
