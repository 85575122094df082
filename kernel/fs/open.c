/* Opening: which kind of open file a path needs. */
#include "fs/open.h"
#include "dev/chardev.h"
#include "fs/data.h"
#include "fs/filemap.h"
#include "fs/names.h"
#include "lib/errno.h"

static int find(const char *path, uint32_t mode, struct inode **out) {
    if (mode & ABI_O_CREATE)
        return names_create(path, ABI_T_FILE, 0, 0, out);
    return path_lookup(path, out);
}

/* Whether what is there can be opened so; *type is what it is. */
static int check(struct inode *ip, uint32_t mode, int16_t *type) {
    int err = inode_lock(ip);
    if (err)
        return err;
    *type = ip->d.type;
    if (*type == ABI_T_DIR && mode != ABI_O_RDONLY)
        err = -K_EISDIR;
    if (*type == ABI_T_DEVICE && (ip->d.major < 0 || ip->d.major >= NMAJOR))
        err = -K_ENODEV;
    inode_unlock(ip);
    return err;
}

static bool is_for_writing(uint32_t mode) { return mode & (ABI_O_WRONLY | ABI_O_RDWR); }

/* What has to be done to a file before it is open. Then it stays counted as written if it may be.
 */
static int begin_writes(struct inode *ip, uint32_t mode) {
    if (!is_for_writing(mode) && !(mode & ABI_O_TRUNC))
        return 0;
    int err = filemap_begin_writes(ip);
    if (err)
        return err;
    if (mode & ABI_O_TRUNC)
        err = data_set_size(ip, 0);
    if (err || !is_for_writing(mode))
        filemap_end_writes(ip);
    return err;
}

int file_open(const char *path, uint32_t mode, struct file **out) {
    struct inode *ip;
    struct file *f;
    int16_t type;
    int err = file_alloc(&f);
    if (err)
        return err;
    err = find(path, mode, &ip);
    if (err) {
        file_put(f);
        return err;
    }
    err = check(ip, mode, &type);
    if (!err && type == ABI_T_FILE)
        err = begin_writes(ip, mode);
    if (err) {
        inode_put(ip);
        inode_reap();
        file_put(f);
        return err;
    }
    f->readable = (mode & ABI_O_WRONLY) == 0;
    f->writable = is_for_writing(mode);
    f->append = (mode & ABI_O_APPEND) != 0;
    f->sync = (mode & ABI_O_SYNC) != 0;
    if (type == ABI_T_DEVICE)
        devfile_init(f, ip);
    else
        inodefile_init(f, ip);
    *out = f;
    return 0;
}
