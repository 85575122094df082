/* Mounts. */
#include "vfs/mount.h"
#include "fs/fs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"

#define MS_REMOUNT 32U
#define MS_SHARED 0x100000U
#define MS_SLAVE 0x80000U
#define MS_PRIVATE 0x40000U
#define MS_UNBINDABLE 0x20000U
#define MS_REC 0x4000U
#define MS_PROPAGATION (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)
/* What changes nothing here: times of access are not noted, or as a file system has them, and there
 * is nothing to be silent about. */
#define MS_NOATIME 0x400U
#define MS_NODIRATIME 0x800U
#define MS_SILENT 0x8000U
#define MS_RELATIME 0x200000U
#define MS_STRICTATIME 0x1000000U
#define MS_NOTHING (MS_NOATIME | MS_NODIRATIME | MS_SILENT | MS_RELATIME | MS_STRICTATIME)
#define MS_MAGIC 0xc0ed0000U /* of programs for old kernels */
#define MS_MAGIC_BITS 0xffff0000U

/* A string that need not be there. */
static int optional_string(char text[LINUX_PATH], uint64_t address) {
    text[0] = '\0';
    return address ? copyinstr(text, UA(address), LINUX_PATH) : 0;
}

/* There is one tree, in which nothing is handed on. */
static int set_propagation(struct node *root, unsigned flags) {
    unsigned sort = flags & MS_PROPAGATION;
    if (sort != MS_PRIVATE || (flags & ~(MS_PROPAGATION | MS_REC | MS_SILENT)))
        return -K_EINVAL;
    return mount_is_root(root) ? 0 : -K_EINVAL;
}

static int mount_at(struct node *dir, const char *source, const uint64_t arg[6], unsigned flags) {
    char type[LINUX_PATH], options[LINUX_PATH];
    unsigned forbids = flags & MOUNT_FORBIDS;
    if (flags & MS_PROPAGATION)
        return set_propagation(dir, flags);
    if (flags & ~(MOUNT_FORBIDS | MS_REMOUNT | MS_NOTHING))
        return -K_EINVAL;
    int err = optional_string(options, arg[4]);
    if (err)
        return err == -K_ENAMETOOLONG ? -K_EINVAL : err;
    if (flags & MS_REMOUNT)
        return *options ? -K_EINVAL : mount_change(dir, forbids);
    if (!arg[2])
        return -K_EINVAL;
    err = copyinstr(type, UA(arg[2]), sizeof(type));
    if (err)
        return err == -K_ENAMETOOLONG ? -K_ENODEV : err;
    return mount_new(type, source, dir, forbids, options);
}

int linux_mount(const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {(uint64_t)LINUX_AT_FDCWD, arg[1]};
    unsigned flags = (unsigned)arg[3];
    char source[LINUX_PATH];
    struct node *dir;
    if ((flags & MS_MAGIC_BITS) == MS_MAGIC)
        flags &= ~MS_MAGIC_BITS;
    int err = optional_string(source, arg[0]);
    if (!err)
        err = linux_find(there, 0, true, &dir);
    if (err)
        return err;
    err = mount_at(dir, source, arg, flags);
    node_put(dir);
    return err;
}

#define MNT_FORCE 1U
#define MNT_DETACH 2U
#define UMOUNT_NOFOLLOW 8U

int linux_umount2(const uint64_t arg[6], uint64_t *result) {
    const uint64_t there[6] = {(uint64_t)LINUX_AT_FDCWD, arg[0]};
    uint32_t flags = (uint32_t)arg[1];
    struct node *n;
    if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
        return -K_EINVAL;
    int err = linux_find(there, 0, !(flags & UMOUNT_NOFOLLOW), &n);
    if (err)
        return err;
    err = mount_remove(n, (flags & MNT_DETACH) != 0);
    node_put(n);
    if (!err)
        fs_quiesce(); /* a disk's has all that was done from here on */
    return err;
}
