/* Opening: from a path to an open file. */
#pragma once
#include "vfs/file.h"

/* Opens path with the flags ABI_O_*: *out has one reference. O_CREATE makes a file
 * if nothing has the name, and opens what is there if it is a file or a device.
 * O_TRUNC empties a file, as the last step. -K_EISDIR: a directory, and mode is not
 * O_RDONLY; -K_ETXTBSY: it is to be written or emptied, and is a program that somebody runs;
 * -K_ENODEV: a device number that cannot be; -K_ENFILE; the errors of
 * path_lookup and names_create, and those of making it empty: -K_EIO, -K_EROFS. On error nothing
 * is open, but a file that was created is there. */
int file_open(const char *path, uint32_t mode, struct file **out) must_check;

/* The same of a node that has been found. */
int file_open_node(struct node *n, uint32_t mode, struct file **out) must_check;

/* What a link at the end of the path leads to, where that has no node: another process's pipe, or
 * one's own (node_ops.open_again). For who has found -K_ENXIO. */
int file_open_again(struct node *start, const char *path, uint32_t mode,
                    struct file **out) must_check;

static inline bool open_for_writing(uint32_t mode) { return mode & (ABI_O_WRONLY | ABI_O_RDWR); }

/* Makes f, which is new, the device whose node is n, and takes over the reference. device: its
 * driver; NULL, there is none. After an error of its open (chardev.h) the reference is the
 * caller's.
 */
struct chardev_ops;
struct node;
int devfile_open(struct file *f, struct node *n, const struct chardev_ops *device) must_check;
