/* Disks as open files: their bytes, from the first to the last, to be read. */
#pragma once
#include "lib/types.h"

struct file;

/* At boot: what the devices of disks do. */
void blockfile_boot_init(void);

/* The number of the disk (dev/blk.h) that f is; 0: it is none. */
unsigned blockfile_disk(const struct file *f);

/* The number of the disk whose device a node is. -K_ENOTBLK: it is no block device; -K_ENXIO: there
 * is no such disk; -K_EIO. */
struct node;
int blockfile_disk_of(struct node *n, unsigned *disk) must_check;
