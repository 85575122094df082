/* Open files that are processes: to be waited for, sent signals, and asked for what they have open.
 */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/signal.h"
#include "procfs/procfs.h"
#include "vfs/descriptor.h"
#include "vfs/pidfile.h"

static int make(void *ctx, struct file **out) {
    const int32_t *pid = ctx;
    int err = pidfile_create(out);
    if (err)
        return err;
    err = pidfile_set(*out, *pid);
    if (err)
        file_put(*out);
    return err;
}

/* Flags of the file: O_NONBLOCK. exec closes it in any case. */
int linux_pidfd_open(const uint64_t arg[6], uint64_t *result) {
    int32_t pid = (int32_t)arg[0];
    if (pid <= 0 || ((uint32_t)arg[1] & ~LINUX_O_NONBLOCK))
        return -K_EINVAL;
    return linux_open_made(make, &pid, (uint32_t)arg[1] | LINUX_O_CLOEXEC, result);
}

/* Or the folder of a process in /proc, by which programs knew processes before there were pidfds.
 */
static int whose(struct file *f, uint64_t *pid) {
    int err = pidfile_number(f, pid);
    struct node *n = err == -K_EBADF && f->ops->node ? f->ops->node(f) : NULL;
    if (!n)
        return err;
    *pid = (uint64_t)procfs_process(n);
    return *pid ? 0 : -K_EBADF;
}

static int send(struct file *f, const uint64_t arg[6], uint64_t *result) {
    uint64_t pid;
    int32_t signal = (int32_t)arg[1], said = signal;
    int err = whose(f, &pid);
    if (!err && arg[2])
        err = copyin(&said, UA(arg[2]), sizeof(said)); /* siginfo begins with its number */
    if (!err && said != signal)
        err = -K_EINVAL;
    if (err)
        return err;
    return arg[2] ? linux_send_info((int32_t)pid, 0, signal, arg[2])
                  : signal_send((int32_t)pid, signal);
}

/* The receiver learns who has sent it, whatever the sender says of that. */
int linux_pidfd_send_signal(const uint64_t arg[6], uint64_t *result) {
    return (uint32_t)arg[3] ? -K_EINVAL : fd_call(send, arg, result);
}

static int number(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return pidfile_number(f, result);
}

/* A file that the process has open, with a reference. */
static int file_of(uint64_t pid, uint64_t wanted, struct file **out) {
    uint64_t fd = wanted;
    if (wanted >= ABI_NOFILE)
        return -K_EBADF;
    int err = fd_of_process((int32_t)pid, &fd, out);
    if (!err && fd != wanted) {
        file_put(*out);
        err = -K_EBADF;
    }
    return err;
}

int linux_pidfd_getfd(const uint64_t arg[6], uint64_t *result) {
    struct file *f;
    uint64_t pid;
    int fd, err = fd_call(number, arg, &pid);
    if (!err && (uint32_t)arg[2])
        err = -K_EINVAL;
    if (!err)
        err = fd_reserve(0, &fd);
    if (err)
        return err;
    err = file_of(pid, fd_arg(arg[1]), &f);
    if (err) {
        fd_unreserve(fd);
        return err;
    }
    fd_open(fd, f, true);
    *result = (uint64_t)fd;
    return 0;
}

/* ---- with a new process ---- */

int linux_pidfd_begin(struct linux_pidfd *p, uint64_t told) {
    int err = fd_reserve(0, &p->fd);
    if (err)
        return err;
    err = pidfile_create(&p->file);
    if (!err) {
        err = copyout(UA(told), &p->fd, sizeof(p->fd));
        if (err)
            file_put(p->file);
    }
    if (err)
        fd_unreserve(p->fd);
    return err;
}

void linux_pidfd_give_up(struct linux_pidfd *p) {
    file_put(p->file);
    fd_unreserve(p->fd);
}

/* Another thread may have waited for the child already: then it has ended, and left nothing. */
void linux_pidfd_end(struct linux_pidfd *p, int32_t pid) {
    (void)!pidfile_set(p->file, pid);
    fd_open(p->fd, p->file, true);
}
