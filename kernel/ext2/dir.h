/* The names in one directory: entries in blocks, none of which crosses two. A directory with an
 * index is read as the list that it is, too, and loses the index when a name is added.
 *
 * All calls want the directory locked, those that change it edited too, in an operation. */
#pragma once
#include "ext2/blockmap.h"

/* Where a name stands, or could. */
struct ext2_slot {
    struct buf *buf; /* with a reference; NULL: nowhere */
    uint32_t offset; /* of the entry; of a name that is not there, of one with room behind it */
    uint32_t inum;   /* 0: the name is not there */
};

static inline void ext2_slot_end(struct ext2_slot *s) {
    if (s->buf)
        cache_put(s->buf);
    s->buf = NULL;
}

/* -K_ENOENT: it is not there; the slot says where it could be. -K_EIO: the directory is damaged, or
 * cannot be read; then the slot holds nothing. */
int ext2_dir_find(struct ext2_inode *dp, const struct name *name, struct ext2_slot *s) must_check;

/* Blocks that adding a name changes at most, without the directory's inode. */
#define EXT2_ENTER_ROOM (1 + 3 + 2 * 4 + 1)

/* Adds a name that was just not found, for ip; the slot is ended. The directory is to be saved.
 * -K_ENOSPC, -K_EIO: it is not there. */
int ext2_dir_enter(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   struct ext2_slot *s, const struct ext2_inode *ip) must_check;
/* The name that was found goes; or is ip's from now on. */
void ext2_dir_remove(struct log_op *op, struct ext2_slot *s);
void ext2_dir_change(struct log_op *op, struct ext2_slot *s, const struct ext2_inode *ip);

/* Makes the first block of a new directory. -K_ENOSPC, -K_EIO. */
int ext2_dir_init(struct log_op *op, struct ext2_inode *ip, uint32_t parent) must_check;
/* -K_ENOTEMPTY, -K_EIO. */
int ext2_dir_must_be_empty(struct ext2_inode *dp) must_check;

/* Gives emit the names from *offset on, which moves on, as long as it returns true. -K_EIO. */
typedef bool (*ext2_list_fn)(void *ctx, const struct ext2_dirent *e, uint32_t type);
int ext2_dir_list(struct ext2_inode *dp, uint64_t *offset, ext2_list_fn emit, void *ctx) must_check;
