/* The journal's file: see journalfile.h. */
#include "ext2/journalfile.h"
#include "arch/layout.h"
#include "ext2/blockmap.h"
#include "lib/errno.h"
#include "lib/string.h"

static struct ext2_inode file;
static uint32_t super_block;
static uint8_t super_data[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct blk_request rq;

static struct jbd_super *super(void) { return (struct jbd_super *)(void *)super_data; }

int ext2_move_block(enum blk_op op, uint32_t block, void *data) {
    rq = (struct blk_request){.op = op,
                              .sector = (uint64_t)block * (ext2.block_bytes / SECTOR_SIZE),
                              .data = data,
                              .bytes = ext2.block_bytes};
    return blk_do(&rq);
}

int ext2_flush(void) {
    rq = (struct blk_request){.op = BLK_FLUSH};
    return blk_do(&rq);
}

int ext2_ring_block(uint32_t i, uint32_t *block) {
    struct ext2_leaf leaf = {0};
    int err = ext2_inode_lock(&file);
    if (err)
        return err;
    err = ext2_map_find(&file, i, 1, &leaf, block);
    ext2_leaf_end(&leaf);
    ext2_inode_unlock(&file);
    return err ? err : *block ? 0 : -K_EIO;
}

static const char *check(struct ext2_ring *r) {
    uint32_t type = jbd_number(super()->header.type);
    if (jbd_number(super()->header.magic) != JBD_MAGIC ||
        (type != JBD_SUPER_1 && type != JBD_SUPER_2))
        return "the journal's super block is none";
    *r = (struct ext2_ring){.blocks = jbd_number(super()->blocks),
                            .first = jbd_number(super()->first),
                            .start = jbd_number(super()->start),
                            .sequence = jbd_number(super()->sequence),
                            .version_2 = type == JBD_SUPER_2};
    r->incompat = r->version_2 ? jbd_number(super()->incompat) : 0;
    if (jbd_number(super()->block_bytes) != ext2.block_bytes)
        return "the journal's blocks are of another size";
    if (r->blocks > ext2_size(&file) / ext2.block_bytes || r->first == 0 || r->first >= r->blocks ||
        r->start >= r->blocks || (r->start && r->start < r->first))
        return "the journal's size cannot be";
    if (r->incompat & ~(uint32_t)JBD_INCOMPAT_REVOKE)
        return "the journal has features that Trellis does not know (e2fsck -f, or a mount "
               "elsewhere, can empty it; mke2fs -t ext3 makes what it knows)";
    return NULL;
}

int ext2_ring_open(struct ext2_ring *r, const char **why) {
    ext2_inode_set_up(&file, ext2.journal_inode);
    *why = "the journal cannot be read";
    int err = ext2_inode_lock(&file);
    if (err)
        return err;
    bool is_file = ext2_is_file(&file);
    ext2_inode_unlock(&file);
    err = is_file ? ext2_ring_block(0, &super_block) : -K_EINVAL;
    if (!err)
        err = ext2_move_block(BLK_READ, super_block, super_data);
    if (err)
        return err;
    *why = check(r);
    return *why ? -K_EINVAL : 0;
}

int ext2_ring_write_super(uint32_t start, uint32_t sequence) {
    super()->start = jbd_number(start);
    super()->sequence = jbd_number(sequence);
    int err = ext2_move_block(BLK_WRITE, super_block, super_data);
    return err ? err : ext2_flush();
}
