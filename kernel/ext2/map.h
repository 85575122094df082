/* Files of ext2, mapped and run: what fs/filemap.h needs of an inode. */
#pragma once
#include "ext2/inode.h"

/* See fs/filemap.h. Not locked; it may be no file, which is -K_ENODEV. -K_EIO. */
int ext2_map_create(struct ext2_inode *ip, uint64_t pages, struct object **out) must_check;
/* Locked; a file. */
int ext2_map_create_program(struct ext2_inode *ip, uint64_t pages, struct object **out) must_check;

/* Not locked. */
int ext2_map_begin_writes(struct ext2_inode *ip) must_check;
void ext2_map_end_writes(struct ext2_inode *ip);
uint32_t ext2_map_writers(void); /* how many there are, of all files */

/* See log.h, forbid_writes. */
void ext2_map_forbid_writes(uint32_t inum, uint32_t index);

/* The file ends at its size now: nobody shows a page behind that. Locked. */
void ext2_map_cut_off(struct ext2_inode *ip);
