/* The name cache: what a name in a directory is, or that there is no such name, without a
 * look into the directory's blocks. It is the format's that is mounted.
 *
 * An entry says of a directory and a name either which inode it is and where in the directory
 * it stands, or that the directory does not have it. The table has a fixed size, from boot, in sets
 * of eight: a name has its place in one set, and there the entry that was used least lately makes
 * room. Errors are not kept: after one the next look is at the disk.
 *
 * What an entry says is so. Entries are made and changed with the directory locked (fs/dir.c,
 * ext2/dir.c): by a search, and by each change of the directory after it was made. A step of a path
 * looks without that lock: it is right for the moment of its look, in which it also takes its
 * reference; so a name that is taken away meanwhile leaves it an inode that still had a link.
 * A change that is to be seen in two names at once (rename) first forgets one of them: who
 * looks for that one then misses, and waits for the directory's lock.
 *
 * A directory's entries are bound to the number in its inode, `names`, that no other directory has
 * had. It goes, and with it all of them, when the directory loses its last name or the structure
 * becomes another inode's. So an inode's number that is used again brings nothing back. No
 * entry is made for a directory without links: that is for the callers to see to.
 *
 * An image may have a name twice in one directory. Then the second shows again some time
 * after the first was removed.
 *
 * Lock: a spinlock, inside the directory's, outside the inode table's; it also guards `names`. */
#pragma once
#include "lib/types.h"

/* What is known of a name. */
struct known_name {
    uint32_t inum;  /* 0: the directory does not have it */
    uint32_t where; /* in the directory it stands; the format's to choose */
};

/* Boot: room for about n names of two words, 32 bytes each. -K_ENOMEM. */
int namecache_boot_init(uint32_t n) must_check;
/* Mount: empties it. A name is so many words from now on; each takes 16 bytes and its words. */
void namecache_mount(unsigned words);

/* What is known of the name; NULL: nothing. The cache's lock is held from then on, until
 * namecache_looked. The directory need not be locked, nor be one; if it is locked, what is known is
 * so until it is unlocked. */
const struct known_name *namecache_look(const uint64_t *names, const uint64_t *name);
void namecache_looked(void);

/* The same in a copy, with no lock held afterwards. False: nothing is known, and *out is as it was.
 */
static inline bool namecache_get(const uint64_t *names, const uint64_t *name,
                                 struct known_name *out) {
    const struct known_name *known = namecache_look(names, name);
    if (known)
        *out = *known;
    namecache_looked();
    return known;
}

/* The directory, locked, now has the name so. */
void namecache_put(uint64_t *names, const uint64_t *name, struct known_name known);

/* What the directory, locked, has under the name is about to change: not known. */
void namecache_forget(const uint64_t *names, const uint64_t *name);
/* The same for all its names. */
void namecache_forget_all(uint64_t *names);
