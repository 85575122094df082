/* A file as a memory object: its pages are the page cache's own frames, so what is mapped is
 * what read and write see, at once. A page that is cut off stays as it was with whoever has mapped
 * it. */
#pragma once
#include "fs/inode.h"
#include "mm/object.h"

/* The object for the contents of an inode, one for all mappings of it, with one reference more; it
 * has one of its own to the inode. When it goes the inode may become an orphan: inode_reap.
 * -K_ENODEV: not a file; -K_ENOMEM: none, or as many files are mapped as half of the page cache has
 * room for. */
int filemap_create(struct inode *ip, struct object **out) must_check;
