/* A file as a memory object: its pages are the page cache's own frames, so what is mapped is
 * what read and write see, at once. Before a page is cut off it is taken away from all who have
 * mapped it. A program that is run is mapped, too, by an object of its own with the same pages: a
 * file is either run or written, and which of the two came first decides.
 *
 * What is stored through a shared mapping belongs to the transaction that ran when the page was
 * made writable. When that is closed the page is writable no more, and the next store faults and
 * joins the transaction that runs then. So stores are as durable as writes, and fsync, sync and
 * the flusher need not look for them. Where the log has not room for the two pages that one store
 * may need, the objects refuse stores. */
#pragma once
#include "fs/inode.h"
#include "mm/object.h"

/* The object for the contents of an inode, one for all mappings of it, with one reference more; it
 * has one of its own to the inode. pages: the mapping that is to be made shows none behind so many.
 * When the object goes the inode may become an orphan: inode_reap; until then the most that was
 * mapped of it at a time counts as mapped. -K_ENODEV: not a file; -K_ENOMEM: it cannot be
 * promised, or more would be mapped than half of the page cache. After an error there is no
 * reference more. */
int filemap_create(struct inode *ip, uint64_t pages, struct object **out) must_check;

/* The same, to be run as a program: as long as there is a reference nobody can write the file. The
 * inode is locked. -K_ETXTBSY: it is open for writing, or mapped so that it may be written; or as
 * above, but of the page cache three quarters may be mapped, and seven eighths for whoever is in
 * the reserve (group.h). */
int filemap_create_program(struct inode *ip, uint64_t pages, struct object **out) must_check;

/* Somebody is going to write the file or change its size, until filemap_end_writes: nobody can run
 * it meanwhile. With a reference to the inode. -K_ETXTBSY: it is run. */
int filemap_begin_writes(struct inode *ip) must_check;
uint32_t filemap_writers(void); /* how many there are, of all files */
void filemap_end_writes(struct inode *ip);

/* For the log: that page of the inode with this number may be written through no mapping any more,
 * until it is asked for again. No spinlock is held. */
void filemap_forbid_writes(uint32_t inum, uint32_t index);

/* The file ends at ip->d.size now: nobody shows a page behind that. Locked. */
void filemap_cut(struct inode *ip);
