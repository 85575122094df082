/* The super block: checking what the image says about itself. */
#include "fs/super.h"
#include "lib/errno.h"

struct super super;

static uint64_t blocks_for(uint64_t things, uint64_t per_block) {
    return (things + per_block - 1) / per_block;
}

/* All sums are of 32-bit numbers in 64 bits, so none wraps. */
static const char *complaint(const struct fs_superblock *sb, uint64_t disk_blocks) {
    uint64_t log_end = (uint64_t)sb->logstart + sb->nlog;
    uint64_t inodes_end = sb->inodestart + blocks_for(sb->ninodes, INODES_PER_BLOCK);
    uint64_t bitmap_end = sb->bmapstart + blocks_for(sb->size, BITS_PER_BLOCK);

    if (sb->magic != FS_MAGIC)
        return "block 1 is not a super block (wrong magic number)";
    if (sb->size > disk_blocks)
        return "the image says that it is longer than the disk";
    if (sb->size > INT32_MAX)
        return "the image is longer than block numbers in the log can say";
    if (sb->nblocks == 0 || sb->nblocks > sb->size)
        return "the number of data blocks does not fit the size";
    if (sb->ninodes <= FS_ROOT_INODE)
        return "there is no root inode";
    if (sb->logstart <= SUPER_BLOCK || sb->nlog < 2)
        return "the log does not lie behind the super block";
    if (log_end > sb->inodestart)
        return "log and inodes overlap";
    if (inodes_end > sb->bmapstart)
        return "inodes and bitmap overlap";
    if (bitmap_end > sb->size - sb->nblocks)
        return "bitmap and data overlap";
    return NULL;
}

int super_check(const struct fs_superblock *sb, uint64_t disk_blocks, struct super *out,
                const char **why) {
    *why = complaint(sb, disk_blocks);
    if (*why)
        return -K_EINVAL;
    uint32_t inode_end = MIN(sb->ninodes, (uint32_t)INUM_END);
    *out = (struct super){
        .size = sb->size,
        .log_start = sb->logstart,
        .log_blocks = sb->nlog,
        .inode_start = sb->inodestart,
        .inode_end = inode_end,
        .bitmap_start = sb->bmapstart,
        .bitmap_blocks = (uint32_t)blocks_for(sb->size, BITS_PER_BLOCK),
        .data_start = sb->size - sb->nblocks,
    };
    return 0;
}
