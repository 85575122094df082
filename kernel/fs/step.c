/* A step of a path: by the name cache, or else by the directory. */
#include "fs/step.h"
#include "fs/namecache.h"
#include "lib/errno.h"

/* dp is locked. */
static int find_in(struct inode *dp, const struct dir_name *name, struct inode **out) {
    uint32_t inum;
    if (dp->d.type != ABI_T_DIR)
        return -K_ENOTDIR;
    if (dir_name_is_dot(name)) {
        *out = inode_dup(dp);
        return 0;
    }
    if (dp->d.nlink == 0)
        return -K_ENOENT;
    int err = dir_lookup(dp, name, &inum);
    return err ? err : inode_get(inum, out);
}

int inode_step(struct inode *dp, const struct dir_name *name, struct inode **out) {
    int err = 0;
    const struct known_name *known = namecache_look(&dp->names, name->word);
    if (known)
        err = known->inum == 0 ? -K_ENOENT : inode_get(known->inum, out);
    namecache_looked();
    if (known)
        return err;
    err = inode_lock(dp);
    if (err)
        return err;
    err = find_in(dp, name, out);
    inode_unlock(dp);
    return err;
}
