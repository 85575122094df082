/* The super block: where the parts of a disk image lie (docs/file-system.md).
 *
 *     | boot | super | log | inodes | bitmap | data |   blocks of FS_BLOCK_SIZE
 *
 * Every number comes from the image; none is used before it has been checked
 * against the others and against the length of the disk. */
#pragma once
#include "lib/abi.h"
#include "lib/types.h"

#define SUPER_BLOCK 1
#define INODES_PER_BLOCK (FS_BLOCK_SIZE / sizeof(struct fs_dinode))
#define BITS_PER_BLOCK (FS_BLOCK_SIZE * 8)
#define INUM_END 65536 /* a directory entry cannot name an inode from here on */

/* Block numbers and counts; constant once the file system is mounted. */
struct super {
    uint32_t size;                        /* of the whole image */
    uint32_t log_start, log_blocks;       /* with the header block */
    uint32_t inode_start, inode_end;      /* inode numbers in use are [1, inode_end) */
    uint32_t bitmap_start, bitmap_blocks; /* one bit for each block of the image */
    uint32_t data_start;                  /* data is [data_start, size) */
};
extern struct super super;

/* Fills in *out from the image's super block. -K_EINVAL: it contradicts itself or
 * a disk of disk_blocks blocks; *why is the reason, and *out is undefined. */
int super_check(const struct fs_superblock *sb, uint64_t disk_blocks, struct super *out,
                const char **why) must_check;

static inline bool super_is_data(uint32_t block) {
    return block >= super.data_start && block < super.size;
}
