/* A file as a memory object: its pages are the page cache's own frames, so what is mapped is
 * what read and write see, at once. Before a page is cut off it is taken away from all who have
 * mapped it.
 *
 * What is stored through a shared mapping belongs to the transaction that ran when the page was
 * made writable. When that is closed the page is writable no more, and the next store faults and
 * joins the transaction that runs then. So stores are as durable as writes, and fsync, sync and
 * the flusher need not look for them. */
#pragma once
#include "fs/inode.h"
#include "mm/object.h"

/* The object for the contents of an inode, one for all mappings of it, with one reference more; it
 * has one of its own to the inode. When it goes the inode may become an orphan: inode_reap.
 * -K_ENODEV: not a file; -K_ENOMEM: none, or as many files are mapped as half of the page cache has
 * room for. */
int filemap_create(struct inode *ip, struct object **out) must_check;

/* For the log: that page of the inode with this number may be written through no mapping any
 * more, until it is asked for anew. No spinlock is held. */
void filemap_forbid_writes(uint32_t inum, uint32_t index);

/* The file ends at ip->d.size now: nobody shows a page behind that. Locked. */
void filemap_cut(struct inode *ip);

/* What was stored in the file through mappings has changed its version (inode_version), and what
 * is stored later will. Locked. */
void filemap_settle(struct inode *ip);
