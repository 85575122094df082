/* The root of the tree of files: the disk, or what an archive in memory has. */
#include "init/root.h"
#include "dev/blk.h"
#include "dev/bootargs.h"
#include "dev/devices.h"
#include "dev/ramdisk.h"
#include "ext2/ext2.h"
#include "fs/fs.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "procfs/procfs.h"
#include "pty/pty.h"
#include "tmpfs/cpio.h"
#include "tmpfs/tmpfs.h"
#include "vfs/names.h"

#define MEMORY_DEV 2 /* as stat names it */
#define PROC_DEV 3
#define PTS_DEV 4

/* The disk, of whichever format it is; that of xv6 if it has no mark. */
static int open_disk(bool is_ext2, struct node **disk, const char **why) {
    return is_ext2 ? ext2_mount(disk, why) : fs_mount(disk, why);
}

static int find_format(bool *is_ext2, const char **why) {
    *is_ext2 = false;
    *why = "it cannot be read";
    return blk_present() ? ext2_there(is_ext2) : 0;
}

/* On a folder of the archive, if that is there. */
static int mount_disk(const char **what, const char **why) {
    struct node *dir, *disk;
    bool is_ext2;
    *what = "the disk cannot be used";
    int err = find_format(&is_ext2, why);
    if (err)
        return err;
    fs_place = is_ext2 ? "/disk" : "/xv6";
    if (!blk_present() || path_lookup(fs_place, &dir))
        return 0;
    err = open_disk(is_ext2, &disk, why);
    if (!err) {
        *why = "something else than a directory is there";
        err = node_mount(dir, disk);
    }
    node_put(dir);
    return err;
}

/* Names of what each process has open itself, beside them. */
static void link_dev(struct node *dev) {
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"},
                 {"stdin", "/proc/self/fd/0"},
                 {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}};
    for (unsigned i = 0; i < ARRAY_LEN(links); i++) {
        const struct node_kind kind = {.type = NODE_LINK, .mode = 0777, .target = links[i].target};
        (void)!names_make(dev, links[i].name, &kind);
    }
}

/* The devices that there are, in a folder /dev of the archive that has none of its own. A name that
 * is taken stays what it is; without memory there are fewer. */
static void fill_dev(void) {
    struct node *dev, *null;
    if (path_lookup("/dev", &dev))
        return;
    bool filled = !path_lookup_from(dev, "null", true, &null);
    if (filled)
        node_put(null);
    static const struct node_kind folder = {.type = NODE_DIR, .mode = 0755};
    if (!filled)
        (void)!names_make(dev, "pts", &folder);
    for (unsigned i = 0; !filled && i < device_count; i++) {
        const struct node_kind kind = {.type = NODE_DEVICE,
                                       .major = devices[i].major,
                                       .minor = devices[i].minor,
                                       .mode = devices[i].mode};
        (void)!names_make(dev, devices[i].name, &kind);
    }
    if (!filled)
        link_dev(dev);
    node_put(dev);
}

/* On a folder of the archive. */
static void mount_on(const char *path, struct node *root) {
    struct node *dir;
    if (path_lookup(path, &dir))
        return;
    if (node_mount(dir, root))
        node_put(root); /* it is no folder */
    node_put(dir);
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
    if (err)
        return err;
    fill_dev();
    mount_on("/proc", procfs_root(PROC_DEV));
    mount_on("/dev/pts", pty_folder(PTS_DEV));
    return mount_disk(what, why);
}

int root_mount(const char **what, const char **why) {
    uint64_t bytes;
    struct node *root;
    const void *archive = ramdisk_archive(&bytes);
    if (archive)
        return unpack(archive, bytes, what, why);
    bool is_ext2;
    *what = "the disk cannot be used";
    int err = find_format(&is_ext2, why);
    if (!err)
        err = open_disk(is_ext2, &root, why);
    if (!err)
        node_set_root(root);
    return err;
}
