/* Inodes: the files, directories and devices of the image, by number.
 *
 * A struct inode is an inode in memory. inode_get gives a reference, with which
 * the structure stays that inode's; inode_put gives it back, from anywhere, for
 * it never sleeps. Its contents are read into memory by the first inode_lock and
 * stay there as long as the table has room.
 *
 * To change an inode, in an operation of the log:
 *
 *     log_begin; inode_lock; inode_edit;     all that can fail
 *     change ip->d; inode_save               cannot
 *     inode_unlock; inode_end_op
 *
 * An inode with no links lives as long as somebody refers to it. When the last
 * reference is put it becomes an orphan, whose blocks and number are given back
 * by inode_end_op or inode_reap: each system call that put an inode calls one of
 * these at its end, with no lock held. So no operation frees another's file out
 * of its own reservation. A crash before that leaves an inode with no links on
 * the disk; the next mount reaps it.
 *
 * Locks: each inode's sleeplock guards d, home and pinned. Two of them are held only by a
 * holder of the name lock (entries.h), so their order does not matter. A spinlock guards the
 * table: refs, lists, the map of used numbers. The sleeplock is set up at boot and serves
 * every inode that the structure becomes. */
#pragma once
#include "fs/filemap.h"
#include "fs/log.h"
#include "proc/sleeplock.h"
#include "vfs/node.h"

#define FS_DEV 1 /* the root disk, as stat names it */

struct inode {
    struct node node; /* how the rest of the kernel knows it (fsnode.h) */
    uint32_t inum;
    uint32_t refs;
    struct inode *hash_next;
    struct list link; /* among the idle (refs = 0) or the orphans (refs = 1: the list's) */

    struct sleeplock lock;
    bool loaded;
    struct fs_dinode d; /* valid when loaded; every address in it has been checked */
    struct mappable mapped;
    uint32_t written;    /* of a file: behind so many bytes are zeros of ftruncate's alone */
    struct buf *home;    /* between inode_edit and inode_unlock: the block it lives in */
    uint64_t changed_in; /* the last transaction that changed it or its contents; atomic */

    /* Blocks and a page of it that the log keeps in memory as long as this transaction runs, so
     * they need no look-up and no reference. Valid between inode_edit and inode_unlock. */
    struct {
        uint64_t transaction;
        struct buf *home, *indirect; /* that were logged; NULL: it was not */
        struct page *page;           /* of its contents: the one that was written last */
    } pinned;

    /* A directory's. */
    uint32_t first_free; /* no entry before this one is free (dir.c); guarded as d is */
    uint64_t names;      /* what the name cache knows it by; the cache's lock guards it */
};

/* Boot: room for n inodes in memory. -K_ENOMEM. */
int inode_boot_init(uint32_t n) must_check;

/* Mount, with the log and the allocator running: finds the used inodes, and reaps
 * those with no links. Orphans that cannot be freed, because the image is damaged
 * there, are left alone. -K_EIO: an inode block cannot be read; -K_ENOMEM. */
int inode_mount(void) must_check;

/* A reference to inode inum, whether it is in use or not. -K_EIO: no such number;
 * -K_ENFILE: the table is full of inodes in use. */
int inode_get(uint32_t inum, struct inode **out) must_check;
struct inode *inode_dup(struct inode *ip);
uint32_t inode_refs(void); /* how many there are, to all inodes */
void inode_put(struct inode *ip);

/* Locks the inode and has its contents read. -K_EIO, not locked: the disk has an
 * error, or the inode is free or nonsense. */
static inline int inode_lock(struct inode *ip) must_check;
static inline void inode_unlock(struct inode *ip);

/* Has the inode's block at hand, so that inode_save cannot fail. Locked, in an operation. -K_EIO:
 * still locked, nothing changed. inode_edit_again is the same, for an inode that most often was
 * changed by earlier operations of the transaction. */
int inode_edit(struct inode *ip) must_check;
static inline int inode_edit_again(const struct log_op *op, struct inode *ip) must_check;
/* Writes ip->d to the disk as part of op. Edited. One block of room, but for the
 * first time in a transaction that has the block already. */
void inode_save(struct log_op *op, struct inode *ip);
/* inode_save or, where the inode itself is the same, inode_changed. */
void inode_written(struct log_op *op, struct inode *ip, bool save);

/* Takes a free inode for the operation: locked, edited, in memory as a type with
 * one link and no blocks; inode_save makes it so on the disk. -K_ENOSPC: all are
 * in use; -K_ENFILE: no room for one more in memory; -K_EIO: its block cannot be read.
 * After an error none was taken. */
int inode_alloc(uint16_t type, struct inode **out) must_check;
/* Gives an inode back that inode_alloc gave and that was not saved. */
void inode_unalloc(struct inode *ip);

/* log_end, having freed the orphans for which the log has room in op; then frees
 * the others. No lock held. Returns what log_end does. */
int inode_end_op(struct log_op *op) must_check;
/* Frees the orphans. In no operation, no lock held. May sleep. */
void inode_reap(void);

/* Says that op changes the contents, also where inode_save is not needed. Locked. */
void inode_changed(const struct log_op *op, struct inode *ip);
/* Whether a change of the inode or its contents will never be on the disk. With a reference. */
bool inode_lost(const struct inode *ip);

/* Waits until all that was done before is on the disk, the file's names too. -K_EIO: some of this
 * inode's changes will never be; that others' are lost is no error. */
int inode_sync(const struct inode *ip) must_check;

uint64_t inode_free_count(void);

/* ---- what is on the way of every call ---- */

/* inode_lock, where the contents are not in memory. Locked. */
int inode_load(struct inode *ip) must_check;

static inline int inode_lock(struct inode *ip) {
    sleeplock_acquire(&ip->lock);
    return __builtin_expect(ip->loaded, 1) ? 0 : inode_load(ip);
}

static inline void inode_unlock(struct inode *ip) {
    if (ip->home && ip->home != ip->pinned.home)
        cache_put(ip->home);
    ip->home = NULL;
    sleeplock_release(&ip->lock);
}

static inline int inode_edit_again(const struct log_op *op, struct inode *ip) {
    if (ip->pinned.transaction != op->transaction || !ip->pinned.home)
        return inode_edit(ip);
    ip->home = ip->pinned.home;
    return 0;
}
