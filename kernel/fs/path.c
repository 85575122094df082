/* Paths: walking them. */
#include "fs/path.h"
#include "fs/descriptor.h"
#include "fs/namecache.h"
#include "lib/errno.h"

/* Takes the next name of the path; false when there is none. */
static bool next_name(const char **path, struct dir_name *name) {
    const char *p = *path;
    while (*p == '/')
        p++;
    const char *start = p;
    while (*p != '/' && *p != '\0')
        p++;
    *name = dir_name(start, (size_t)(p - start));
    *path = p;
    return p != start;
}

static bool only_slashes(const char *path) {
    while (*path == '/')
        path++;
    return *path == '\0';
}

static int start_of(const char *path, struct inode **out) {
    *out = *path == '/' ? NULL : cwd_get();
    return *out ? 0 : inode_get(FS_ROOT_INODE, out);
}

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

int path_step(struct inode *dp, const struct dir_name *name, struct inode **out) {
    int err;
    if (namecache_step(dp, name, out, &err))
        return err;
    err = inode_lock(dp);
    if (err)
        return err;
    err = find_in(dp, name, out);
    inode_unlock(dp);
    return err;
}

/* Walks all names, or all but the last, which then is in *name. */
static int walk(const char *path, bool to_parent, struct inode **out, struct dir_name *name) {
    struct inode *ip;
    int err = start_of(path, &ip);
    if (err)
        return err;
    while (next_name(&path, name)) {
        struct inode *next;
        if (to_parent && only_slashes(path)) {
            *out = ip;
            return 0;
        }
        err = path_step(ip, name, &next);
        inode_put(ip);
        if (err)
            return err;
        ip = next;
    }
    if (to_parent) {
        inode_put(ip);
        return -K_ENOENT;
    }
    *out = ip;
    return 0;
}

int path_lookup(const char *path, struct inode **out) {
    struct dir_name last;
    int err = walk(path, false, out, &last);
    inode_reap();
    return err;
}

int path_parent(const char *path, struct inode **out, struct dir_name *name) {
    int err = walk(path, true, out, name);
    inode_reap();
    return err;
}
