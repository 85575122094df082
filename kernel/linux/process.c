/* Processes and threads: their making, waiting for them, and who they are. */
#include "lib/errno.h"
#include "lib/printf.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/group.h"
#include "proc/session.h"
#include "syscall/syscall.h"
#include "vfs/descriptor.h"
#include "vfs/path.h"

/* ---- clone ---- */

#define CLONE_SIGNAL 0xff
#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_PIDFD 0x1000
#define CLONE_VFORK 0x4000
#define CLONE_THREAD 0x10000
#define CLONE_SYSVSEM 0x40000
#define CLONE_SETTLS 0x80000
#define CLONE_PARENT_SETTID 0x100000
#define CLONE_CHILD_CLEARTID 0x200000
#define CLONE_DETACHED 0x400000
#define CLONE_CHILD_SETTID 0x1000000

/* Of both. */
#define START_FLAGS \
    (CLONE_SIGNAL | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | \
     CLONE_CHILD_SETTID)
#define FORK_FLAGS (START_FLAGS | CLONE_VM | CLONE_VFORK)
/* What threads share here, all of it; and what else may be said. */
#define THREAD_SHARES (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define THREAD_FLAGS (START_FLAGS | THREAD_SHARES | CLONE_SYSVSEM)

/* What clone has in registers and clone3 in memory. */
struct clone_request {
    uint64_t flags; /* and the signal */
    uint64_t pidfd, child_tid, parent_tid, sp, tls;
};

static struct birth birth(const struct clone_request *r) {
    return (struct birth){.sp = r->sp,
                          .tp = r->flags & CLONE_SETTLS ? r->tls : 0,
                          .own_number_at = r->flags & CLONE_CHILD_SETTID ? r->child_tid : 0,
                          .number_at = r->flags & CLONE_PARENT_SETTID ? r->parent_tid : 0,
                          .cleared = r->flags & CLONE_CHILD_CLEARTID ? r->child_tid : 0};
}

static int make_thread(const struct clone_request *r, uint64_t *result) {
    uint64_t flags = r->flags;
    if ((flags & (CLONE_SIGHAND | CLONE_VM)) != (CLONE_SIGHAND | CLONE_VM))
        return -K_EINVAL;
    if ((flags & ~(uint64_t)THREAD_FLAGS) || (flags & THREAD_SHARES) != THREAD_SHARES)
        return -K_ENOSYS;
    struct birth b = birth(r);
    int32_t tid;
    fd_share();
    int err = thread_clone(&b, &tid);
    *result = (uint64_t)tid;
    return err;
}

static int fork_with_file(const struct clone_request *r, const struct birth *b, int32_t *pid) {
    struct linux_pidfd made;
    int err = linux_pidfd_begin(&made, r->pidfd);
    if (err)
        return err;
    err = proc_fork(b, pid);
    if (err)
        linux_pidfd_give_up(&made);
    else
        linux_pidfd_end(&made, *pid);
    return err;
}

/* fork and vfork. */
static int make_process(const struct clone_request *r, uint64_t *result) {
    uint64_t flags = r->flags;
    bool vm = flags & CLONE_VM, vfork = flags & CLONE_VFORK;
    if ((flags & ~(uint64_t)(FORK_FLAGS | CLONE_PIDFD)) || vm != vfork ||
        (flags & CLONE_SIGNAL) != ABI_SIGCHLD)
        return -K_ENOSYS;
    struct birth b = birth(r);
    b.borrows = vm;
    int32_t pid;
    int err = flags & CLONE_PIDFD ? fork_with_file(r, &b, &pid) : proc_fork(&b, &pid);
    *result = (uint64_t)pid;
    return err;
}

/* A word for the parent's number is also where a process's file is told. */
int linux_clone(const uint64_t arg[6], uint64_t *result) {
    const struct clone_request r = {.flags = arg[0],
                                    .pidfd = arg[2],
                                    .child_tid = arg[4],
                                    .parent_tid = arg[2],
                                    .sp = arg[1],
                                    .tls = arg[3]};
    bool both = (r.flags & CLONE_PIDFD) && (r.flags & (CLONE_PARENT_SETTID | CLONE_DETACHED));
    if (both)
        return -K_EINVAL;
    return r.flags & CLONE_THREAD ? make_thread(&r, result) : make_process(&r, result);
}

struct clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup; /* of newer versions; they must be 0 here */
};
#define CLONE_ARGS_FIRST offsetof(struct clone_args, set_tid)

static int read_clone_args(uint64_t address, uint64_t bytes, struct clone_args *a) {
    *a = (struct clone_args){0};
    if (bytes > PAGE_SIZE)
        return -K_E2BIG;
    if (bytes < CLONE_ARGS_FIRST)
        return -K_EINVAL;
    int err = copyin(a, UA(address), MIN(bytes, sizeof(*a)));
    for (uint64_t at = sizeof(*a); at < bytes && !err; at++) {
        uint8_t byte;
        err = copyin(&byte, UA(address + at), 1);
        if (!err && byte)
            err = -K_E2BIG;
    }
    return err;
}

int linux_clone3(const uint64_t arg[6], uint64_t *result) {
    struct clone_args a;
    int err = read_clone_args(arg[0], arg[1], &a);
    if (err)
        return err;
    bool stack = a.stack && a.stack_size;
    if ((a.flags & (CLONE_SIGNAL | CLONE_DETACHED)) || (a.exit_signal & ~(uint64_t)CLONE_SIGNAL) ||
        (!a.stack != !a.stack_size) || a.stack + a.stack_size < a.stack ||
        ((a.flags & CLONE_THREAD) && a.exit_signal))
        return -K_EINVAL;
    if (a.set_tid || a.set_tid_size || a.cgroup)
        return -K_ENOSYS;
    const struct clone_request r = {.flags = a.flags | a.exit_signal,
                                    .pidfd = a.pidfd,
                                    .child_tid = a.child_tid,
                                    .parent_tid = a.parent_tid,
                                    .sp = stack ? a.stack + a.stack_size : 0,
                                    .tls = a.tls};
    return r.flags & CLONE_THREAD ? make_thread(&r, result) : make_process(&r, result);
}

/* ---- exec ---- */

static int run(const char *path, uint64_t argv, uint64_t envp, uint64_t *result) {
    const struct exec_strings strings = {
        .argv = argv, .envp = envp, .environment = true, .empty_argv = true};
    if (!path[0])
        return -K_ENOENT;
    if (exec_is_forbidden(path))
        return -K_EACCES;
    int err = exec_path(path, &strings, result);
    return err == -K_ENOEXEC && exec_is_no_file(path) ? -K_EACCES : err;
}

int linux_execve(const uint64_t arg[6], uint64_t *result) {
    char path[LINUX_PATH];
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    return err ? err : run(path, arg[1], arg[2], result);
}

/* Whether what the call is about is there, and no link that it does not want to follow. */
static int check_program(const uint64_t arg[6], uint32_t flags) {
    struct node_attr a;
    struct node *n;
    int err = linux_find(arg, flags, !(flags & LINUX_AT_SYMLINK_NOFOLLOW), &n);
    if (err)
        return err;
    err = n->ops->attr(n, &a);
    node_put(n);
    return err || a.type != NODE_LINK ? err : -K_ELOOP;
}

/* What is not named from the root or the current directory gets the name that it has there: a
 * script's reader has to find it again, too. */
int linux_execveat(const uint64_t arg[6], uint64_t *result) {
    char path[LINUX_PATH], whole[LINUX_PATH];
    uint32_t flags = (uint32_t)arg[4];
    if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
        return -K_EINVAL;
    int err = copyinstr(path, UA(arg[1]), sizeof(path));
    if (!err)
        err = check_program(arg, flags);
    if (err)
        return err;
    if (path[0] == '/' || (int32_t)arg[0] == LINUX_AT_FDCWD)
        return run(path, arg[2], arg[3], result);
    int length = snprintf(whole, sizeof(whole), "/proc/self/fd/%d%s%s", (int32_t)arg[0],
                          path[0] ? "/" : "", path);
    return length < LINUX_PATH ? run(whole, arg[2], arg[3], result) : -K_ENAMETOOLONG;
}

/* ---- who ---- */

int linux_getppid(const uint64_t arg[6], uint64_t *result) {
    *result = (uint64_t)proc_parent();
    return 0;
}

int linux_getpgid(const uint64_t arg[6], uint64_t *result) {
    int32_t group;
    int err = proc_get_group((int32_t)arg[0], &group);
    *result = (uint64_t)group;
    return err;
}

int linux_getsid(const uint64_t arg[6], uint64_t *result) {
    int32_t session;
    int err = proc_get_session((int32_t)arg[0], &session);
    *result = (uint64_t)session;
    return err;
}

int linux_setsid(const uint64_t arg[6], uint64_t *result) {
    *result = (uint64_t)proc_self()->pid;
    return proc_new_session();
}

uint16_t linux_new_mode(uint64_t mode) {
    return (uint16_t)(mode & 07777 & ~__atomic_load_n(&proc_self()->umask, __ATOMIC_RELAXED));
}

int linux_umask(const uint64_t arg[6], uint64_t *result) {
    *result = __atomic_exchange_n(&proc_self()->umask, arg[0] & 0777, __ATOMIC_RELAXED);
    return 0;
}
