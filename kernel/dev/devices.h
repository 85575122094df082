/* Devices by the numbers that Linux gives them, as archives and mknod of its programs
 * name them: null, zero, full, random, urandom, tty, console, the serial line, ptmx, and the disks.
 * File systems in memory know devices so; xv6's disk has numbers of its own (chardev.h). */
#pragma once
#include "dev/chardev.h"

/* Of disks: each has so many minor numbers, of which the first is all of it. */
#define MAJOR_DISK 254
#define DISK_MINORS 16

struct device {
    const char *name; /* in /dev */
    int16_t major, minor;
    uint16_t mode;
    bool block; /* of blocks, not of characters */
    /* What it does; NULL: as the console, or, of blocks, that it is not there. Constant after boot.
     */
    const struct chardev_ops *ops;
};

/* All of them, and how many there are. */
extern struct device devices[];
extern const unsigned device_count;

/* At boot: what the one with this name does. */
void device_set(const char *name, const struct chardev_ops *ops);

/* The driver of a number. A number of major MAJOR_CONSOLE that Linux gives to no device here is
 * xv6's console. NULL: there is none; any numbers may be asked for. */
const struct chardev_ops *device_find(int major, int minor);
/* The same of one of blocks. */
const struct chardev_ops *device_find_block(int major, int minor);
