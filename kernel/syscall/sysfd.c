/* System calls on descriptors themselves: more of them for one file, pairs for a pipe, and what is
 * said of each. A C int argument is the low 32 bits of its register. */
#include "vfs/descriptor.h"
#include "vfs/pipe.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "syscall/syscall.h"

/* Gives an open file the lowest free number that is not below `from`. */
static int dup_from(struct file *f, int from, bool on_exec, uint64_t *result) {
    int fd, err = fd_reserve(from, &fd);
    if (err)
        return err;
    fd_open(fd, file_get(f), on_exec);
    *result = (uint64_t)fd;
    return 0;
}

static int dup_lowest(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return dup_from(f, 0, false, result);
}

int sys_dup(const uint64_t arg[6], uint64_t *result) { return fd_call(dup_lowest, arg, result); }

static int dup_to(struct file *f, const uint64_t arg[6], uint64_t *result) {
    struct file *before;
    int32_t fd = (int32_t)arg[1];
    int err = fd_replace(fd, file_get(f), (arg[2] & ABI_O_CLOEXEC) != 0, &before);
    if (err) {
        file_put(f);
        return err;
    }
    if (before) {
        fd_closed(before);
        file_put(before);
    }
    *result = (uint64_t)fd;
    return 0;
}

int sys_dup3(const uint64_t arg[6], uint64_t *result) {
    if (((uint32_t)arg[2] & ~(uint32_t)ABI_O_CLOEXEC) || (int32_t)arg[0] == (int32_t)arg[1])
        return -K_EINVAL;
    return fd_call(dup_to, arg, result);
}

/* ---- pipes ---- */

static int reserve_pair(int fd[2]) {
    int err = fd_reserve(0, &fd[0]);
    if (err)
        return err;
    err = fd_reserve(fd[0] + 1, &fd[1]);
    if (err)
        fd_unreserve(fd[0]);
    return err;
}

/* Two reserved descriptors, which are told before they are open: then nothing can fail. */
static int open_pair(uaddr_t told, const int fd[2], uint32_t flags) {
    struct file *reader, *writer;
    int err = pipe_create(&reader, &writer);
    if (err)
        return err;
    err = copyout(told, fd, 2 * sizeof(fd[0]));
    if (err) {
        file_put(reader);
        file_put(writer);
        return err;
    }
    file_set_flags(reader, flags & ABI_O_NONBLOCK);
    file_set_flags(writer, flags & ABI_O_NONBLOCK);
    fd_open(fd[0], reader, (flags & ABI_O_CLOEXEC) != 0);
    fd_open(fd[1], writer, (flags & ABI_O_CLOEXEC) != 0);
    return 0;
}

static int make_pipe(uaddr_t told, uint32_t flags) {
    int fd[2];
    if (flags & ~(uint32_t)(ABI_O_CLOEXEC | ABI_O_NONBLOCK))
        return -K_EINVAL;
    int err = reserve_pair(fd);
    if (err)
        return err;
    err = open_pair(told, fd, flags);
    if (err) {
        fd_unreserve(fd[0]);
        fd_unreserve(fd[1]);
    }
    return err;
}

int sys_pipe(const uint64_t arg[6], uint64_t *result) { return make_pipe(UA(arg[0]), 0); }

int sys_pipe2(const uint64_t arg[6], uint64_t *result) {
    return make_pipe(UA(arg[0]), (uint32_t)arg[1]);
}

/* ---- fcntl ---- */

static int get_on_exec(uint64_t fd, uint64_t *result) {
    bool on_exec;
    int err = fd_on_exec(fd, &on_exec);
    *result = on_exec ? ABI_FD_CLOEXEC : 0;
    return err;
}

static int dup_above(struct file *f, int32_t from, bool on_exec, uint64_t *result) {
    return from < 0 || (uint32_t)from >= fd_limit() ? -K_EINVAL
                                                    : dup_from(f, from, on_exec, result);
}

/* The commands on the open file. */
static int file_command(struct file *f, const uint64_t arg[6], uint64_t *result) {
    switch ((int32_t)arg[1]) {
    case ABI_F_DUPFD: return dup_above(f, (int32_t)arg[2], false, result);
    case ABI_F_DUPFD_CLOEXEC: return dup_above(f, (int32_t)arg[2], true, result);
    case ABI_F_GETFL: *result = file_flags(f); return 0;
    case ABI_F_SETFL: file_set_flags(f, (uint32_t)arg[2]); return 0;
    default: return -K_EINVAL;
    }
}

int sys_fcntl(const uint64_t arg[6], uint64_t *result) {
    uint64_t fd = fd_arg(arg[0]);
    switch ((int32_t)arg[1]) {
    case ABI_F_GETFD: return get_on_exec(fd, result);
    case ABI_F_SETFD: return fd_set_on_exec(fd, (arg[2] & ABI_FD_CLOEXEC) != 0);
    default: return fd_call(file_command, arg, result);
    }
}
