/* Inodes of ext2 in memory, by number.
 *
 * A struct ext2_inode is an inode in memory. ext2_inode_get gives a reference, ext2_inode_put gives
 * it back, from anywhere, for it never sleeps. The first lock reads it. Some that nobody refers to
 * are kept (EXT2_IDLE_MOST), so that the name cache knows of a directory, and what a path leads to
 * need not be read again. To change one, in an operation of the log:
 *
 *     log_begin; (the name lock;) ext2_inode_lock; ext2_inode_edit;     all that can fail
 *     change ip->d; ext2_inode_save                                     cannot
 *     ext2_inode_unlock; (the name lock;) log_end
 *
 * An inode that loses its last name joins the list of orphans on the disk in the same operation
 * (ext2_orphan_add), and lives as long as somebody refers to it; then ext2_inode_reap gives its
 * blocks and its number back, some in each operation. So a crash leaves no inode that the next
 * mount does not find; Linux's and e2fsck's know the same list.
 *
 * Locks: each inode's sleeplock guards d, target and home. Two of them are held only by a holder of
 * the name lock (ext2_names), which also guards the list of orphans. A spinlock guards the table:
 * refs and lists. */
#pragma once
#include "ext2/super.h"
#include "fs/filemap.h"
#include "proc/sleeplock.h"
#include "vfs/node.h"

#define EXT2_IDLE_MOST 256  /* so that they take some dozen frames, and need no reclaimer */
#define EXT2_NAME_CLASSES 4 /* of lengths of names */

struct ext2_inode {
    struct node node;
    uint32_t inum;
    uint32_t refs;
    struct ext2_inode *hash_next;
    struct list link; /* among the idle (refs = 0) or those to be reaped (refs = 1: the list's) */

    struct sleeplock lock;
    bool loaded;          /* atomic */
    struct ext2_dinode d; /* valid when loaded */
    char *target;         /* of a link, terminated; a frame */
    struct buf *home;     /* between ext2_inode_edit and ext2_inode_unlock: the block it lives in */
    uint32_t home_offset;
    uint64_t changed_in; /* the last transaction that changed it or its contents; atomic */
    uint32_t next_block; /* where its next block might be: behind the last that it was given */

    bool orphan; /* it is in the list of orphans, in which it stands between: */
    struct ext2_inode *orphan_before, *orphan_behind;

    struct mappable mapped;

    /* A directory's. */
    uint64_t names;                   /* what the name cache knows it by; its lock guards it */
    uint32_t room[EXT2_NAME_CLASSES]; /* in front of that block is none for a name of that class */
};

static inline struct ext2_inode *ext2_inode_of(struct node *n) {
    return CONTAINER_OF(n, struct ext2_inode, node);
}

static inline uint32_t ext2_mode_type(const struct ext2_inode *ip) {
    return ip->d.mode & EXT2_MODE_TYPE;
}
static inline bool ext2_is_dir(const struct ext2_inode *ip) {
    return ext2_mode_type(ip) == EXT2_MODE_DIR;
}
static inline bool ext2_is_file(const struct ext2_inode *ip) {
    return ext2_mode_type(ip) == EXT2_MODE_FILE;
}

static inline uint64_t ext2_size(const struct ext2_inode *ip) {
    return ip->d.size | (ext2_is_file(ip) ? (uint64_t)ip->d.size_high << 32 : 0);
}
void ext2_set_size(struct ext2_inode *ip, uint64_t size);

extern struct sleeplock ext2_names;

/* Mount. */
void ext2_inode_mount(void);
/* An inode of that number that the table does not know: the journal's. */
void ext2_inode_set_up(struct ext2_inode *ip, uint32_t inum);
/* The orphans that a crash has left, when all else is mounted: those that cannot be freed are left
 * alone. -K_EIO: the list is damaged. */
int ext2_orphans_mount(void) must_check;

/* A reference to inode inum, whether it is in use or not. -K_EIO: no such number; -K_ENFILE: there
 * is no memory for it. */
int ext2_inode_get(uint32_t inum, struct ext2_inode **out) must_check;
/* The same of one that is in memory, for who holds a spinlock. -K_EAGAIN: it is not. */
int ext2_inode_find(uint32_t inum, struct ext2_inode **out) must_check;
struct ext2_inode *ext2_inode_dup(struct ext2_inode *ip);
uint32_t ext2_inode_refs(void); /* how many there are, to all inodes */
void ext2_inode_put(struct ext2_inode *ip);

/* Locks it and has its contents read. -K_EIO, not locked: the disk has an error, or the inode is
 * free or nonsense; -K_ENFILE: there is no memory for where a link leads. */
int ext2_inode_lock(struct ext2_inode *ip) must_check;
void ext2_inode_unlock(struct ext2_inode *ip);
/* Has its contents read, and gives the reference back when they cannot be: what others than this
 * file have of an inode has been read. Nothing is locked. */
int ext2_inode_known(struct ext2_inode *ip) must_check;

/* Has the inode's block at hand, so that ext2_inode_save cannot fail. Locked, in an operation.
 * -K_EIO: still locked, nothing changed. */
int ext2_inode_edit(struct ext2_inode *ip) must_check;
/* ip->d goes to the disk with op. One block of room. */
void ext2_inode_save(struct log_op *op, struct ext2_inode *ip);

/* Whether a change of it will never be on the disk; and waits until all are. -K_EIO. */
bool ext2_inode_lost(const struct ext2_inode *ip);
int ext2_inode_sync(const struct ext2_inode *ip) must_check;

/* Makes a new inode of a number that was just taken (alloc.h): locked, edited, in memory as mode
 * with no links and no blocks. -K_EIO: the disk has it in use; -K_ENFILE. */
int ext2_inode_new(uint32_t inum, uint16_t mode, struct ext2_inode **out) must_check;

/* It has lost its last name: the list of orphans has it. Locked, edited; with the name lock. Two
 * blocks of room: its own and the super block. */
void ext2_orphan_add(struct log_op *op, struct ext2_inode *ip);

/* An orphan without a reference, taken out of the list of those, with a reference for the caller,
 * who reaps it. NULL: there is none. */
struct ext2_inode *ext2_inode_next_dead(void);
/* Frees what is an orphan and has no reference. In no operation, no lock held. May sleep. */
void ext2_inode_reap(void);

/* Now, for times: seconds, and what a field for nanoseconds has. */
struct ext2_time {
    uint32_t seconds, extra;
};
struct ext2_time ext2_time(uint64_t nanoseconds);
void ext2_touch(struct ext2_inode *ip, bool modified); /* changed now; also its contents */

uint32_t ext2_dtime(void); /* of an inode that is free from now on */

extern const struct node_ops ext2_node_ops; /* node.c */
