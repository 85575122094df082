/* The root of the tree of files: the disk, or what an archive in memory has. */
#include "init/root.h"
#include "dev/blk.h"
#include "dev/bootargs.h"
#include "dev/ramdisk.h"
#include "ext2/ext2.h"
#include "fs/fs.h"
#include "init/devfolder.h"
#include "init/mountable.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "tmpfs/cpio.h"
#include "tmpfs/tmpfs.h"
#include "vfs/mount.h"
#include "vfs/path.h"

#define MEMORY_DEV 2 /* as stat names it */

/* The disk, of whichever format it is; that of xv6 if it has no mark. */
static int open_disk(bool is_ext2, struct node **disk, const char **why) {
    return is_ext2 ? ext2_mount(disk, why) : fs_mount(disk, why);
}

static int find_format(bool *is_ext2, const char **why) {
    *is_ext2 = false;
    *why = "it cannot be read";
    return blk_present() ? ext2_there(is_ext2) : 0;
}

/* On a directory, or as the root of all. */
static int mount_disk_on(struct node *dir, struct node *disk) {
    const struct fs_format *format = fs_mounted_format();
    return mount_add(dir, disk, format->name, blk_chosen() == 1 ? "/dev/vda" : "/dev/vdb",
                     format->read_only ? MOUNT_READ_ONLY : 0);
}

/* Whether an option says where the second disk is mounted, and the first one is not. */
static int second_disk(char path[ABI_MAXPATH], bool *wanted, const char **why) {
    *wanted = bootarg("mount", path, ABI_MAXPATH);
    *why = "mount=: there is no second one";
    if (!*wanted)
        return 0;
    if (blk_count() < 2)
        return -K_ENODEV;
    blk_choose(2);
    return 0;
}

/* On a folder of the archive: if that is there, or an option has asked for it. */
static int mount_disk(const char **what, const char **why) {
    char path[ABI_MAXPATH];
    struct node *dir, *disk;
    bool is_ext2, asked;
    *what = "the disk cannot be used";
    int err = second_disk(path, &asked, why);
    if (!err)
        err = find_format(&is_ext2, why);
    if (err || !blk_present())
        return err;
    *why = "mount=: there is no such folder";
    err = path_lookup(asked ? path : is_ext2 ? "/disk" : "/xv6", &dir);
    if (err)
        return asked ? err : 0;
    err = open_disk(is_ext2, &disk, why);
    if (!err) {
        *why = "something else than a directory is there";
        err = mount_disk_on(dir, disk);
    }
    node_put(dir);
    return err;
}

/* The devices, in a folder /dev of the archive that has none of its own. */
static void fill_dev(void) {
    struct node *dev, *null;
    if (path_lookup("/dev", &dev))
        return;
    if (path_lookup_from(dev, "null", true, &null))
        devfolder_fill(dev);
    else
        node_put(null);
    node_put(dev);
}

/* On a folder of the archive, if that is there. */
static void mount_on(const char *path, const char *type) {
    struct node *dir;
    if (path_lookup(path, &dir))
        return;
    (void)!mount_new(type, type, dir, 0, ""); /* it is no folder, or there is no memory */
    node_put(dir);
}

static int unpack(const void *archive, uint64_t bytes, const char **what, const char **why) {
    struct node *root;
    *what = "the files in memory cannot be used";
    *why = "there is not enough memory";
    int err = tmpfs_create(MEMORY_DEV, 0755, &root);
    if (!err)
        err = mount_add(NULL, root, "rootfs", "rootfs", 0);
    if (err)
        return err;
    err = cpio_unpack(archive, bytes, root, why);
    if (!err && !boot_quiet())
        kprintf("the root is in memory, from an archive of %lu KiB\n",
                (unsigned long)(bytes >> 10));
    if (err)
        return err;
    fill_dev();
    mount_on("/proc", "proc");
    mount_on("/dev/pts", "devpts");
    return mount_disk(what, why);
}

int root_mount(const char **what, const char **why) {
    mountable_init();
    uint64_t bytes;
    struct node *root;
    const void *archive = ramdisk_archive(&bytes);
    if (archive)
        return unpack(archive, bytes, what, why);
    bool is_ext2;
    *what = "the disk cannot be used";
    *why = "mount=: the root is on the first one, and one has a file system at a time";
    if (bootarg("mount", NULL, 0))
        return -K_EBUSY;
    int err = find_format(&is_ext2, why);
    if (!err)
        err = open_disk(is_ext2, &root, why);
    if (!err)
        err = mount_disk_on(NULL, root);
    return err;
}
