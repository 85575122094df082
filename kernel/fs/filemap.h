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

/* Whether files can be written through mappings: the log has room for two pages at a time, which
 * one store may need. Constant after the mount. */
bool filemap_takes_writes(void);

/* The object for the contents of an inode, one for all mappings of it, with one reference more; it
 * has one of its own to the inode. pages: the mapping that is to be made shows none behind so many.
 * When the object goes the inode may become an orphan: inode_reap; until then the most that was
 * mapped of it at a time counts as mapped. -K_ENODEV: not a file;
 * -K_ENOMEM: none, or more would be mapped than half of the page cache. After an error there is no
 * reference more. */
int filemap_create(struct inode *ip, uint64_t pages, struct object **out) must_check;

/* For the log: that page of the inode with this number may be written through no mapping any more,
 * until it is asked for anew. No spinlock is held. */
void filemap_forbid_writes(uint32_t inum, uint32_t index);

/* inode_version of a file, whose contents stores through mappings change, too: what was stored has
 * changed it, and what is stored later will, since it faults first. Locked, no spinlock held. */
uint64_t filemap_version(const struct inode *ip);

/* The file ends at ip->d.size now: nobody shows a page behind that. Locked. */
void filemap_cut(struct inode *ip);
