/* The names in one directory: entries in blocks, none of which crosses two. A directory with an
 * index is read as the list that it is, too, and loses the index when a name is added. Names of up
 * to 48 bytes are kept in the name cache (fs/namecache.h).
 *
 * All calls but the first want the directory locked, those that change it edited too, in an
 * operation. */
#pragma once
#include "ext2/blockmap.h"
#include "fs/namecache.h"

#define EXT2_KEY_WORDS 6 /* of a name in the name cache: its bytes, behind zeros */

/* What the name cache knows of it, with its lock (namecache_looked). */
const struct known_name *ext2_dir_look(const struct ext2_inode *dp, const struct name *name);

/* Where a name stands. */
struct ext2_slot {
    struct buf *buf; /* with a reference; NULL: nowhere */
    uint32_t block;  /* of the directory */
    uint32_t offset; /* of the entry in it */
    uint32_t inum;   /* 0: the name is not there */
};

static inline void ext2_slot_end(struct ext2_slot *s) {
    if (s->buf)
        cache_put(s->buf);
    s->buf = NULL;
}

/* -K_ENOENT: it is not there. -K_EIO: the directory is damaged, or cannot be read. Then the slot
 * holds nothing. */
int ext2_dir_find(struct ext2_inode *dp, const struct name *name, struct ext2_slot *s) must_check;

/* Blocks that adding a name changes at most, without the directory's inode. */
#define EXT2_ENTER_ROOM (1 + 3 + 2 * 4 + 1)

/* Adds a name that was just not found, for ip. The directory is to be saved. -K_ENOSPC, -K_EIO: it
 * is not there. */
int ext2_dir_enter(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   const struct ext2_inode *ip) must_check;
/* The name that was found goes; or is ip's from now on. */
void ext2_dir_remove(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                     struct ext2_slot *s);
void ext2_dir_change(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                     struct ext2_slot *s, const struct ext2_inode *ip);
/* Who looks for the name with nothing locked waits for the directory from now on, until it was
 * found or changed again: for a change that is seen in two names. */
void ext2_dir_forget(const struct ext2_inode *dp, const struct name *name);

/* Makes the first block of a new directory. -K_ENOSPC, -K_EIO. */
int ext2_dir_init(struct log_op *op, struct ext2_inode *ip, uint32_t parent) must_check;
/* -K_ENOTEMPTY, -K_EIO. */
int ext2_dir_must_be_empty(struct ext2_inode *dp) must_check;

/* Gives emit the names from *offset on, which moves on, as long as it returns true. -K_EIO. */
typedef bool (*ext2_list_fn)(void *ctx, const struct ext2_dirent *e, uint32_t type);
int ext2_dir_list(struct ext2_inode *dp, uint64_t *offset, ext2_list_fn emit, void *ctx) must_check;
