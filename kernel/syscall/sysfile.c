/* System calls on files: arguments in, results out. A C int argument is the low 32
 * bits of its register. */
#include "syscall/syscall.h"
#include "vfs/descriptor.h"
#include "fs/fs.h"
#include "vfs/names.h"
#include "vfs/open.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "proc/signal.h"

static int path_arg(char path[ABI_MAXPATH], uint64_t address) {
    return copyinstr(path, UA(address), ABI_MAXPATH);
}

/* ---- open files ---- */

static inline int read_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    int32_t n = (int32_t)arg[2];
    return n < 0 ? -K_EINVAL : file_read(f, UA(arg[1]), (size_t)n, result);
}

static inline int write_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    int32_t n = (int32_t)arg[2];
    return n < 0 ? -K_EINVAL : file_write(f, UA(arg[1]), (size_t)n, result);
}

static int stat_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct abi_stat st;
    memset(&st, 0, sizeof(st)); /* its padding goes to the user too */
    int err = file_stat(f, &st);
    return err ? err : copyout(UA(arg[1]), &st, sizeof(st));
}

static int seek_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return file_seek(f, (int64_t)arg[1], (int32_t)arg[2], result);
}

static int truncate_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return file_set_size(f, arg[1]);
}

static int sync_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return file_sync(f);
}

int sys_read(const uint64_t arg[6], uint64_t *result) { return fd_call(read_file, arg, result); }

int sys_write(const uint64_t arg[6], uint64_t *result) {
    return syscall_tell_pipe(fd_call(write_file, arg, result));
}

int sys_fstat(const uint64_t arg[6], uint64_t *result) { return fd_call(stat_file, arg, result); }

int sys_lseek(const uint64_t arg[6], uint64_t *result) { return fd_call(seek_file, arg, result); }

int sys_ftruncate(const uint64_t arg[6], uint64_t *result) {
    return fd_call(truncate_file, arg, result);
}

int sys_fsync(const uint64_t arg[6], uint64_t *result) { return fd_call(sync_file, arg, result); }

/* The log keeps the order of all changes, so there is no part of them that could be left out. */
int sys_fdatasync(const uint64_t arg[6], uint64_t *result) { return sys_fsync(arg, result); }

int sys_sync(const uint64_t arg[6], uint64_t *result) { return fs_sync(); }

int sys_close(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int err = fd_take(fd_arg(arg[0]), &f);
    if (err)
        return err;
    err = file_lost(f) ? -K_EIO : 0; /* the descriptor is free also then */
    fd_closed(f);
    file_put(f);
    return err;
}

/* ---- paths ---- */

int sys_open(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct file *f;
    int fd, err = path_arg(path, arg[0]);
    if (!err)
        err = fd_reserve(0, &fd);
    if (err)
        return err;
    /* Which is said of the descriptor, not of the file. */
    err = file_open(path, (uint32_t)arg[1] & ~(uint32_t)ABI_O_CLOEXEC, &f);
    if (err) {
        fd_unreserve(fd);
        return err;
    }
    fd_open(fd, f, (arg[1] & ABI_O_CLOEXEC) != 0);
    *result = (uint64_t)fd;
    return 0;
}

int sys_mknod(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct node_kind device = {
        .type = NODE_DEVICE, .mode = 0777, .major = (int16_t)arg[1], .minor = (int16_t)arg[2]};
    int err = path_arg(path, arg[0]);
    return err ? err : names_make(NULL, path, &device);
}

int sys_mkdir(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    int err = path_arg(path, arg[0]);
    return err ? err : names_make(NULL, path, &(struct node_kind){.type = NODE_DIR, .mode = 0777});
}

int sys_unlink(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    int err = path_arg(path, arg[0]);
    return err ? err : names_unlink(NULL, path);
}

int sys_link(const uint64_t arg[6], uint64_t *result) {
    char old[ABI_MAXPATH], new[ABI_MAXPATH];
    int err = path_arg(old, arg[0]);
    if (!err)
        err = path_arg(new, arg[1]);
    return err ? err : names_link(NULL, old, NULL, new);
}

int sys_rename(const uint64_t arg[6], uint64_t *result) {
    char from[ABI_MAXPATH], to[ABI_MAXPATH];
    int err = path_arg(from, arg[0]);
    if (!err)
        err = path_arg(to, arg[1]);
    return err ? err : names_rename(NULL, from, NULL, to, false);
}

int sys_chdir(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct node *n;
    int err = path_arg(path, arg[0]);
    if (!err)
        err = path_lookup(path, &n);
    return err ? err : cwd_enter(n);
}
