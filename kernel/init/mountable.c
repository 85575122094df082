/* The file systems that programs may mount: what each is made of. */
#include "init/mountable.h"
#include "dev/blk.h"
#include "fs/fs.h"
#include "init/devfolder.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "procfs/procfs.h"
#include "pty/pty.h"
#include "tmpfs/tmpfs.h"
#include "vfs/blockfile.h"
#include "vfs/mount.h"

/* mode=OCTAL, and nothing else; *mode stays what it is without. */
static int read_mode(const char *options, uint16_t *mode) {
    static const char name[] = "mode=";
    size_t n = sizeof(name) - 1;
    unsigned all = 0;
    if (!*options)
        return 0;
    if (strncmp(options, name, n) || !options[n])
        return -K_EINVAL;
    for (const char *c = options + n; *c; c++) {
        if (*c < '0' || *c > '7')
            return -K_EINVAL;
        all = all * 8 + (unsigned)(*c - '0');
        if (all > 07777)
            return -K_EINVAL;
    }
    *mode = (uint16_t)all;
    return 0;
}

static int make_memory(uint16_t mode, const char *options, struct node **root) {
    int err = read_mode(options, &mode);
    return err ? err : tmpfs_create(mount_new_dev(), mode, root);
}

static int make_tmpfs(struct node *device, const char *options, unsigned *forbids,
                      struct node **root) {
    return make_memory(01777, options, root);
}

static int make_ramfs(struct node *device, const char *options, unsigned *forbids,
                      struct node **root) {
    return make_memory(0755, options, root);
}

static int make_devtmpfs(struct node *device, const char *options, unsigned *forbids,
                         struct node **root) {
    int err = make_memory(0755, options, root);
    if (!err)
        devfolder_fill(*root);
    return err;
}

static int make_proc(struct node *device, const char *options, unsigned *forbids,
                     struct node **root) {
    return *options ? -K_EINVAL : procfs_create(mount_new_dev(), root);
}

/* There is one, wherever it is. What is asked for in options is as it is: permissions and groups of
 * slaves. */
static int make_devpts(struct node *device, const char *options, unsigned *forbids,
                       struct node **root) {
    *root = pty_folder(mount_new_dev());
    return 0;
}

/* The disk's file system is in the kernel from boot on, also while it is mounted nowhere. There is
 * one: that of another disk has to wait for another boot. */
static int make_disk(const char *name, struct node *device, const char *options, unsigned *forbids,
                     struct node **root) {
    const struct fs_format *format = fs_mounted_format();
    unsigned disk;
    int err = blockfile_disk_of(device, &disk);
    if (err)
        return err;
    if (!format || disk != blk_chosen())
        return -K_EBUSY;
    bool is_it = !strcmp(name, format->name) ||
                 (!strcmp(name, "ext2") && !strcmp(format->name, "ext3"));
    if (!is_it || *options)
        return -K_EINVAL;
    *forbids |= format->read_only ? MOUNT_READ_ONLY : 0;
    return format->root(root);
}

#define DISK(name) \
    static int make_##name(struct node *device, const char *options, unsigned *forbids, \
                           struct node **root) { \
        return make_disk(#name, device, options, forbids, root); \
    }
DISK(xv6)
DISK(ext2)
DISK(ext3)

void mountable_init(void) {
    static struct mount_type types[] = {
        {.name = "tmpfs", .make = make_tmpfs},
        {.name = "ramfs", .make = make_ramfs},
        {.name = "devtmpfs", .make = make_devtmpfs},
        {.name = "proc", .make = make_proc},
        {.name = "devpts", .make = make_devpts},
        {.name = "xv6", .on_disk = true, .make = make_xv6},
        {.name = "ext2", .on_disk = true, .make = make_ext2},
        {.name = "ext3", .on_disk = true, .make = make_ext3},
    };
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        mount_type_add(&types[i]);
}
