/* Descriptors and the directories of a process: see descriptor.h. */
#include "vfs/descriptor.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/group.h"
#include "vfs/filelock.h"
#include "vfs/node.h"

static struct slab blocks;

void fd_boot_init(void) { blocks = (struct slab)SLAB_INIT(blocks, sizeof(struct fd_block)); }

static struct fdtable *table_self(void) { return &proc_self()->fds; }

/* Where most calls need not go. */
static seldom void take_lock(struct fdtable *t) { spin_lock(&t->lock); }
static seldom void give_lock(struct fdtable *t) { spin_unlock(&t->lock); }

seldom void fd_wait_for_looks(struct fdtable *t) {
    spin_lock(&t->lock);
    spin_unlock(&t->lock);
}

static inline void lock(struct fdtable *t) {
    if (__builtin_expect(t->shared, 0))
        take_lock(t);
}

static inline void unlock(struct fdtable *t) {
    if (__builtin_expect(t->shared, 0))
        give_lock(t);
}

/* All that the lock guards is reached through the next two functions. */
static void expect_lock(struct fdtable *t) {
    if (DEBUG && t->shared)
        ASSERT_LOCKED(&t->lock);
}

static struct node **place_in(struct fdtable *t, enum proc_place which) {
    expect_lock(t);
    return &t->place[which];
}

/* ---- blocks ---- */

/* NULL: not made. */
static struct fd_block *block_at(struct fdtable *t, uint64_t i) {
    expect_lock(t);
    return i == 0 ? &t->first : t->more[i - 1];
}

/* NULL: no memory. */
static struct fd_block *make_block(void) {
    struct fd_block *b = slab_take(&blocks);
    if (b)
        memset(b, 0, sizeof(*b));
    return b;
}

/* Makes a block, unless another thread has done so: memory is asked for without the lock, as it may
 * have to be taken from others. -K_ENOMEM. */
static int need_block(struct fdtable *t, uint64_t i) {
    lock(t);
    bool there = block_at(t, i);
    unlock(t);
    if (there)
        return 0;
    struct fd_block *b = make_block();
    if (!b)
        return -K_ENOMEM;
    lock(t);
    there = block_at(t, i);
    if (!there) {
        __atomic_store_n(&t->more[i - 1], b, __ATOMIC_RELEASE);
        t->blocks = MAX(t->blocks, (uint32_t)i);
    }
    unlock(t);
    if (there)
        slab_give(&blocks, b);
    return 0;
}

/* ---- one descriptor ---- */

static uint64_t bit_of(uint64_t fd) { return 1ULL << fd % FD_BLOCK; }

/* The block of an open descriptor, or NULL. */
static struct fd_block *block_of_open(struct fdtable *t, uint64_t fd) {
    struct fd_block *b = fd < ABI_NOFILE ? block_at(t, fd / FD_BLOCK) : NULL;
    return b && b->file[fd % FD_BLOCK] ? b : NULL;
}

static void set_on_exec(struct fd_block *b, uint64_t fd, bool on_exec) {
    b->on_exec = on_exec ? b->on_exec | bit_of(fd) : b->on_exec & ~bit_of(fd);
}

struct file *fd_begin(uint64_t fd) {
    struct fdtable *t = table_self();
    lock(t);
    struct fd_block *b = block_of_open(t, fd);
    struct file *f = b ? b->file[fd % FD_BLOCK] : NULL;
    if (f && t->shared)
        file_get(f);
    unlock(t);
    return f;
}

bool fd_is(uint64_t fd, const struct file *f) {
    struct file *now = fd_begin(fd);
    if (now)
        fd_end(now);
    return now == f;
}

void fd_closed_rest(struct file *f) { filelock_closed(f); }

void fd_end(struct file *f) {
    if (table_self()->shared)
        file_put(f);
}

int fd_call_rest(fd_call_fn fn, const uint64_t arg[6], uint64_t *result) {
    struct file *f = fd_begin(fd_arg(arg[0]));
    if (!f)
        return -K_EBADF;
    int err = fn(f, arg, result);
    fd_end(f);
    return err;
}

/* Written once, before there is a second thread: all others read it without a lock. */
void fd_share(void) {
    if (!table_self()->shared)
        table_self()->shared = true;
}

/* The lowest free number of a block from its bit `low` on; false: there is none. */
static bool find_free(const struct fd_block *b, unsigned low, unsigned *bit) {
    uint64_t free = ~b->used & (~0ULL << low);
    if (free)
        *bit = bit_lowest(free);
    return free != 0;
}

int fd_reserve_rest(int from, int *fd) {
    struct fdtable *t = table_self();
    unsigned low = (unsigned)from % FD_BLOCK, bit;
    for (unsigned i = (unsigned)from / FD_BLOCK; i * FD_BLOCK < fd_limit(); i++, low = 0) {
        int err = need_block(t, i);
        if (err)
            return err;
        lock(t);
        bool found = find_free(block_at(t, i), low, &bit) && i * FD_BLOCK + bit < fd_limit();
        if (found && t->shared)
            block_at(t, i)->used |= 1ULL << bit;
        unlock(t);
        if (found) {
            *fd = (int)(i * FD_BLOCK + bit);
            return 0;
        }
    }
    return -K_EMFILE;
}

void fd_unreserve_rest(int fd) {
    struct fdtable *t = table_self();
    lock(t);
    struct fd_block *b = block_at(t, (unsigned)fd / FD_BLOCK);
    ASSERT(!b->file[fd % FD_BLOCK]);
    b->used &= ~bit_of((unsigned)fd);
    unlock(t);
}

void fd_open_rest(int fd, struct file *f, bool on_exec) {
    struct fdtable *t = table_self();
    lock(t);
    struct fd_block *b = block_at(t, (unsigned)fd / FD_BLOCK);
    ASSERT(!b->file[fd % FD_BLOCK]);
    b->used |= bit_of((unsigned)fd);
    fd_put_in(&b->file[fd % FD_BLOCK], f);
    set_on_exec(b, (unsigned)fd, on_exec);
    unlock(t);
}

int fd_replace(int fd, struct file *f, bool on_exec, struct file **before) {
    struct fdtable *t = table_self();
    if (fd < 0 || (uint32_t)fd >= fd_limit())
        return -K_EBADF;
    int err = need_block(t, (unsigned)fd / FD_BLOCK);
    if (err)
        return err;
    lock(t);
    struct fd_block *b = block_at(t, (unsigned)fd / FD_BLOCK);
    *before = b->file[fd % FD_BLOCK];
    bool reserved = !*before && (b->used & bit_of((unsigned)fd));
    if (!reserved) {
        b->used |= bit_of((unsigned)fd);
        fd_put_in(&b->file[fd % FD_BLOCK], f);
        set_on_exec(b, (unsigned)fd, on_exec);
    }
    unlock(t);
    fd_taken_out(t);
    return reserved ? -K_EBUSY : 0;
}

int fd_take_rest(uint64_t fd, struct file **out) {
    struct fdtable *t = table_self();
    lock(t);
    struct fd_block *b = block_of_open(t, fd);
    if (b) {
        *out = b->file[fd % FD_BLOCK];
        b->file[fd % FD_BLOCK] = NULL;
        b->used &= ~bit_of(fd);
        b->on_exec &= ~bit_of(fd);
    }
    unlock(t);
    fd_taken_out(t);
    return b ? 0 : -K_EBADF;
}

int fd_on_exec(uint64_t fd, bool *on_exec) {
    struct fdtable *t = table_self();
    lock(t);
    struct fd_block *b = block_of_open(t, fd);
    *on_exec = b && (b->on_exec & bit_of(fd));
    unlock(t);
    return b ? 0 : -K_EBADF;
}

int fd_set_on_exec(uint64_t fd, bool on_exec) {
    struct fdtable *t = table_self();
    lock(t);
    struct fd_block *b = block_of_open(t, fd);
    if (b)
        set_on_exec(b, fd, on_exec);
    unlock(t);
    return b ? 0 : -K_EBADF;
}

/* ---- all of them ---- */

/* Frees those of the block's descriptors that have a bit in `which`. The process has one thread. */
static void close_in(struct fdtable *t, struct fd_block *b, uint64_t which) {
    b->used &= ~which;
    b->on_exec &= ~which;
    for (unsigned i = 0; which; i++, which >>= 1) {
        struct file *f = which & 1 ? b->file[i] : NULL;
        if (!f)
            continue;
        b->file[i] = NULL;
        fd_taken_out(t);
        fd_closed(f);
        file_put(f);
    }
}

void fd_exec(void) {
    struct fdtable *t = table_self();
    t->shared = false;
    for (unsigned i = 0; i <= t->blocks; i++) {
        struct fd_block *b = block_at(t, i);
        if (b && b->on_exec)
            close_in(t, b, b->on_exec);
    }
}

static void free_blocks(struct fdtable *t) {
    for (unsigned i = 0; i < t->blocks; i++) {
        struct fd_block *b = t->more[i];
        t->more[i] = NULL;
        fd_taken_out(t);
        if (b)
            slab_give(&blocks, b);
    }
    t->blocks = 0;
}

/* Those that are reserved are not open, so the copy has them free. */
static void copy_block(struct fd_block *to, const struct fd_block *from) {
    uint64_t bits = from->used;
    for (unsigned i = 0; bits; i++, bits >>= 1) {
        if (!(bits & 1) || !from->file[i])
            continue;
        to->file[i] = file_get(from->file[i]);
        to->used |= 1ULL << i;
    }
    to->on_exec = from->on_exec & to->used;
}

/* -K_ENOMEM: none is made. */
static int make_blocks_like(struct fdtable *to, const struct fdtable *from) {
    uint32_t n = __atomic_load_n(&from->blocks, __ATOMIC_RELAXED);
    for (to->blocks = 0; to->blocks < n; to->blocks++) {
        struct fd_block **b = &to->more[to->blocks];
        if (!__atomic_load_n(&from->more[to->blocks], __ATOMIC_RELAXED))
            continue;
        *b = make_block();
        if (!*b) {
            free_blocks(to);
            return -K_ENOMEM;
        }
    }
    return 0;
}

/* Blocks that another thread makes meanwhile are left out, as if that were after the fork. */
int proc_files_clone(struct proc *child, struct proc *parent) {
    struct fdtable *to = &child->fds, *from = &parent->fds;
    int err = make_blocks_like(to, from);
    if (err)
        return err;
    for (unsigned i = 0; i <= to->blocks; i++) {
        lock(from); /* for one block at a time, so that interrupts wait no longer */
        if (block_at(to, i))
            copy_block(block_at(to, i), block_at(from, i));
        unlock(from);
    }
    to->withheld = __atomic_load_n(&from->withheld, __ATOMIC_RELAXED);
    lock(from);
    for (enum proc_place which = 0; which < PLACES; which++) {
        struct node *n = *place_in(from, which);
        to->place[which] = n ? node_get(n) : NULL;
    }
    unlock(from);
    return 0;
}

/* Of a table that is not shared, or with its lock. */
static struct node *take_place(struct fdtable *t, enum proc_place which, struct node *n) {
    struct node **place = place_in(t, which), *before = *place;
    __atomic_store_n(place, n, __ATOMIC_RELEASE);
    if (!t->shared)
        fd_taken_out(t);
    return before;
}

void proc_files_drop(struct proc *p) {
    struct fdtable *t = &p->fds;
    if (t->locks)
        filelock_process_ended(p);
    t->shared = t->locks = false;
    t->withheld = 0;
    for (unsigned i = 0; i <= t->blocks; i++) {
        struct fd_block *b = block_at(t, i);
        if (b)
            close_in(t, b, b->used);
    }
    free_blocks(t);
    for (enum proc_place which = 0; which < PLACES; which++) {
        struct node *before = take_place(t, which, NULL);
        if (before)
            node_put(before);
    }
}

/* ---- from outside ---- */

/* The lock is held, and may be all that there is of an order between this and the owner. */
static struct file *file_at(const struct fdtable *t, uint64_t fd) {
    const struct fd_block *b = fd < FD_BLOCK
                                   ? &t->first
                                   : __atomic_load_n(&t->more[fd / FD_BLOCK - 1], __ATOMIC_ACQUIRE);
    return b ? __atomic_load_n(&b->file[fd % FD_BLOCK], __ATOMIC_ACQUIRE) : NULL;
}

int fd_of_process(int32_t pid, uint64_t *fd, struct file **out) {
    struct fdtable *t = proc_lock_files(pid);
    if (!t)
        return -K_ESRCH;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the lock is seen before what is in the table */
    for (*out = NULL; !*out && *fd < ABI_NOFILE; ++*fd)
        *out = file_at(t, *fd);
    if (*out)
        file_get(*out);
    --*fd;
    spin_unlock(&t->lock);
    return *out ? 0 : -K_EBADF;
}

#define FEW 16

bool fd_in_reserve(void) {
    return proc_in_reserve(proc_self()) && table_self()->first.used >> FEW == 0;
}

/* ---- directories ---- */

struct node *place_get(enum proc_place which) {
    struct fdtable *t = table_self();
    if (!t->shared)
        return t->place[which] ? node_get(t->place[which]) : NULL;
    spin_lock(&t->lock);
    struct node *place = *place_in(t, which), *n = place ? node_get(place) : NULL;
    spin_unlock(&t->lock);
    return n;
}

struct node *place_replace(enum proc_place which, struct node *n) {
    struct fdtable *t = table_self();
    lock(t);
    struct node *before = take_place(t, which, n);
    unlock(t);
    return before;
}

int place_of_process(int32_t pid, enum proc_place which, struct node **out) {
    struct fdtable *t = proc_lock_files(pid);
    if (!t)
        return -K_ESRCH;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* as in fd_of_process */
    struct node *place = __atomic_load_n(&t->place[which], __ATOMIC_ACQUIRE);
    *out = place ? node_get(place) : NULL;
    spin_unlock(&t->lock);
    return 0;
}
