/* How the rest of the kernel sees an inode of this file system: as a node (vfs/node.h). Names are
 * cut to 14 bytes. */
#pragma once
#include "fs/inode.h"

extern const struct node_ops fsnode_ops;

static inline struct inode *fsnode_inode(struct node *n) {
    return CONTAINER_OF(n, struct inode, node);
}

/* Makes f the file or directory that ip is; takes over the reference. A file that may be written
 * counts as written until it is closed (filemap.h). */
struct file;
void inodefile_init(struct file *f, struct inode *ip);
