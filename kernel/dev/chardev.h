/* Character devices by major number, as mknod names them. */
#pragma once
#include "lib/types.h"

#define NMAJOR 16
#define MAJOR_CONSOLE 1

struct file;
struct node;
struct object;

struct chardev_ops {
    /* Move up to n bytes; *done says how many, also after an error. 0, or a
     * negative errno when nothing was moved. *done = 0 from read: end of file. */
    int (*read)(uaddr_t dst, size_t n, size_t *done);
    int (*write)(uaddr_t src, size_t n, size_t *done);
    bool places; /* lseek leaves it at place 0; else -K_ESPIPE */
    /* An object to be mapped, for both sorts of mappings, with a reference. NULL: -K_ENODEV. */
    int (*map)(uint64_t pages, struct object **o);
    /* Of one that is more than what stands above: makes f, which is new, what it is, and takes over
     * the reference to n. -K_ENXIO, -K_EIO, -K_ENOMEM, -K_ENOSPC: that is still the caller's. NULL:
     * f is what stands above. */
    int (*open)(struct file *f, struct node *n);
};

/* At boot, once per major. */
void chardev_register(unsigned major, const struct chardev_ops *ops);
/* NULL when no driver has this major number; any number may be asked for. */
const struct chardev_ops *chardev_find(int major);
