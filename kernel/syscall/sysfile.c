/* System calls on files: arguments in, results out. A C int argument is the low 32
 * bits of its register. */
#include "syscall/syscall.h"
#include "fs/fs.h"
#include "fs/names.h"
#include "fs/open.h"
#include "fs/pipe.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "proc/proc.h"

static int path_arg(char path[ABI_MAXPATH], uint64_t address) {
    return copyinstr(path, UA(address), ABI_MAXPATH);
}

static uint64_t int_arg(uint64_t arg) { return (uint64_t)(int64_t)(int32_t)arg; }

/* ---- descriptors ---- */

int sys_read(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int32_t n = (int32_t)arg[2];
    int err = fd_file(int_arg(arg[0]), &f);
    if (!err && n < 0)
        err = -K_EINVAL;
    return err ? err : file_read(f, UA(arg[1]), (size_t)n, result);
}

int sys_write(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int32_t n = (int32_t)arg[2];
    int err = fd_file(int_arg(arg[0]), &f);
    if (!err && n < 0)
        err = -K_EINVAL;
    return err ? err : file_write(f, UA(arg[1]), (size_t)n, result);
}

int sys_fstat(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    struct abi_stat st;
    memset(&st, 0, sizeof(st)); /* its padding goes to the user too */
    int err = fd_file(int_arg(arg[0]), &f);
    if (!err)
        err = file_stat(f, &st);
    return err ? err : copyout(UA(arg[1]), &st, sizeof(st));
}

int sys_dup(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int fd, err = fd_file(int_arg(arg[0]), &f);
    if (!err)
        err = fd_find_free(&fd);
    if (err)
        return err;
    fd_set(fd, file_get(f));
    *result = (uint64_t)fd;
    return 0;
}

int sys_close(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int err = fd_file(int_arg(arg[0]), &f);
    if (err)
        return err;
    err = file_lost(f) ? -K_EIO : 0;
    file_put(fd_take((int)arg[0])); /* also then: the descriptor is free */
    return err;
}

int sys_lseek(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int err = fd_file(int_arg(arg[0]), &f);
    return err ? err : file_seek(f, (int64_t)arg[1], (int32_t)arg[2], result);
}

int sys_ftruncate(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int err = fd_file(int_arg(arg[0]), &f);
    return err ? err : file_set_size(f, arg[1]);
}

int sys_fsync(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    int err = fd_file(int_arg(arg[0]), &f);
    return err ? err : file_sync(f);
}

/* The log keeps the order of all changes, so there is no part of them that could be left out. */
int sys_fdatasync(const uint64_t arg[6], uint64_t *result) { return sys_fsync(arg, result); }

int sys_sync(const uint64_t arg[6], uint64_t *result) { return fs_sync(); }

/* Gives the files the two lowest free descriptors; both or none. */
static int install_pair(struct file *f0, struct file *f1, int fd[2]) {
    int err = fd_find_free(&fd[0]);
    if (err)
        return err;
    fd_set(fd[0], f0);
    err = fd_find_free(&fd[1]);
    if (err)
        fd_take(fd[0]);
    else
        fd_set(fd[1], f1);
    return err;
}

int sys_pipe(const uint64_t arg[6], uint64_t *result) {
    struct file *reader, *writer;
    int fd[2], err = pipe_create(&reader, &writer);
    if (err)
        return err;
    err = install_pair(reader, writer, fd);
    if (!err) {
        err = copyout(UA(arg[0]), fd, sizeof(fd));
        if (!err)
            return 0;
        fd_take(fd[0]);
        fd_take(fd[1]);
    }
    file_put(reader);
    file_put(writer);
    return err;
}

/* ---- paths ---- */

int sys_open(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct file *f;
    int fd, err = path_arg(path, arg[0]);
    if (!err)
        err = fd_find_free(&fd);
    if (!err)
        err = file_open(path, (uint32_t)arg[1], &f);
    if (err)
        return err;
    fd_set(fd, f);
    *result = (uint64_t)fd;
    return 0;
}

int sys_mknod(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct inode *ip;
    int err = path_arg(path, arg[0]);
    if (!err)
        err = names_create(path, ABI_T_DEVICE, (int16_t)arg[1], (int16_t)arg[2], &ip);
    if (!err)
        inode_put(ip);
    return err;
}

int sys_mkdir(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    int err = path_arg(path, arg[0]);
    return err ? err : names_mkdir(path);
}

int sys_unlink(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    int err = path_arg(path, arg[0]);
    return err ? err : names_unlink(path);
}

int sys_link(const uint64_t arg[6], uint64_t *result) {
    char old[ABI_MAXPATH], new[ABI_MAXPATH];
    int err = path_arg(old, arg[0]);
    if (!err)
        err = path_arg(new, arg[1]);
    return err ? err : names_link(old, new);
}

int sys_rename(const uint64_t arg[6], uint64_t *result) {
    char from[ABI_MAXPATH], to[ABI_MAXPATH];
    int err = path_arg(from, arg[0]);
    if (!err)
        err = path_arg(to, arg[1]);
    return err ? err : names_rename(from, to);
}

int sys_chdir(const uint64_t arg[6], uint64_t *result) {
    char path[ABI_MAXPATH];
    struct proc *p = proc_self();
    struct inode *ip;
    int err = path_arg(path, arg[0]);
    if (!err)
        err = path_lookup(path, &ip);
    if (err)
        return err;
    err = inode_lock(ip);
    if (!err) {
        err = ip->d.type == ABI_T_DIR ? 0 : -K_ENOTDIR;
        inode_unlock(ip);
    }
    struct inode *unused = err ? ip : p->cwd;
    if (!err)
        p->cwd = ip;
    if (unused)
        inode_put(unused);
    inode_reap();
    return err;
}
