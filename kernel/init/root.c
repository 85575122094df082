/* The root of the tree of files: the disk, or what an archive in memory has. */
#include "init/root.h"
#include "dev/blk.h"
#include "dev/bootargs.h"
#include "dev/ramdisk.h"
#include "fs/fs.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "tmpfs/cpio.h"
#include "tmpfs/tmpfs.h"
#include "vfs/path.h"

#define MEMORY_DEV 2 /* as stat names it */

static int mount_disk(const char **what, const char **why) {
    struct node *dir, *disk;
    if (!blk_present() || path_lookup("/xv6", &dir))
        return 0;
    *what = "the disk cannot be used";
    int err = fs_mount(&disk, why);
    if (!err) {
        *why = "something else than a directory is there";
        err = node_mount(dir, disk);
    }
    node_put(dir);
    return err;
}

static int unpack(const void *archive, uint64_t bytes, const char **what, const char **why) {
    struct node *root;
    *what = "the files in memory cannot be used";
    *why = "there is not enough memory";
    int err = tmpfs_create(MEMORY_DEV, &root);
    if (err)
        return err;
    node_set_root(root);
    err = cpio_unpack(archive, bytes, root, why);
    if (!err && !boot_quiet())
        kprintf("the root is in memory, from an archive of %lu KiB\n",
                (unsigned long)(bytes >> 10));
    return err ? err : mount_disk(what, why);
}

int root_mount(const char **what, const char **why) {
    uint64_t bytes;
    struct node *root;
    const void *archive = ramdisk_archive(&bytes);
    if (archive)
        return unpack(archive, bytes, what, why);
    *what = "the disk cannot be used";
    int err = fs_mount(&root, why);
    if (!err)
        node_set_root(root);
    return err;
}
