/* The name cache: what a name in a directory is, or that there is no such name, without a
 * look into the directory's blocks.
 *
 * An entry says of a directory and a name either which inode it is and where in the directory
 * it stands, or that the directory does not have it. The table has a fixed number of entries,
 * from boot, in sets of eight: a name has its place in one set, and there the entry that was
 * used least lately makes room. Errors are not kept: after one the next look is at the disk.
 *
 * What an entry says is so. Entries are made and changed with the directory locked (dir.c):
 * by a search, and by each change of the directory after it was made. namecache_step looks
 * without that lock: it is right for the moment of its look, in which it also takes its
 * reference; so a name that is taken away meanwhile leaves it an inode that still had a link.
 * A change that is to be seen in two names at once (rename) first forgets one of them: who
 * looks for that one then misses, and waits for the directory's lock.
 *
 * A directory's entries are bound to inode->names, a number that no other directory has had.
 * It goes, and with it all of them, when the directory loses its last name or the structure
 * becomes another inode's. So an inode's number that is used again brings nothing back. No
 * entry is made for a directory without links.
 *
 * An image may have a name twice in one directory. Then the second shows again some time
 * after the first was removed.
 *
 * Lock: a spinlock, inside the directory's, outside the inode table's. */
#pragma once
#include "fs/dir.h"

/* Boot: room for about n names, 32 bytes each. -K_ENOMEM. */
int namecache_boot_init(uint32_t n) must_check;

/* Whether it is known what dp has under the name. *err is 0 and *out a reference to it, or
 * -K_ENOENT, or what inode_get says. dp need not be locked, nor a directory. */
bool namecache_step(struct inode *dp, const struct dir_name *name, struct inode **out, int *err);

/* Whether it is known; *inum is 0 if dp does not have the name, else *index says which of
 * its entries it is. dp is locked: it is so until it is unlocked. */
bool namecache_get(struct inode *dp, const struct dir_name *name, uint32_t *inum, uint32_t *index);

/* dp, locked, now has the name so; inum 0: it does not have it. */
void namecache_put(struct inode *dp, const struct dir_name *name, uint32_t inum, uint32_t index);

/* What dp, locked, has under the name is about to change: not known. */
void namecache_forget(struct inode *dp, const struct dir_name *name);
/* The same for all names of dp. */
void namecache_forget_all(struct inode *dp);
