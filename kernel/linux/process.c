/* Processes and threads: their making, waiting for them, and who they are. */
#include "lib/errno.h"
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

/* In the new one, whose registers are those of the call, but for a0. */
static void tell_itself(void) {
    struct thread *t = thread_self();
    (void)!copyout(UA(t->tf->a4), &t->tid, sizeof(t->tid)); /* its maker's mistake, if it fails */
}

static struct birth birth(const uint64_t arg[6]) {
    uint64_t flags = arg[0];
    return (struct birth){.sp = arg[1],
                          .tp = flags & CLONE_SETTLS ? arg[3] : 0,
                          .entry = flags & CLONE_CHILD_SETTID ? tell_itself : NULL,
                          .number_at = flags & CLONE_PARENT_SETTID ? arg[2] : 0,
                          .cleared = flags & CLONE_CHILD_CLEARTID ? arg[4] : 0};
}

static int make_thread(const uint64_t arg[6], uint64_t *result) {
    uint64_t flags = arg[0];
    if ((flags & (CLONE_SIGHAND | CLONE_VM)) != (CLONE_SIGHAND | CLONE_VM))
        return -K_EINVAL;
    if ((flags & ~(uint64_t)THREAD_FLAGS) || (flags & THREAD_SHARES) != THREAD_SHARES)
        return -K_ENOSYS;
    struct birth b = birth(arg);
    int32_t tid;
    fd_share();
    int err = thread_clone(&b, &tid);
    *result = (uint64_t)tid;
    return err;
}

/* A thread, or a process: fork and vfork. */
int linux_clone(const uint64_t arg[6], uint64_t *result) {
    uint64_t flags = arg[0];
    bool vm = flags & CLONE_VM, vfork = flags & CLONE_VFORK;
    if (flags & CLONE_THREAD)
        return make_thread(arg, result);
    if ((flags & ~(uint64_t)FORK_FLAGS) || vm != vfork || (flags & CLONE_SIGNAL) != ABI_SIGCHLD)
        return -K_ENOSYS;
    struct birth b = birth(arg);
    b.borrows = vm;
    int32_t pid;
    int err = proc_fork(&b, &pid);
    *result = (uint64_t)pid;
    return err;
}

/* ---- exec ---- */

int linux_execve(const uint64_t arg[6], uint64_t *result) {
    const struct exec_strings strings = {
        .argv = arg[1], .envp = arg[2], .environment = true, .empty_argv = true};
    char path[LINUX_PATH];
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    if (!err && !path[0])
        err = -K_ENOENT;
    if (!err)
        err = exec_path(path, &strings, result);
    return err == -K_ENOEXEC && exec_is_no_file(path) ? -K_EACCES : err;
}

/* ---- who ---- */

int linux_getppid(const uint64_t arg[6], uint64_t *result) {
    *result = (uint64_t)proc_parent();
    return 0;
}

int linux_getuid(const uint64_t arg[6], uint64_t *result) { return 0; }

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
    return (uint16_t)(mode & 0777 & ~__atomic_load_n(&proc_self()->umask, __ATOMIC_RELAXED));
}

int linux_umask(const uint64_t arg[6], uint64_t *result) {
    *result = __atomic_exchange_n(&proc_self()->umask, arg[0] & 0777, __ATOMIC_RELAXED);
    return 0;
}
