/* The super block and the groups' descriptors: see super.h. */
#include "ext2/super.h"
#include "lib/errno.h"
#include "lib/string.h"

struct ext2 ext2;

#define KNOWN_INCOMPAT (EXT2_INCOMPAT_FILETYPE | EXT2_INCOMPAT_RECOVER)
#define KNOWN_RO (EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE)
#define OLD_FIRST_INODE 11
#define SECTORS_2_31 0xffffffffULL /* an inode's count of sectors is of 32 bits */

/* Not on a stack: see blk.h. */
static struct ext2_super on_disk __attribute__((aligned(sizeof(struct ext2_super))));
static struct blk_request rq;

static int move_super(enum blk_op op) {
    rq = (struct blk_request){.op = op,
                              .sector = EXT2_SUPER_OFFSET / SECTOR_SIZE,
                              .data = &on_disk,
                              .bytes = sizeof(on_disk)};
    return blk_do(&rq);
}

int ext2_super_there(bool *there) {
    *there = false;
    if (blk_sectors() < (EXT2_SUPER_OFFSET + sizeof(on_disk)) / SECTOR_SIZE)
        return 0;
    int err = move_super(BLK_READ);
    *there = !err && on_disk.magic == EXT2_MAGIC;
    return err;
}

/* ---- what it says ---- */

/* By the features alone. NULL, or why it cannot be used. */
static const char *features(const struct ext2_super *s) {
    ext2.revision = s->revision > 0;
    ext2.compat = ext2.revision ? s->compat : 0;
    ext2.incompat = ext2.revision ? s->incompat : 0;
    ext2.ro_compat = ext2.revision ? s->ro_compat : 0;
    ext2.why_read_only = NULL;
    if (s->revision > 1)
        return "the format's revision is one that Trellis does not know";
    if (ext2.incompat & ~(uint32_t)KNOWN_INCOMPAT)
        return "it has features that Trellis does not know (ext4's, perhaps: mke2fs -t ext3 "
               "makes what it knows)";
    if (ext2.ro_compat & ~(uint32_t)KNOWN_RO)
        ext2.why_read_only = "it has features with which Trellis can only read";
    ext2.journal_inode = ext2.compat & EXT2_COMPAT_JOURNAL ? s->journal_inode : 0;
    if (ext2.compat & EXT2_COMPAT_JOURNAL && !s->journal_inode)
        return "its journal is on another disk";
    if (ext2.incompat & EXT2_INCOMPAT_RECOVER && !ext2.journal_inode)
        return "it has to be recovered, and has no journal";
    return NULL;
}

/* How large things are. NULL, or what cannot be. */
static const char *sizes(const struct ext2_super *s) {
    if (s->log_block_size > 2)
        return "its blocks are larger than 4096 bytes";
    ext2.block_bytes = 1024U << s->log_block_size;
    ext2.blocks = s->blocks;
    ext2.first_block = s->first_data_block;
    ext2.blocks_per_group = s->blocks_per_group;
    ext2.inodes_per_group = s->inodes_per_group;
    ext2.inodes = s->inodes;
    ext2.first_inode = ext2.revision ? s->first_inode : OLD_FIRST_INODE;
    ext2.inode_bytes = ext2.revision ? s->inode_size : EXT2_INODE_OLD;
    ext2.addresses = ext2.block_bytes / sizeof(uint32_t);
    ext2.descriptors = EXT2_SUPER_OFFSET / ext2.block_bytes + 1;
    uint32_t bits = ext2.block_bytes * 8;
    if (ext2.first_block != (ext2.block_bytes == 1024) || ext2.blocks <= ext2.descriptors)
        return "the number of its first block, or of its blocks, cannot be";
    if (ext2.blocks > blk_sectors() / (ext2.block_bytes / SECTOR_SIZE))
        return "it has more blocks than the disk";
    if (ext2.blocks_per_group < 8 || ext2.blocks_per_group > bits || ext2.inodes_per_group == 0 ||
        ext2.inodes_per_group > bits)
        return "the size of its groups cannot be";
    uint32_t size = ext2.inode_bytes;
    if (size < EXT2_INODE_OLD || size > ext2.block_bytes || (size & (size - 1)))
        return "the size of its inodes cannot be";
    if (ext2.first_inode < OLD_FIRST_INODE || ext2.first_inode > ext2.inodes)
        return "the number of its first inode cannot be";
    ext2.groups = (ext2.blocks - ext2.first_block - 1) / ext2.blocks_per_group + 1;
    if ((uint64_t)ext2.groups * ext2.inodes_per_group != ext2.inodes)
        return "the number of its inodes cannot be";
    return NULL;
}

/* What the addresses reach, the count of sectors counts, and pages have numbers for. */
static uint64_t size_max(void) {
    uint64_t n = ext2.addresses, reached = EXT2_DIRECT + n + n * n + n * n * n;
    uint64_t counted = SECTORS_2_31 / (ext2.block_bytes / 512);
    counted -= counted / n + counted / n / n + 4; /* for indirect blocks */
    uint64_t most = MIN(reached, counted) * ext2.block_bytes;
    return ext2.revision ? most : MIN(most, (uint64_t)INT32_MAX);
}

int ext2_super_read(const char **why) {
    int err = move_super(BLK_READ);
    *why = err ? "the super block cannot be read" : features(&on_disk);
    if (!*why)
        *why = sizes(&on_disk);
    if (*why)
        return err ? err : -K_EINVAL;
    ext2.size_max = size_max();
    if (on_disk.state & EXT2_STATE_ERRORS)
        ext2.why_read_only = "errors were met in it, which e2fsck mends";
    else if (!ext2.journal_inode && !(on_disk.state & EXT2_STATE_VALID))
        ext2.why_read_only = "it was in use when the machine ended, and has no journal: e2fsck "
                             "mends it";
    else if (blk_read_only())
        ext2.why_read_only = "the disk is";
    cache_mount(ext2.block_bytes);
    return 0;
}

/* ---- groups ---- */

int ext2_group_get(uint32_t group, struct buf **home, struct ext2_group **out) {
    uint32_t in_block = ext2.block_bytes / (uint32_t)sizeof(struct ext2_group);
    int err = cache_get(ext2.descriptors + group / in_block, home);
    if (err)
        return err;
    struct ext2_group *g = (struct ext2_group *)(void *)(*home)->data + group % in_block;
    uint32_t table = ext2.inodes_per_group / (ext2.block_bytes / ext2.inode_bytes);
    if (!ext2_is_data(g->block_bitmap) || !ext2_is_data(g->inode_bitmap) ||
        !ext2_is_data(g->inode_table) || table > ext2.blocks - g->inode_table) {
        cache_put(*home);
        return -K_EIO;
    }
    *out = g;
    return 0;
}

int ext2_super_mount(const char **why) {
    for (uint32_t i = 0; i < ext2.groups; i++) {
        struct buf *b;
        struct ext2_group *g;
        int err = ext2_group_get(i, &b, &g);
        if (err) {
            *why = "the descriptor of a group cannot be read, or cannot be";
            return err;
        }
        cache_put(b);
    }
    *why = "the super block cannot be read";
    int err = cache_get(EXT2_SUPER_OFFSET / ext2.block_bytes, &ext2.home);
    if (err)
        return err;
    ext2.read_only = ext2.why_read_only;
    if (ext2.read_only)
        return 0;
    if (ext2.journal_inode)
        ext2_super()->incompat |= EXT2_INCOMPAT_RECOVER;
    else
        ext2_super()->state &= (uint16_t)~EXT2_STATE_VALID;
    return 0;
}

/* ---- in use, or not ---- */

static int flush(void) {
    rq = (struct blk_request){.op = BLK_FLUSH};
    return blk_do(&rq);
}

/* The mark is in the first of two sectors, and the only change. */
int ext2_super_mark(bool in_use) {
    int err = move_super(BLK_READ);
    if (err)
        return err;
    if (ext2.journal_inode && in_use)
        on_disk.incompat |= EXT2_INCOMPAT_RECOVER;
    else if (ext2.journal_inode)
        on_disk.incompat &= ~(uint32_t)EXT2_INCOMPAT_RECOVER;
    else if (in_use)
        on_disk.state &= (uint16_t)~EXT2_STATE_VALID;
    else
        on_disk.state |= EXT2_STATE_VALID;
    err = move_super(BLK_WRITE);
    return err ? err : flush();
}
