/* Mounting: see ext2.h. */
#include "dev/bootargs.h"
#include "ext2/alloc.h"
#include "ext2/data.h"
#include "ext2/dir.h"
#include "ext2/ext2.h"
#include "ext2/journal.h"
#include "ext2/map.h"
#include "fs/fs.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "vfs/file.h"

#define FILES_KEPT 64 /* for the session and its commands, where files have a limit */

static struct log_disk log_disk = {.forbid_writes = ext2_map_forbid_writes};

int ext2_there(bool *there) { return ext2_super_there(there); }

static void stats(struct fs_stats *out) { ext2_free_counts(&out->blocks_free, &out->inodes_free); }

static int find_root(struct node **out) {
    struct ext2_inode *root;
    int err = ext2_inode_get(EXT2_ROOT_INODE, &root);
    if (err)
        return err;
    err = ext2_inode_known(root); /* which puts it after an error */
    if (!err)
        *out = &root->node;
    return err;
}

static struct fs_format format = {
    .stats = stats, .quiesced = ext2_journal_clean, .root = find_root};

/* After it the super block, and all else, is read again. */
static int recover(const char **why) {
    uint32_t replayed;
    if (blk_read_only()) {
        *why = "it has to be recovered, and the disk is read-only";
        return -K_EROFS;
    }
    int err = ext2_journal_replay(&replayed, why);
    if (!err && replayed && !boot_quiet())
        kprintf("ext3: %u transaction%s replayed\n", replayed, replayed == 1 ? "" : "s");
    return err ? err : ext2_super_read(why);
}

static int start_log(const char **why) {
    log_disk.block_bytes = ext2.block_bytes;
    log_disk.blocks = log_blocks_max(ext2.block_bytes);
    int err = ext2.read_only ? 0 : ext2_journal_mount(&log_disk, why);
    if (err)
        return err;
    log_mount(&log_disk, ext2.read_only);
    ext2_data_mount();
    *why = "the journal is too small";
    return !ext2.read_only && (ext2_write_max == 0 || log_op_max() < 32) ? -K_EINVAL : 0;
}

static int open_root(struct node **out, const char **why) {
    struct ext2_inode *root;
    *why = "the root inode cannot be read";
    int err = ext2_inode_get(EXT2_ROOT_INODE, &root);
    if (!err)
        err = ext2_inode_known(root);
    if (err)
        return err;
    if (!ext2_is_dir(root)) {
        *why = "the root inode is not a directory";
        ext2_inode_put(root);
        return -K_EINVAL;
    }
    *out = &root->node;
    return 0;
}

static int read_all(const char **why) {
    int err = ext2_super_read(why);
    if (err)
        return err;
    ext2_inode_mount();
    namecache_mount(EXT2_KEY_WORDS);
    ext2_alloc_mount();
    if (ext2.incompat & EXT2_INCOMPAT_RECOVER)
        err = recover(why);
    return err ? err : ext2_super_mount(why);
}

int ext2_mount(struct node **root, const char **why) {
    *why = "there is no memory for the contents of files";
    int err = pagecache_mount();
    if (!err)
        err = read_all(why);
    if (!err)
        err = start_log(why);
    if (err)
        return err;
    file_mount(UINT64_MAX, FILES_KEPT);
    if (ext2.read_only)
        kprintf("the disk is mounted read-only: %s\n", ext2.why_read_only);
    *why = "its list of orphans is damaged, which e2fsck mends";
    err = ext2.read_only ? 0 : ext2_orphans_mount();
    if (err)
        return err;
    format.name = ext2.journal_inode ? "ext3" : "ext2";
    format.read_only = ext2.read_only;
    fs_begin(&format);
    node_set_reaper(ext2_inode_reap);
    return open_root(root, why);
}
