/* Processes, threads and signals. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/group.h"
#include "proc/signal.h"
#include "syscall/syscall.h"
#include "vfs/path.h"

/* ---- clone ---- */

#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000
#define CLONE_SETTLS 0x80000
#define CLONE_PARENT_SETTID 0x100000
#define CLONE_CHILD_CLEARTID 0x200000
#define CLONE_CHILD_SETTID 0x1000000
#define CLONE_SIGNAL 0xff
#define FORK_FLAGS \
    (CLONE_SIGNAL | CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID | \
     CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)

/* In the child, whose registers are those of its parent's call, but for a0. glibc finds its own
 * number there. */
static void tell_child(void) {
    struct thread *t = thread_self();
    (void)!copyout(UA(t->tf->a4), &t->tid, sizeof(t->tid)); /* its parent's mistake, if it fails */
}

/* fork, and vfork, whose child gets a copy of the memory, too: it sees no difference, and a parent
 * that looks for what the child has written there finds nothing. */
int linux_clone(const uint64_t arg[6], uint64_t *result) {
    uint64_t flags = arg[0];
    bool vm = flags & CLONE_VM, vfork = flags & CLONE_VFORK;
    if ((flags & ~(uint64_t)FORK_FLAGS) || vm != vfork || (flags & CLONE_SIGNAL) != ABI_SIGCHLD)
        return -K_ENOSYS;
    struct birth birth = {.sp = arg[1],
                          .tp = flags & CLONE_SETTLS ? arg[3] : 0,
                          .entry = flags & CLONE_CHILD_SETTID ? tell_child : NULL};
    int32_t pid;
    int err = proc_fork(&birth, &pid);
    if (err)
        return err;
    *result = (uint64_t)pid;
    if (flags & CLONE_PARENT_SETTID)
        (void)!copyout(UA(arg[2]), &pid, sizeof(pid)); /* the child is there all the same */
    return 0;
}

/* ---- exec ---- */

/* Whether that is why it is no program. */
static bool is_no_file(const char *path) {
    struct node_attr a;
    struct node *n;
    if (path_lookup(path, &n))
        return false;
    int err = n->ops->attr(n, &a);
    node_put(n);
    return !err && a.type != NODE_FILE;
}

int linux_execve(const uint64_t arg[6], uint64_t *result) {
    const struct exec_strings strings = {
        .argv = arg[1], .envp = arg[2], .environment = true, .empty_argv = true};
    char path[LINUX_PATH];
    int err = copyinstr(path, UA(arg[0]), sizeof(path));
    if (!err && !path[0])
        err = -K_ENOENT;
    if (!err)
        err = exec_path(path, &strings, result);
    return err == -K_ENOEXEC && is_no_file(path) ? -K_EACCES : err;
}

/* ---- the end ---- */

int linux_set_tid_address(const uint64_t arg[6], uint64_t *result) {
    *result = thread_self()->tid;
    return 0;
}

/* There is one thread, and it leaves nothing locked. */
int linux_set_robust_list(const uint64_t arg[6], uint64_t *result) { return 0; }

#define WAIT_FLAGS (ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED)
#define WAIT_ALL 0xe0000000 /* __WALL and its kin: all children are alike */

/* What the child has used is not told. */
int linux_wait4(const uint64_t arg[6], uint64_t *result) {
    const uint64_t ours[6] = {arg[0], arg[1], arg[2] & WAIT_FLAGS};
    uint32_t unknown = (uint32_t)arg[2] & ~(uint32_t)(WAIT_FLAGS | WAIT_ALL);
    static const uint64_t nothing[18];
    if (unknown)
        return -K_EINVAL;
    /* First: with an error afterwards the child would be gone, and nobody told. */
    int err = arg[3] ? copyout(UA(arg[3]), nothing, sizeof(nothing)) : 0;
    return err ? err : sys_waitpid(ours, result);
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

/* There is one session; a process that wants another gets a group of its own. */
int linux_setsid(const uint64_t arg[6], uint64_t *result) {
    *result = (uint64_t)proc_self()->pid;
    return proc_set_group(0, 0);
}

int linux_umask(const uint64_t arg[6], uint64_t *result) {
    struct proc *p = proc_self();
    *result = p->umask;
    p->umask = arg[0] & 0777;
    return 0;
}

/* ---- signals ---- */

int linux_tgkill(const uint64_t arg[6], uint64_t *result) {
    if ((int32_t)arg[0] != proc_self()->pid)
        return -K_ESRCH;
    return signal_send_thread((int32_t)arg[1], (int32_t)arg[2]);
}

/* ---- futex ---- */

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_CLOCK_REALTIME 256

/* A span, or a point in time by one of the clocks. */
static int wait_until(const uint64_t arg[6], uint64_t *until) {
    uint64_t time;
    *until = UINT64_MAX;
    if (!arg[3])
        return 0;
    int err = linux_time(arg[3], &time);
    if (err)
        return err;
    if ((arg[1] & 127) == FUTEX_WAIT_BITSET) {
        uint64_t now = arg[1] & FUTEX_CLOCK_REALTIME ? clock_date() : clock_nanoseconds();
        time = time > now ? time - now : 0;
    }
    *until = signal_resume_until(clock_after(time));
    return 0;
}

/* Sets of bits are for those who wait for different things at one word; here all are woken that a
 * wake may mean, and look again. */
int linux_futex(const uint64_t arg[6], uint64_t *result) {
    uint32_t woken;
    uint64_t until;
    int err;
    switch (arg[1] & 127) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        err = wait_until(arg, &until);
        return err ? err : futex_wait(UA(arg[0]), (uint32_t)arg[2], until);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        err = futex_wake(UA(arg[0]), (uint32_t)arg[2], &woken);
        *result = woken;
        return err;
    default: return -K_ENOSYS;
    }
}
