/* Mounts: which file systems there are, and on which directories.
 *
 * What is mounted on a directory hides it from who comes there by a path. One file system is in one
 * place at a time. A mount has a reference to its root, and one to the directory; when it is gone,
 * those who are in it still may go on there, and it has no way up and no path.
 *
 * Lock: the table's, a spinlock. */
#pragma once
#include "vfs/node.h"

#define MOUNTS_MAX 64
#define MOUNT_SOURCE 64 /* bytes of what a mount is called, with the terminator */

/* What is forbidden in a file system, with Linux's numbers. */
#define MOUNT_READ_ONLY 1U  /* all changes: -K_EROFS */
#define MOUNT_NO_USERS 2U   /* to run as another user, which nobody does in any case */
#define MOUNT_NO_DEVICES 4U /* to open devices: -K_EACCES */
#define MOUNT_NO_RUNNING 8U /* to run programs: -K_EACCES */
#define MOUNT_FORBIDS 15U

/* A sort of file system that programs may mount. */
struct mount_type {
    const char *name;
    bool on_disk; /* it needs a device */
    /* *root has a reference. device: the node of it, or NULL; options: what else is asked for, or
     * "". May set more of *forbids. -K_EINVAL: it knows no such option, or the disk has another
     * format; -K_EBUSY; -K_ENOMEM; -K_EIO; -K_ENXIO: there is no such device. */
    int (*make)(struct node *device, const char *options, unsigned *forbids, struct node **root);
    struct mount_type *next;
};
/* At boot. */
void mount_type_add(struct mount_type *type);
const struct mount_type *mount_type_next(const struct mount_type *type); /* NULL: the first one */

/* A number for a new file system, as stat tells it. */
uint32_t mount_new_dev(void);

/* Mounts the file system of root on a directory, or, without one, makes it the root of all; it
 * takes over the reference to root, which after an error is the caller's. type stays; source is cut
 * to MOUNT_SOURCE. -K_ENOTDIR, -K_EIO; -K_ENOENT: the directory has been removed;
 * -K_EINVAL: it is one of those that are made for each look (node.h); -K_EBUSY: it is
 * the root of all, or the file system is mounted elsewhere; -K_ENOSPC: there are MOUNTS_MAX. */
int mount_add(struct node *dir, struct node *root, const char *type, const char *source,
              unsigned forbids) must_check;

/* Makes a file system, and mounts it. The source of one that is on a disk is the path of a device.
 * -K_ENODEV: there is no such type; -K_ENOTBLK: the source is no block device; and the errors of
 * its lookup, of make and of mount_add. */
int mount_new(const char *type, const char *source, struct node *dir, unsigned forbids,
              const char *options) must_check;

/* Whether it is the root of a mount now. */
bool mount_is_root(const struct node *n) must_check;

/* Takes the mount with this root away. The caller has one reference to root. detach: and all that
 * are in it, whoever uses it. -K_EINVAL: it is no such root; -K_EBUSY: it is that of all; or,
 * without detach, somebody uses it, or something is mounted in it. */
int mount_remove(struct node *root, bool detach) must_check;

/* Other things are forbidden from now on. -K_EINVAL: root is not that of a mount; -K_EBUSY: files
 * are open for writing; -K_EROFS: its disk can only be read. */
int mount_change(struct node *root, unsigned forbids) must_check;

/* What is forbidden in the file system of n; and whether any of these is, which costs a look while
 * nothing is anywhere. */
unsigned mount_forbidden(const struct node *n);
extern uint32_t mounts_that_forbid; /* atomic */
static inline bool mount_forbids(const struct node *n, unsigned what) {
    return __atomic_load_n(&mounts_that_forbid, __ATOMIC_SEQ_CST) && (mount_forbidden(n) & what);
}

/* What is seen in place of n, whose reference it takes over, by who comes there by a path. */
struct node *mount_enter(struct node *n);
/* The directory that n hides, if it is the root of a mount, with a reference; else n. */
struct node *mount_leave(struct node *n);

/* What a mount is. */
struct mount_about {
    struct node *root; /* with a reference */
    uint32_t id, parent;
    uint32_t dev;
    unsigned forbids;
    const char *type;
    char source[MOUNT_SOURCE];
};
/* That with the lowest number from *at on, which becomes the one behind it. False: there is none.
 */
bool mount_next(uint32_t *at, struct mount_about *out) must_check;
