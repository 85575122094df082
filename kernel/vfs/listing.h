/* The names in a directory, one after the other, of whichever file system. */
#pragma once
#include "vfs/file.h"
#include "vfs/node.h"

struct listed {
    const char *name; /* not terminated */
    size_t length;
    uint32_t ino;
    enum node_type type; /* 0: it would have to be looked up */
};

/* file_ops.list gives emit each name from where the file has come to, and passes those for which it
 * returns true; the first other one, or the end, ends it. emit may not sleep: a spinlock is held,
 * which is given back now and then. A name that comes or goes meanwhile may be given or not; each
 * other one is given once. */

/* file_ops.read of directories that have no bytes of their own: entries as xv6's disks have them,
 * whole ones. Long names are cut. After an error, names that were to go where it was met are
 * passed. */
int listing_read(struct file *f, uaddr_t dst, size_t n, size_t *done) must_check;
