/* The file system's shape, from its super block, and its counts.
 *
 * The super block's buffer is held as long as it is mounted; it and the groups' descriptors are
 * guarded by the allocator's lock (alloc.c), and so is the list of orphans that begins there. */
#pragma once
#include "ext2/layout.h"
#include "fs/log.h"

struct ext2 {
    uint32_t block_bytes, blocks, first_block; /* [first_block, blocks) are in groups */
    uint32_t groups, blocks_per_group, inodes_per_group;
    uint32_t inodes, first_inode, inode_bytes;
    uint32_t descriptors; /* the block where the groups' begin */
    uint32_t addresses;   /* in an indirect block */
    uint64_t size_max;    /* bytes, of a file */
    uint32_t compat, incompat, ro_compat;
    uint32_t journal_inode; /* 0: it has none */
    bool revision;          /* of features: it has the fields for them */
    bool read_only;
    const char *why_read_only;
    struct buf *home; /* of the super block */
};

/* Constant after the mount. */
extern struct ext2 ext2;

/* Whether the disk has the mark of this format. -K_EIO: it cannot be read. */
int ext2_super_there(bool *there) must_check;

/* Reads the super block from the disk, as it is there now, and sets up the cache for it; what it
 * says is checked against itself and the disk. -K_EINVAL, -K_EIO, with a sentence. */
int ext2_super_read(const char **why) must_check;

/* Takes hold of the super block, and checks the groups. The journal has been replayed. -K_EINVAL,
 * -K_EIO, with a sentence. */
int ext2_super_mount(const char **why) must_check;

static inline struct ext2_super *ext2_super(void) {
    return (struct ext2_super *)(void *)(ext2.home->data + EXT2_SUPER_OFFSET % ext2.block_bytes);
}

/* Sets or clears INCOMPAT_RECOVER, or, without a journal, clears or sets STATE_VALID, on the disk
 * itself, with a flush; what the log has of the block always says that it is in use. -K_EIO. */
int ext2_super_mark(bool in_use) must_check;

/* Whether a block may be given to a file. */
static inline bool ext2_is_data(uint32_t block) {
    return block > ext2.descriptors && block < ext2.blocks;
}

/* A group's descriptor: its buffer, with a reference. -K_EIO. */
int ext2_group_get(uint32_t group, struct buf **home, struct ext2_group **out) must_check;
