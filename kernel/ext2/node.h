/* How the rest of the kernel sees an inode of ext2: as a node (vfs/node.h), and as an open file. */
#pragma once
#include "ext2/inode.h"

/* Makes f the file or directory that ip is; takes over the reference. A file that may be written
 * counts as written until it is closed (map.h). */
struct file;
void ext2_file_init(struct file *f, struct ext2_inode *ip);
