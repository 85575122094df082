/* Files of ext2 as memory objects (object.h), with the page cache's own frames. As fs/filemap.h
 * says of xv6's: a file is either run or written, and stores through mappings belong to the
 * transaction that ran when the page was made writable. */
#pragma once
#include "ext2/inode.h"
#include "mm/object.h"

/* The object for the contents, with one reference more; it has one of its own to the inode. pages:
 * the mapping that is to be made shows none behind so many; those that the file comes to have later
 * are promised when they are asked for. -K_ENOMEM: it cannot be promised, or more would be mapped
 * than half of the page cache. After an error there is no reference more. */
int ext2_map_create(struct ext2_inode *ip, uint64_t pages, struct object **out) must_check;
/* The same, to be run: as long as there is a reference nobody can write the file. The inode is
 * locked. -K_ETXTBSY. */
int ext2_map_create_program(struct ext2_inode *ip, uint64_t pages, struct object **out) must_check;

/* Somebody is going to write the file or change its size, until ext2_map_end_writes. With a
 * reference. -K_ETXTBSY: it is run. */
int ext2_map_begin_writes(struct ext2_inode *ip) must_check;
uint32_t ext2_map_writers(void); /* how many there are, of all files */
void ext2_map_end_writes(struct ext2_inode *ip);

/* See log.h, forbid_writes. */
void ext2_map_forbid_writes(uint32_t inum, uint32_t index);

/* The file ends at its size now: nobody shows a page behind that. Locked. */
void ext2_map_cut_off(struct ext2_inode *ip);
