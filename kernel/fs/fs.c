/* The file system as a whole. */
#include "fs/fs.h"
#include "fs/balloc.h"
#include "fs/data.h"
#include "fs/entries.h"
#include "fs/inodemap.h"
#include "fs/logdisk.h"
#include "fs/namecache.h"
#include "vfs/descriptor.h"
#include "vfs/pipe.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "proc/proc.h"

#define FILES_MIN 576
#define FILES_KEPT 64    /* of them, where files have a limit */
#define CACHE_MIN MIB(1) /* for metadata alone */
#define CACHE_MAX MIB(8)
/* In memory: as many as can be in use at a time (open, or somebody's current directory, or
 * named by a path that a call just walks), so that a call never finds them all in use. Files that
 * are mapped or run, and open no more, are not counted: up to seven eighths of the page cache's
 * pages. A disk of no more inodes than these, as ours, fits with all of them: then there may be as
 * many open files as memory has room for. Of another one as many as there are inodes for. */
#define INODES_PER_CALL 6 /* rename, with its walk up from the target */
#define INODES_MAX 2048UL /* but for these */
#define INODE_PER_RAM KIB(128)
#define NAMES_MIN 512
#define NAMES_MAX 65536
#define NAME_PER_RAM KIB(16)
#define PIPES_MIN 512 /* as many as one process may have descriptors for */
#define PIPES_MAX 4096
#define PIPES_KEPT 32 /* of them */
#define PIPE_PER_RAM KIB(128)

static uint64_t inodes;                 /* in memory */
static const struct fs_format *mounted; /* NULL: nothing is */

/* That may be in use beside those of open files. */
static uint64_t inodes_beside(void) { return proc_slots * (1ULL + INODES_PER_CALL); }

static uint64_t clamp(uint64_t n, uint64_t low, uint64_t high) { return MAX(low, MIN(n, high)); }

int fs_boot_init(uint64_t ram_bytes) {
    uint64_t in_use = FILES_MIN + inodes_beside();
    mounted = NULL;
    file_boot_init();
    fd_boot_init();
    inodes = MAX(in_use, MIN(ram_bytes / INODE_PER_RAM, INODES_MAX));
    uint64_t names = clamp(ram_bytes / NAME_PER_RAM, NAMES_MIN, NAMES_MAX);
    int err = cache_boot_init(clamp(ram_bytes / 128, CACHE_MIN, CACHE_MAX));
    if (!err)
        err = pagecache_boot_init(ram_bytes);
    if (!err)
        err = log_boot_init();
    if (!err)
        err = inode_boot_init((uint32_t)inodes);
    if (!err)
        err = namecache_boot_init((uint32_t)names);
    if (!err)
        err = pipe_boot_init((uint32_t)clamp(ram_bytes / PIPE_PER_RAM, PIPES_MIN, PIPES_MAX),
                             PIPES_KEPT);
    return err;
}

static int read_super(const char **why) {
    uint64_t disk_blocks = blk_sectors() / (FS_BLOCK_SIZE / SECTOR_SIZE);
    struct fs_superblock sb;
    struct buf *b;
    if (disk_blocks <= SUPER_BLOCK) {
        *why = "the disk has no room for a super block";
        return -K_EINVAL;
    }
    int err = cache_get(SUPER_BLOCK, &b);
    if (err) {
        *why = "the super block cannot be read";
        return err;
    }
    memcpy(&sb, b->data, sizeof(sb));
    cache_put(b);
    return super_check(&sb, disk_blocks, &super, why);
}

static struct log_disk log_disk = {.block_bytes = FS_BLOCK_SIZE,
                                   .commit = logdisk_commit,
                                   .forbid_writes = inodemap_forbid_writes};

static int start_log(const char **why) {
    int err = logdisk_mount(&super, &log_disk.blocks, why);
    if (err)
        return err;
    log_mount(&log_disk, false);
    if (log_op_max() < entries_cost_max() || log_op_max() < data_write_cost(1)) {
        *why = "the log is too small for one operation";
        return -K_EINVAL;
    }
    data_mount();
    return 0;
}

static int open_root(struct node **out, const char **why) {
    struct inode *root;
    int err = inode_get(FS_ROOT_INODE, &root);
    if (!err)
        err = inode_lock(root);
    if (err) {
        *why = "the root inode cannot be read";
        return err;
    }
    bool is_dir = root->d.type == ABI_T_DIR && root->d.nlink > 0;
    inode_unlock(root);
    if (!is_dir) {
        *why = "the root inode is not a directory";
        return -K_EINVAL;
    }
    *out = &root->node;
    node_set_reaper(inode_reap);
    return 0;
}

static void stats(struct fs_stats *out) {
    out->inodes_free = inode_free_count();
    out->blocks_free = balloc_free_count();
}

static int find_root(struct node **out) {
    struct inode *root;
    int err = inode_get(FS_ROOT_INODE, &root);
    if (!err)
        *out = &root->node;
    return err;
}

static const struct fs_format format = {.name = "xv6", .stats = stats, .root = find_root};

void fs_begin(const struct fs_format *f) { mounted = f; }

const struct fs_format *fs_mounted_format(void) { return mounted; }

int fs_mount(struct node **root, const char **why) {
    if (!blk_present()) {
        *why = "there is no disk";
        return -K_ENODEV;
    }
    *why = "there is no memory for the contents of files";
    int err = pagecache_mount();
    if (!err)
        err = read_super(why);
    if (!err)
        err = start_log(why);
    if (err)
        return err;
    namecache_mount(DIR_NAME_WORDS);
    entries_init();
    *why = "the free-block bitmap cannot be read";
    err = balloc_mount();
    if (err)
        return err;
    file_mount(super.inode_end <= inodes ? UINT64_MAX : inodes - inodes_beside(), FILES_KEPT);
    *why = "the inodes cannot be read";
    err = inode_mount();
    if (err)
        return err;
    fs_begin(&format);
    return open_root(root, why);
}

bool fs_mounted(void) { return mounted; }

int fs_sync(void) { return mounted ? log_sync() : 0; }

void fs_quiesce(void) {
    if (!mounted)
        return;
    log_quiesce();
    if (mounted->quiesced)
        log_when_durable(mounted->quiesced);
}

void fs_stats(struct fs_stats *out) {
    *out = (struct fs_stats){0};
    if (mounted)
        mounted->stats(out);
    out->files_open = file_open_count();
}
