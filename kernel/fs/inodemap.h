/* Files of xv6's disk, mapped and run: what filemap.h needs of an inode. */
#pragma once
#include "fs/inode.h"

/* See filemap.h. Not locked; it may be no file, which is -K_ENODEV. -K_EIO. When the object goes
 * the inode may become an orphan: inode_reap. */
int inodemap_create(struct inode *ip, uint64_t pages, struct object **out) must_check;
/* Locked; a file. */
int inodemap_create_program(struct inode *ip, uint64_t pages, struct object **out) must_check;

/* Not locked. */
int inodemap_begin_writes(struct inode *ip) must_check;
void inodemap_end_writes(struct inode *ip);
uint32_t inodemap_writers(void); /* how many there are, of all files */

/* For the log: see log.h, forbid_writes. */
void inodemap_forbid_writes(uint32_t inum, uint32_t index);
